import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fail, ok } from '../../src/failure.ts';
import type { ActivateOutcome, ActivationMode, Reachable, Remote } from '../../src/ports.ts';
import { activate } from '../../src/remote/activate.ts';
import { observe } from '../../src/remote/observe.ts';
import { preflight } from '../../src/remote/preflight.ts';
import { triggerReboot } from '../../src/remote/reboot.ts';
import { quoteForRemoteShell } from '../../src/ssh/quote.ts';
import type { TestFleet } from '../fleet/fleet.ts';
import { namespacesAvailable, startInNamespaces } from '../fleet/namespaces.ts';
import { realClock } from '../remote/clocks.ts';
import { sshError } from '../remote/fake-remote.ts';
import { machineNamed } from '../remote/machine.ts';

/** What `lab` says to machines, said to a real systemd: as an ordinary user with sudo, through OpenSSH. */

const available = await namespacesAvailable();
if (!available.ok) {
  process.stderr.write(
    `\n*** WHAT LAB SAYS TO MACHINES IS NOT TESTED ON A REAL SYSTEMD: ${available.reason}.\n*** Its tests count as skipped below.\n\n`,
  );
}

const machine = machineNamed('app');
const deadlineMs = 60_000;

describe.skipIf(!available.ok)('a machine with a real systemd', () => {
  let fleet: TestFleet;
  let remote: Remote;
  beforeAll(async () => {
    fleet = await startInNamespaces({ hosts: ['app'] });
    remote = throughOpenSsh(fleet);
    await fleet.waitUntilUp('app');
  });
  afterAll(async () => fleet?.down());

  const clock = realClock;
  const seen = async (): Promise<Reachable> => {
    const observation = await observe({ remote, clock }, machine, { deadlineMs });
    if (observation.kind === 'unreachable') throw new Error(observation.error.message);
    return observation;
  };
  /** A system whose activation is `body`, in the machine's own store. */
  const toplevel = async (name: string, body: string): Promise<string> => {
    const script = `#!/bin/sh\n${body}\n`;
    const make = `mkdir -p /tmp/${name}/bin && cat >/tmp/${name}/bin/switch-to-configuration && chmod +x /tmp/${name}/bin/* && nix-store --add /tmp/${name}`;
    return (await fleet.exec('app', ['sh', '-c', make], { stdin: script })).stdout.trim();
  };
  const claim = { run: '20260101-120000-beef', owner: 'alice@desk', ttlMs: 600_000 };
  let units = 0;
  const go = async (path: string, mode: ActivationMode, said: string[] = []): Promise<ActivateOutcome> => {
    units += 1;
    const outcome = await activate(
      { remote, clock },
      machine,
      { claim, toplevel: path, mode, unit: `lab-test-${units}`, deadlineMs: 180_000 },
      { onProgress: (line) => said.push(line) },
    );
    const left = await fleet.exec('app', [
      'systemctl',
      'list-units',
      '--all',
      '--plain',
      '--no-legend',
      'lab-test-*',
    ]);
    expect(left.stdout).toBe('');
    expect((await seen()).state).toBe('running');
    return outcome;
  };

  test('is observed, and has root and room', async () => {
    expect(await seen()).toMatchObject({
      state: 'running',
      failedUnits: [],
      kernelRelease: expect.any(String),
    });
    expect(await preflight(remote, machine, { deadlineMs })).toMatchObject({
      ok: true,
      value: { root: true, nixFreeBytes: expect.any(Number), inhibitors: [] },
    });
  });

  test('tells who blocks its shutdown', async () => {
    const why = ['--what=shutdown:sleep', '--who=back up', '--why=it runs', '--mode=block'];
    await fleet.exec('app', ['systemd-run', '--unit=backup', 'systemd-inhibit', ...why, 'sleep', '60']);
    await vi.waitFor(
      async () =>
        expect(await preflight(remote, machine, { deadlineMs })).toMatchObject({
          value: { inhibitors: ['back up: it runs'] },
        }),
      { timeout: deadlineMs },
    );
    await fleet.exec('app', ['systemctl', 'stop', 'backup']);
  });

  test('names the failed units of a degraded system', async () => {
    await fleet.fault('app', 'failed-unit', 'lab-broken.service');
    expect(await seen()).toMatchObject({ state: 'degraded', failedUnits: ['lab-broken.service'] });
    await fleet.clearFaults('app');
    expect(await seen()).toMatchObject({ state: 'running', failedUnits: [] });
  });

  test('switches, through a reload of systemd in the middle, and tells what the activation printed', async () => {
    const path = await toplevel(
      'good',
      `echo "mode $1 100%x"; systemctl daemon-reload; sleep 0.3; echo "done"`,
    );
    const said: string[] = [];
    expect(await go(path, 'switch', said)).toEqual({ kind: 'live' });
    expect(said).toEqual(['mode switch 100%x', 'done']);
    expect(await seen()).toMatchObject({ profile: path });
  });

  test.each<[string, ActivationMode, ActivateOutcome]>([
    [
      'echo "warning: the following units failed: a.service, b.service"; exit 4',
      'test',
      {
        kind: 'live-units-failed',
        units: ['a.service', 'b.service'],
        log: ['warning: the following units failed: a.service, b.service'],
      },
    ],
    ['echo needs a reboot; exit 100', 'boot', { kind: 'needs-reboot', log: ['needs a reboot'] }],
    [
      'kill -KILL $$',
      'test',
      {
        kind: 'refused',
        code: null,
        message: 'the activation died: it was killed by signal 9 (signal)',
        log: [],
      },
    ],
    [
      'echo broken >&2; systemctl daemon-reexec; exit 2',
      'dry-activate',
      { kind: 'refused', code: 2, message: 'the activation script failed', log: ['broken'] },
    ],
  ])('whose activation does `%s`', async (body, mode, outcome) => {
    expect(await go(await toplevel(`body-${units}`, body), mode)).toEqual(outcome);
  });

  test('goes on with its activation while the cable is out, and is believed afterwards', async () => {
    const path = await toplevel(
      'cable',
      'echo begun; while [ ! -e /run/go-on ]; do sleep 0.1; done; echo ended',
    );
    const said: string[] = [];
    const outcome = go(path, 'switch', said);
    await vi.waitFor(() => expect(said).toEqual(['begun']), { timeout: deadlineMs });
    await fleet.fault('app', 'link-down');
    await vi.waitFor(() => expect(said.length).toBeGreaterThan(1), { timeout: deadlineMs });
    await fleet.exec('app', ['touch', '/run/go-on']);
    await fleet.clearFaults('app');
    expect(await outcome).toEqual({ kind: 'live' });
    expect(said).toEqual([
      'begun',
      expect.stringMatching(/^connection lost, the activation goes on: /),
      'ended',
    ]);
  });

  test('runs an activation once when two ask for it under one name', async () => {
    const path = await toplevel(
      'once',
      'echo ran | tee -a /run/ran; until [ -e /run/ends ]; do sleep 0.1; done; exit 100',
    );
    const request = { claim, toplevel: path, mode: 'test' as const, unit: 'lab-once', deadlineMs: 180_000 };
    const ask = () => {
      const said: string[] = [];
      const outcome = activate({ remote, clock }, machine, request, {
        onProgress: (line) => void said.push(line),
      });
      const follows = () => vi.waitFor(() => expect(said).toEqual(['ran']), { timeout: deadlineMs });
      return { outcome, follows };
    };
    const first = ask();
    await first.follows();
    const second = ask();
    await second.follows();
    await fleet.exec('app', ['touch', '/run/ends']);
    // The one that comes later may find the unit cleared by the other: then it does not know, and says so.
    const kinds = (await Promise.all([first.outcome, second.outcome])).map(({ kind }) => kind);
    expect(kinds).toContain('needs-reboot');
    expect(['needs-reboot', 'unknown']).toEqual(expect.arrayContaining(kinds));
    expect((await fleet.exec('app', ['cat', '/run/ran'])).stdout).toBe('ran\n');
  });

  test('reboots once for one boot id, however often it is asked', async () => {
    const { bootId } = await seen();
    const ask = () =>
      triggerReboot(remote, machine, { claim, bootId, unit: 'lab-reboot-test', deadlineMs }, {});
    const kinds = (await Promise.all([ask(), ask()])).map(({ kind }) => kind);
    expect(kinds).toContain('triggered');
    // The one that comes later may find the machine going down, or up again.
    expect(['triggered', 'probably-triggered', 'already-rebooted']).toEqual(expect.arrayContaining(kinds));
    await vi.waitFor(async () => expect((await seen()).bootId).not.toBe(bootId), {
      timeout: deadlineMs,
      interval: 200,
    });
    expect(await ask()).toEqual({ kind: 'already-rebooted', bootId: (await seen()).bootId });
    expect(await fleet.boots('app')).toBe(2);
  });
});

/** Each command is a login of its own as `lab`; status 255 is ssh's word for itself. */
const throughOpenSsh = (fleet: TestFleet): Remote => ({
  exec: async ({ name }, argv, options) => {
    const command = quoteForRemoteShell(options.asRoot === true ? ['sudo', '-n', ...argv] : argv);
    const login = [
      'ssh',
      '-o',
      'ConnectTimeout=2',
      '-o',
      'ServerAliveInterval=1',
      '-l',
      'lab',
      name,
      command,
    ];
    const end = await fleet.run(login, { deadlineMs: options.deadlineMs });
    if (end.code !== 255 && !end.timedOut) return ok(end);
    return fail(sshError({ message: end.stderr.trim(), dispatched: true }));
  },
  dial: async () => fail(sshError({ phase: 'dial' })),
  forget: () => {},
  close: async () => {},
});
