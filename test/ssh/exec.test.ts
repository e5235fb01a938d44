import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { commandOf } from './support/command-line.ts';
import { eventually } from './support/eventually.ts';
import { newKey } from './support/keys.ts';
import { livingWith, uniqueSeconds } from './support/processes.ts';
import { inShell, startServer, type TestServer, type TestServerOptions } from './support/server.ts';
import {
  createWorld,
  deadlineMs,
  failureIn,
  knownLine,
  machineAt,
  type SshWorld,
  valueIn,
} from './support/world.ts';

/** How long the commands sleep that must not survive: told apart from all other processes here. */
const sleeps = { stubborn: uniqueSeconds(), cancelled: uniqueSeconds(), closed: uniqueSeconds() };

let world: SshWorld;
let servers: TestServer[];
beforeEach(async () => {
  world = await createWorld();
  servers = [];
});
afterEach(async () => {
  await world.dispose();
  await Promise.all(servers.map((server) => server.close()));
});

const serve = async (options: TestServerOptions = {}): Promise<TestServer> => {
  const server = await startServer({ letIn: world.key, ...options });
  servers.push(server);
  await world.know(knownLine(server.port, server.hostKey));
  return server;
};
const mebibyte = 1024 * 1024;

describe('a command on a machine', () => {
  test('gives what it printed and how it ended', async () => {
    const server = await serve();
    const remote = world.remote();
    const script = 'echo out; echo err >&2; exit 3';
    const result = await remote.exec(machineAt(server.port), ['sh', '-c', script], { deadlineMs });
    expect(valueIn(result)).toEqual({
      code: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
      truncated: false,
    });
  });

  test('that a signal ended has no code and names the signal', async () => {
    const server = await serve();
    const result = await world
      .remote()
      .exec(machineAt(server.port), ['sh', '-c', 'kill -KILL $$'], { deadlineMs });
    expect(valueIn(result)).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  test('that is not there is a result, not an error', async () => {
    const server = await serve();
    const result = await world.remote().exec(machineAt(server.port), ['no-such-program'], { deadlineMs });
    expect(valueIn(result).code).toBe(127);
  });

  test('reads its stdin to the end, however long', async () => {
    const server = await serve();
    const stdin = 'x'.repeat(5 * mebibyte);
    const result = await world.remote().exec(machineAt(server.port), ['wc', '-c'], { deadlineMs, stdin });
    expect(valueIn(result).stdout.trim()).toBe(String(5 * mebibyte));
  });

  test('has an empty stdin when none is given', async () => {
    const server = await serve();
    const result = await world.remote().exec(machineAt(server.port), ['cat'], { deadlineMs });
    expect(valueIn(result)).toMatchObject({ code: 0, stdout: '' });
  });

  test('gets hostile words exactly as they are', async () => {
    const server = await serve();
    const words = ["it's", '$(id)', '`id`', 'a\nb', '\\', "\\'", '"', '', ' ', '*', '-n', '!x', 'ü', '; rm'];
    const result = await world
      .remote()
      .exec(machineAt(server.port), ['printf', '<%s>', ...words], { deadlineMs });
    expect(valueIn(result).stdout).toBe(words.map((word) => `<${word}>`).join(''));
  });

  test('runs as root through sudo unless the login user is root', async () => {
    const server = await serve({
      onExec: (command, channel) => {
        channel.write(commandOf(command));
        channel.exit(0);
        channel.end();
      },
    });
    const remote = world.remote();
    const told = async (user: string): Promise<string> =>
      valueIn(await remote.exec(machineAt(server.port, { user }), ['id', '-u'], { deadlineMs, asRoot: true }))
        .stdout;
    expect(await told('ada')).toBe('sudo -n -- id -u');
    expect(await told('root')).toBe('id -u');
  });

  test('keeps apart what the login shell prints before it', async () => {
    const server = await serve({
      onExec: (command, channel, own) =>
        inShell(`echo welcome, stranger; printf 'no newline'; ${command}`, channel, own),
    });
    const result = await world.remote().exec(machineAt(server.port), ['echo', 'mine'], { deadlineMs });
    expect(valueIn(result).stdout).toBe('mine\n');
  });

  test('on a server without a shell is what the server says', async () => {
    const server = await serve({
      onExec: (_command, channel) => {
        channel.write('This account is not available.\n');
        channel.exit(1);
        channel.end();
      },
    });
    const result = await world.remote().exec(machineAt(server.port), ['true'], { deadlineMs });
    expect(valueIn(result)).toMatchObject({ code: 1, stdout: 'This account is not available.\n' });
  });

  test('that is too long for one argument is a defect of the caller', async () => {
    const server = await serve();
    await expect(
      world.remote().exec(machineAt(server.port), ['echo', 'x'.repeat(200_000)], { deadlineMs }),
    ).rejects.toThrow(/stdin/);
  });
});

describe('output', () => {
  test('beyond the bound is dropped and said to be', async () => {
    const server = await serve();
    const result = await world
      .remote()
      .exec(machineAt(server.port), ['sh', '-c', 'head -c 100000 /dev/zero | tr "\\0" x'], {
        deadlineMs,
        outputBytesMax: 1_000,
      });
    expect(valueIn(result)).toMatchObject({ code: 0, truncated: true, stdout: 'x'.repeat(1_000) });
  });

  test('of several MiB on stderr, more than a window of ssh, does not hang', async () => {
    const server = await serve();
    const result = await world
      .remote()
      .exec(machineAt(server.port), ['sh', '-c', 'head -c 6000000 /dev/zero >&2; echo done'], { deadlineMs });
    expect(valueIn(result)).toMatchObject({ code: 0, stdout: 'done\n', truncated: true });
  });

  test('without end is stopped', async () => {
    const server = await serve();
    const remote = world.remote({ limits: { outputFloodBytesMax: 4 * mebibyte } });
    const result = await remote.exec(machineAt(server.port), ['sh', '-c', 'exec yes flood-of-lab-tests'], {
      deadlineMs,
    });
    expect(failureIn(result)).toMatchObject({ kind: 'output-limit', phase: 'exec', dispatched: true });
    expect(failureIn(result).message).toContain('it was stopped');
    expect(await livingWith('flood-of-lab-tests')).toEqual([]);
  });

  test('that a child in the background holds open does not hold back the result', async () => {
    const server = await serve();
    const remote = world.remote({ limits: { drainMs: 200 } });
    const result = await remote.exec(machineAt(server.port), ['sh', '-c', 'sleep 3141 & echo started'], {
      deadlineMs,
    });
    expect(valueIn(result)).toMatchObject({ code: 0, stdout: 'started\n' });
  });
});

describe('a command that is not to go on', () => {
  const stubborn = (mark: string): readonly string[] => [
    'sh',
    '-c',
    `trap "" TERM; echo begun; sleep ${mark} & sh -c "setsid sleep ${mark}" & while :; do sleep 0.2; done`,
  ];

  test('is stopped with all its descendants at its deadline', async () => {
    const server = await serve();
    const remote = world.remote();
    const machine = machineAt(server.port);
    valueIn(await remote.exec(machine, ['true'], { deadlineMs }));
    const result = await remote.exec(machine, stubborn(sleeps.stubborn), { deadlineMs: 4_000 });
    expect(failureIn(result)).toMatchObject({ kind: 'timeout', phase: 'exec', dispatched: true });
    expect(failureIn(result).message).toContain('it was stopped');
    expect(await livingWith(sleeps.stubborn)).toEqual([]);
  });

  test('is stopped when the caller cancels', async () => {
    const server = await serve();
    const cancel = new AbortController();
    const running = world
      .remote()
      .exec(machineAt(server.port), ['sh', '-c', `sleep ${sleeps.cancelled}; true`], {
        deadlineMs,
        signal: cancel.signal,
      });
    await eventually(async () => expect(await livingWith(`sleep ${sleeps.cancelled}`)).not.toEqual([]));
    cancel.abort();
    expect(failureIn(await running)).toMatchObject({ kind: 'cancelled', dispatched: true });
    expect(await livingWith(sleeps.cancelled)).toEqual([]);
  });

  test('is stopped when the remote is closed', async () => {
    const server = await serve();
    const remote = world.remote();
    const running = remote.exec(machineAt(server.port), ['sleep', sleeps.closed], { deadlineMs });
    await eventually(async () => expect(await livingWith(`sleep ${sleeps.closed}`)).not.toEqual([]));
    await remote.close();
    expect(failureIn(await running)).toMatchObject({ kind: 'cancelled' });
    expect(await livingWith(sleeps.closed)).toEqual([]);
    await eventually(() => expect(server.open()).toBe(0));
  });

  test('is said to perhaps run on where its session is not known', async () => {
    const server = await serve({
      onExec: (command, channel, own) => {
        if (own.commands.length === 1) inShell(command, channel, own);
      },
    });
    const remote = world.remote({ limits: { killDeadlineMs: 500 } });
    const machine = machineAt(server.port);
    valueIn(await remote.exec(machine, ['true'], { deadlineMs }));
    const result = await remote.exec(machine, ['true'], { deadlineMs: 1_000 });
    expect(failureIn(result)).toMatchObject({ kind: 'timeout', phase: 'exec', dispatched: true });
    expect(failureIn(result).message).toContain('may still run');
  });

  test('is not begun when it is cancelled before', async () => {
    const server = await serve();
    const result = await world
      .remote()
      .exec(machineAt(server.port), ['true'], { deadlineMs, signal: AbortSignal.abort() });
    expect(failureIn(result)).toMatchObject({ kind: 'cancelled', dispatched: false });
    expect(server.accepted()).toBe(0);
  });
});

describe('a connection that is lost while a command runs', () => {
  test('is an error that says the command may have run, never a result', async () => {
    const server = await serve({
      onExec: (_command, channel, own) => {
        channel.write('half of the answ');
        setImmediate(own.cut);
      },
    });
    const result = await world.remote().exec(machineAt(server.port), ['cat'], { deadlineMs });
    expect(failureIn(result)).toMatchObject({
      kind: 'disconnected',
      phase: 'exec',
      dispatched: true,
      retryable: true,
    });
    expect(server.commands).toHaveLength(1);
  });

  test('is the same when the channel closes without an exit status', async () => {
    const server = await serve({
      onExec: (_command, channel) => {
        channel.write('looks fine\n');
        channel.end();
      },
    });
    const result = await world.remote().exec(machineAt(server.port), ['true'], { deadlineMs });
    expect(failureIn(result)).toMatchObject({ kind: 'disconnected', dispatched: true });
  });

  test('is tried once more for what may be done twice', async () => {
    let times = 0;
    const server = await serve({
      onExec: (command, channel, own) => {
        times += 1;
        if (times === 1) own.cut();
        else inShell(command, channel, own);
      },
    });
    const result = await world
      .remote()
      .exec(machineAt(server.port), ['echo', 'again'], { deadlineMs, idempotent: true });
    expect(valueIn(result).stdout).toBe('again\n');
    expect(server.commands).toHaveLength(2);
  });

  test('is not tried for ever', async () => {
    const server = await serve({ onExec: (_command, _channel, own) => own.cut() });
    const result = await world
      .remote()
      .exec(machineAt(server.port), ['true'], { deadlineMs, idempotent: true });
    expect(failureIn(result).kind).toBe('disconnected');
    expect(server.commands).toHaveLength(2);
  });

  test('leaves a pool that makes a new one for the next command', async () => {
    const server = await serve();
    const remote = world.remote();
    const machine = machineAt(server.port);
    valueIn(await remote.exec(machine, ['true'], { deadlineMs }));
    server.cut();
    expect(valueIn(await remote.exec(machine, ['echo', 'back'], { deadlineMs })).stdout).toBe('back\n');
    expect(server.accepted()).toBe(2);
  });

  test('is told apart from a host key that changed meanwhile', async () => {
    const server = await serve();
    const remote = world.remote();
    const machine = machineAt(server.port);
    valueIn(await remote.exec(machine, ['true'], { deadlineMs }));
    server.showKey(newKey());
    server.cut();
    const result = await vi.waitUntil(
      async () => {
        const again = await remote.exec(machine, ['true'], { deadlineMs, idempotent: true });
        return !again.ok && again.failure.kind !== 'disconnected' ? again : null;
      },
      { timeout: 30_000 },
    );
    expect(failureIn(result)).toMatchObject({
      kind: 'hostkey-mismatch',
      retryable: false,
      dispatched: false,
    });
  });
});
