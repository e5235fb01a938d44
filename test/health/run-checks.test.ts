import { describe, expect, it, vi } from 'vitest';
import { fail, ok } from '../../src/failure.ts';
import { HealthCheck } from '../../src/fleet/machine.ts';
import { dialFromHere } from '../../src/health/dial.ts';
import { type HealthParts, runChecks } from '../../src/health/run-checks.ts';
import type { Observation } from '../../src/ports.ts';
import { runProcess } from '../../src/process/run.ts';
import { ended } from '../process/ended.ts';
import { leapingClock, realClock } from '../remote/clocks.ts';
import { exited, fakeRemote, lost, sshError } from '../remote/fake-remote.ts';
import { machineNamed } from '../remote/machine.ts';
import { livingWith, uniqueSeconds } from '../ssh/support/processes.ts';
import { channelTo, closedPort, tcpServer } from './servers.ts';

const base = { name: null, from: 'target', timeoutSeconds: 10, retries: 0, intervalSeconds: 5 };
const command = (set: object = {}) =>
  HealthCheck.parse({ ...base, type: 'command', command: 'test-it', ...set });
const tcp = (set: object = {}) =>
  HealthCheck.parse({ ...base, type: 'tcp', host: 'localhost', port: 5432, ...set });
const http = (set: object = {}) =>
  HealthCheck.parse({
    ...base,
    type: 'http',
    url: 'http://localhost/',
    expectedStatus: 200,
    expectedBody: null,
    ...set,
  });
const systemd = (set: object = {}) =>
  HealthCheck.parse({ ...base, type: 'systemd', unit: 'caddy.service', ...set });

const noParts = { kernel: null, initrd: null, modules: null, params: null, systemd: null };
const up: Observation = {
  kind: 'reachable',
  machine: 'grey-area',
  at: 7,
  bootId: '0f0e0d0c-0b0a-4908-8706-050403020100',
  uptimeSeconds: 1,
  state: 'running',
  failedUnits: [],
  booted: null,
  current: null,
  profile: null,
  generation: null,
  kernelRelease: null,
  nixosVersion: null,
  bootedParts: noParts,
  profileParts: noParts,
};
const down: Observation = { kind: 'unreachable', machine: 'grey-area', at: 7, error: sshError() };

const look = (
  healthChecks: readonly HealthCheck[],
  parts: Partial<HealthParts> = {},
  deadlineMs = 60_000,
  signal?: AbortSignal,
  seen = false,
) =>
  runChecks(
    machineNamed('grey-area', { healthChecks: [...healthChecks] }),
    {
      remote: fakeRemote(() => exited(0)),
      clock: leapingClock(),
      runProcess,
      dialFromHere,
      observe: async () => up,
      ...parts,
    },
    { deadlineMs, ...(signal === undefined ? {} : { signal }), ...(seen ? { seen } : {}) },
  );

