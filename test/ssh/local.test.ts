import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Remote } from '../../src/ports.ts';
import { type ProcessOptions, type RunProcess, runProcess } from '../../src/process/run.ts';
import { createLocalRemote } from '../../src/ssh/local.ts';
import { machineNamed } from '../remote/machine.ts';
import { eventually } from './support/eventually.ts';
import { livingWith, uniqueSeconds } from './support/processes.ts';
import { deadlineMs, failureIn, valueIn } from './support/world.ts';

/** How long the commands sleep that must not survive: told apart from all other processes here. */
const sleeps = {
  late: uniqueSeconds(),
  cancelled: uniqueSeconds(),
  closed: uniqueSeconds(),
  below: uniqueSeconds(),
};

const machine = machineNamed('congenital-optimist');
let remote: Remote;
beforeEach(() => {
  remote = createLocalRemote({ runProcess, clock: systemClock, uid: 0 });
});
afterEach(() => remote.close());

describe('the machine lab runs on', () => {
  test('runs commands as processes, with stdin, exit code and both streams', async () => {
    const result = await remote.exec(machine, ['sh', '-c', 'cat; echo err >&2; exit 4'], {
      deadlineMs,
      stdin: 'in',
    });
    expect(valueIn(result)).toEqual({
      code: 4,
      signal: null,
      stdout: 'in',
      stderr: 'err\n',
      truncated: false,
    });
  });

  test('answers as a shell would where there is no such program', async () => {
    expect(valueIn(await remote.exec(machine, ['no-such-program'], { deadlineMs })).code).toBe(127);
  });

  test('bounds what is kept', async () => {
    const result = await remote.exec(machine, ['head', '-c', '5000', '/dev/zero'], {
      deadlineMs,
      outputBytesMax: 100,
    });
    expect(valueIn(result)).toMatchObject({ code: 0, truncated: true });
    expect(valueIn(result).stdout.length).toBeLessThanOrEqual(100);
  });

  test('stops with a command what that has started', async () => {
    const late = await remote.exec(machine, ['sh', '-c', `sleep ${sleeps.below}; true`], { deadlineMs: 300 });
    expect(failureIn(late)).toMatchObject({ kind: 'timeout', phase: 'exec' });
    await eventually(async () => expect(await livingWith(`sleep ${sleeps.below}`)).toHaveLength(0));
  });

  test('stops what passes its deadline, is cancelled, or runs when all is closed', async () => {
    const late = await remote.exec(machine, ['sleep', sleeps.late], { deadlineMs: 200 });
    expect(failureIn(late)).toMatchObject({ kind: 'timeout', phase: 'exec', dispatched: true });
    const cancel = new AbortController();
    const cancelled = remote.exec(machine, ['sleep', sleeps.cancelled], {
      deadlineMs,
      signal: cancel.signal,
    });
    await eventually(async () => expect(await livingWith(`sleep ${sleeps.cancelled}`)).toHaveLength(1));
    cancel.abort();
    expect(failureIn(await cancelled).kind).toBe('cancelled');
    const closed = remote.exec(machine, ['sleep', sleeps.closed], { deadlineMs });
    await remote.close();
    expect(failureIn(await closed).kind).toBe('cancelled');
    for (const mark of Object.values(sleeps)) expect(await livingWith(mark)).toEqual([]);
  });

  test('becomes root by sudo only where it must', async () => {
    const asked: (readonly string[])[] = [];
    const recording: RunProcess = async (argv: readonly string[], options: ProcessOptions) => {
      asked.push(argv);
      return runProcess(['true'], options);
    };
    for (const uid of [0, 1000]) {
      const local = createLocalRemote({ runProcess: recording, clock: systemClock, uid });
      await local.exec(machine, ['id'], { deadlineMs, asRoot: true });
      await local.exec(machine, ['id'], { deadlineMs });
    }
    expect(asked).toEqual([
      ['id'],
      ['id'],
      // Nobody but root can end what sudo runs.
      ['sudo', '-n', '--', 'timeout', '-k', '5', '20', 'id'],
      ['id'],
    ]);
  });

  test('dials from here, and says what is wrong with the port', async () => {
    const server = createServer((socket) => socket.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const stream = valueIn(await remote.dial(machine, 'localhost', port, { deadlineMs }));
    expect(String((await once(stream, 'data'))[0])).toBe('hello');
    stream.destroy();
    server.close();
    await once(server, 'close');
    const error = failureIn(await remote.dial(machine, '127.0.0.1', port, { deadlineMs }));
    expect(error).toMatchObject({ kind: 'unreachable', phase: 'dial' });
    expect(error.message).toContain('connection refused');
    const gone = await remote.dial(machine, '127.0.0.1', port, { deadlineMs, signal: AbortSignal.abort() });
    expect(failureIn(gone).kind).toBe('cancelled');
  });
});