describe('a machine’s health', () => {
  it('is that of its systemd when it names no checks', async () => {
    expect(await look([])).toEqual({
      machine: 'grey-area',
      at: 7,
      verdict: 'healthy',
      state: 'running',
      failedUnits: [],
      readings: [],
      summary: 'no checks, systemd is running',
      runs: {
        bootId: '0f0e0d0c-0b0a-4908-8706-050403020100',
        hostName: null,
        booted: null,
        current: null,
        profile: null,
      },
    });
  });

  it('of one that was seen just now tells what it ran once its checks had passed', async () => {
    const order: string[] = [];
    const remote = fakeRemote(() => {
      order.push('check');
      return exited(0);
    });
    const observe = async (): Promise<Observation> => {
      order.push('look');
      return { ...up, current: order.includes('check') ? 'theirs' : 'ours' };
    };
    const healthChecks = [command(), command({ from: 'orchestrator', command: 'exit 0' })];
    expect(await look(healthChecks, { remote, observe })).toMatchObject({ runs: { current: 'ours' } });
    order.length = 0;
    expect(await look(healthChecks, { remote, observe }, 60_000, undefined, true)).toMatchObject({
      verdict: 'healthy',
      runs: { current: 'theirs' },
    });
    expect(order).toEqual(['check', 'look']);
    const gone = await look(healthChecks, { remote, observe: async () => down }, 60_000, undefined, true);
    expect(gone).toMatchObject({ verdict: 'unknown' });
    expect(gone.runs).toBeUndefined();
  });

  it('gives the readings in the order of the configuration, wherever each ran', async () => {
    const report = await look([
      command({ name: 'one', from: 'orchestrator', command: 'exit 0' }),
      command({ name: 'two' }),
      command({ name: 'three', from: 'orchestrator', command: 'exit 0' }),
      systemd({ name: 'four' }),
    ]);
    expect(report.readings.map(({ check }) => check)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('names a check by kind and aim, and says when it does not run on the machine', async () => {
    const remote = fakeRemote(
      () => exited(0, 'ActiveState=active\n'),
      async () => fail(sshError({ phase: 'dial' })),
    );
    const report = await look(
      [
        tcp(),
        tcp({ from: 'orchestrator', host: '127.0.0.1', port: await closedPort() }),
        command(),
        systemd(),
        http({ url: 'http://admin:secret@localhost:3000/a@b' }),
      ],
      { remote },
    );
    expect(report.readings.map(({ check }) => check)).toEqual([
      'tcp localhost:5432',
      expect.stringMatching(/^tcp 127\.0\.0\.1:\d+ from the orchestrator$/),
      'command test-it',
      'unit caddy.service',
      'http://localhost:3000/a@b',
    ]);
  });

  it('is unknown when the machine cannot be reached, with the ssh error as reason and no further logins', async () => {
    const remote = fakeRemote(() => exited(0));
    const report = await look(
      [command(), tcp(), command({ from: 'orchestrator', command: 'echo still here' })],
      {
        remote,
        observe: async () => down,
      },
    );
    expect(report).toMatchObject({
      verdict: 'unknown',
      state: 'unknown',
      summary: 'connection refused by host.example',
    });
    expect(report.readings.map(({ verdict, tries, evidence }) => [verdict, tries, evidence])).toEqual([
      ['unknown', 0, 'not tried: connection refused by host.example'],
      ['unknown', 0, 'not tried: connection refused by host.example'],
      ['passed', 1, 'exit 0: still here'],
    ]);
    expect(remote.calls).toEqual([]);
  });

  it('runs no more than four checks at once on one machine', async () => {
    let now = 0;
    let most = 0;
    const remote = fakeRemote(async () => {
      now += 1;
      most = Math.max(most, now);
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      now -= 1;
      return exited(0);
    });
    const report = await look(
      Array.from({ length: 20 }, () => command()),
      { remote },
    );
    expect([report.verdict, remote.calls.length, most]).toEqual(['healthy', 20, 4]);
  });
});

describe('retries', () => {
  it('tries again after the interval, and the last try decides', async () => {
    const clock = leapingClock();
    const remote = fakeRemote((_call, count) => (count < 3 ? exited(1, '', 'not yet\n') : exited(0)));
    const report = await look([command({ retries: 5 })], { remote, clock });
    expect(report.readings[0]).toMatchObject({ verdict: 'passed', tries: 3, ms: 10_000 });
    expect(clock.slept).toEqual([5_000, 5_000]);
  });

  it('ends when the tries are used up', async () => {
    const remote = fakeRemote(() => exited(1, '', 'not yet\n'));
    const report = await look([command({ retries: 2 })], { remote });
    expect(report).toMatchObject({ verdict: 'unhealthy', summary: 'command test-it (exit 1: not yet)' });
    expect(report.readings[0]).toMatchObject({ tries: 3 });
  });

  it('ends at the deadline of the whole report', async () => {
    const remote = fakeRemote(() => exited(1));
    const report = await look([command({ retries: 20 })], { remote }, 12_000);
    expect(report.readings[0]).toMatchObject({ verdict: 'failed', tries: 3, ms: 12_000 });
    expect(remote.calls.map(({ options }) => options.deadlineMs)).toEqual([10_000, 7_000, 2_000]);
  });

  it('gives no try less than no time, however its last moment passes while it is asked for', async () => {
    const given: number[] = [];
    const clock = leapingClock();
    let at = 0;
    for (let deadlineMs = 1; deadlineMs < 12; deadlineMs += 1)
      await look(
        [command({ from: 'orchestrator' }), tcp({ from: 'orchestrator' })],
        {
          clock: { ...clock, elapsed: () => (at += 1) },
          runProcess: async (_argv, options) => {
            given.push(options.deadlineMs);
            return { ...ended, code: 1 };
          },
          dialFromHere: async (_host, _port, options) => {
            given.push(options.deadlineMs);
            return fail({ verdict: 'failed', evidence: 'closed' });
          },
        },
        deadlineMs,
      );
    expect(given.length).toBeGreaterThan(0);
    expect(Math.min(...given)).toBeGreaterThan(0);
  });

  it('leaves nothing of a command here that did not end', async () => {
    const sleep = `sleep ${uniqueSeconds()}`;
    const report = await look([
      command({ from: 'orchestrator', command: `${sleep}; true`, timeoutSeconds: 1 }),
    ]);
    expect(report.readings[0]).toMatchObject({ verdict: 'failed', evidence: 'no end within 1 s' });
    await vi.waitFor(async () => expect(await livingWith(sleep)).toEqual([]), { timeout: 20_000 });
  });

  it('is unknown, not healthy, when no time was left to try', async () => {
    const clock = leapingClock();
    const observe = async () => {
      await clock.sleep(60_000);
      return up;
    };
    expect(await look([command()], { clock, observe })).toMatchObject({
      verdict: 'unknown',
      readings: [{ verdict: 'unknown', tries: 0, evidence: 'no time was left for it' }],
    });
  });

  it('stops when cancelled', async () => {
    const abort = new AbortController();
    const remote = fakeRemote(() => {
      abort.abort();
      return lost({ kind: 'cancelled', retryable: false, message: 'cancelled' });
    });
    const report = await look([command({ retries: 20 })], { remote }, 60_000, abort.signal);
    expect(report).toMatchObject({ verdict: 'unknown', readings: [{ tries: 1 }] });
  });
});

describe('a tcp check', () => {
  it('passes when the connection opens, and closes it', async () => {
    let closed = false;
    const server = await tcpServer((socket) => {
      socket.on('close', () => {
        closed = true;
      });
      socket.resume();
    });
    const report = await look([tcp({ from: 'orchestrator', host: '127.0.0.1', port: server.port })], {
      clock: realClock,
    });
    expect(report.readings).toMatchObject([{ verdict: 'passed', evidence: 'connected' }]);
    await expect.poll(() => closed).toBe(true);
    server.close();
  });

  it.each([
    [
      'the port refuses',
      { kind: 'channel', phase: 'dial', message: 'connection refused' } as const,
      'failed',
    ],
    ['the port stays silent', { kind: 'timeout', phase: 'dial', message: 'no answer' } as const, 'failed'],
    [
      'ssh forbids forwarding',
      { kind: 'channel', phase: 'dial', message: 'administratively prohibited' } as const,
      'unknown',
    ],
    ['no channel is to be had', { kind: 'channel', phase: 'channel', message: 'no' } as const, 'unknown'],
    ['the machine has gone', { kind: 'unreachable', phase: 'tcp' } as const, 'unknown'],
    ['the login is refused', { kind: 'auth', phase: 'auth' } as const, 'unknown'],
    ['the connection breaks', { kind: 'disconnected', phase: 'dial' } as const, 'unknown'],
  ])('through ssh, when %s: %o is %s', async (_what, error, verdict) => {
    const remote = fakeRemote(
      () => exited(0),
      async () => fail(sshError(error)),
    );
    expect((await look([tcp()], { remote })).readings[0]?.verdict).toBe(verdict);
  });

  it('dials as seen from the machine', async () => {
    const server = await tcpServer(() => {});
    const asked: string[] = [];
    const remote = fakeRemote(
      () => exited(0),
      async (machine, host, port) => {
        asked.push(`${machine.name}: ${host} ${port}`);
        return ok(channelTo(server.port));
      },
    );
    expect((await look([tcp()], { remote, clock: realClock })).verdict).toBe('healthy');
    expect(asked).toEqual(['grey-area: localhost 5432']);
    server.close();
  });
});

describe('a command check', () => {
  it('runs on the machine, in a shell, as the ssh user', async () => {
    const remote = fakeRemote(() => exited(0, 'all\nfine\n'));
    const report = await look([command({ command: 'zpool status -x | grep healthy' })], { remote });
    expect(remote.calls[0]?.argv).toEqual(['sh', '-c', 'zpool status -x | grep healthy']);
    expect(remote.calls[0]?.options.asRoot).toBeUndefined();
    expect(report.readings[0]).toMatchObject({ verdict: 'passed', evidence: 'exit 0: fine' });
  });

  it('runs where lab runs when it is to come from the orchestrator', async () => {
    const report = await look([command({ from: 'orchestrator', command: 'echo "$((6 * 7))"; exit 3' })]);
    expect(report.readings[0]).toMatchObject({ verdict: 'failed', evidence: 'exit 3: 42' });
  });

  it('shows nothing on the screen that the machine should not be able to show', async () => {
    const remote = fakeRemote(() =>
      exited(1, '', `\u001b[2J\u001b]0;owned\u0007${'x'.repeat(5_000)}\u202e\n`),
    );
    const [reading] = (await look([command()], { remote })).readings;
    expect(reading?.evidence).toMatch(/^exit 1: x{200,}…$/);
    expect(reading?.evidence.length).toBeLessThanOrEqual(240);
  });

  it.each([
    [
      'does not end',
      lost({ kind: 'timeout', phase: 'exec', dispatched: true }),
      'failed',
      'no end within 10 s',
    ],
    ['is killed', exited(null), 'failed', 'ended by KILL'],
    ['is cut off', lost({ kind: 'disconnected', phase: 'exec', message: 'lost' }), 'unknown', 'lost'],
  ])('that %s', async (_what, answer, verdict, evidence) => {
    const report = await look([command()], { remote: fakeRemote(() => answer) });
    expect(report.readings[0]).toMatchObject({ verdict, evidence });
  });

  it('fails here too when it does not end', async () => {
    const report = await look([command({ from: 'orchestrator', command: 'sleep 60', timeoutSeconds: 1 })], {
      clock: realClock,
    });
    expect(report.readings[0]).toMatchObject({ verdict: 'failed', evidence: 'no end within 1 s' });
  });
});

describe('a systemd check', () => {
  const shown = (...lines: readonly string[]) => exited(0, `${lines.join('\n')}\n`);
  it.each([
    [
      'active',
      shown('LoadState=loaded', 'ActiveState=active', 'SubState=running', 'Result=success'),
      'passed',
      'active (running)',
    ],
    [
      'failed',
      shown(
        'LoadState=loaded',
        'ActiveState=failed',
        'SubState=failed',
        'Result=exit-code',
        'ExecMainStatus=3',
      ),
      'failed',
      'failed (failed), exit-code 3',
    ],
    [
      'not there',
      shown('LoadState=not-found', 'ActiveState=inactive', 'SubState=dead'),
      'failed',
      'no such unit',
    ],
    [
      'masked',
      shown('LoadState=masked', 'ActiveState=inactive', 'SubState=dead'),
      'failed',
      'inactive (dead), masked',
    ],
    [
      'starting over and over',
      shown('LoadState=loaded', 'ActiveState=activating', 'SubState=auto-restart', 'Result=success'),
      'failed',
      'activating (auto-restart)',
    ],
    ['not told', exited(0, ''), 'unknown', 'systemctl did not tell the state of the unit'],
    [
      'not to be asked',
      exited(1, '', 'Failed to connect to bus\n'),
      'unknown',
      'systemctl does not answer: Failed to connect to bus',
    ],
  ])('whose unit is %s', async (_what, answer, verdict, evidence) => {
    const remote = fakeRemote(() => answer);
    const report = await look([systemd()], { remote });
    expect(report.readings[0]).toMatchObject({ verdict, evidence });
    expect(remote.calls[0]?.argv).toEqual([
      'systemctl',
      'show',
      '--property=LoadState,ActiveState,SubState,Result,ExecMainStatus',
      '--',
      'caddy.service',
    ]);
  });
});
