import { hostname } from 'node:os';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { observe, observeScript, parseObservation } from '../../src/remote/observe.ts';
import { noFacts, StepFacts } from '../../src/run/event.ts';
import { leapingClock } from './clocks.ts';
import { answered, exited, fakeRemote, lost } from './fake-remote.ts';
import { addToplevel, hashed, type LocalMachine, localMachine } from './local-machine.ts';
import { machineNamed } from './machine.ts';

const machine = machineNamed('grey-area');
const bootId = '0f0e0d0c-0b0a-4908-8706-050403020100';
const ask = (remote: ReturnType<typeof fakeRemote>, fresh = false) =>
  observe({ remote, clock: leapingClock() }, machine, { deadlineMs: 10_000, fresh });

describe('observing a machine, with the script in a real shell', () => {
  let local: LocalMachine;
  beforeEach(() => {
    local = localMachine();
  });
  afterEach(() => local.remove());

  it('reads all there is of a NixOS machine', async () => {
    const [old, next] = [addToplevel(local, 'a'), addToplevel(local, 'b')];
    local.link('/run/booted-system', old);
    local.link('/run/current-system', next);
    local.link('/nix/var/nix/profiles/system-42-link', next);
    local.link('/nix/var/nix/profiles/system', '/nix/var/nix/profiles/system-42-link');
    local.play('state', 'degraded\n');
    local.play('failed', 'nginx.service\ndev-disk-by\\x2dlabel.mount\n');
    const parts = (letter: string) => ({
      kernel: `${hashed(letter, 'kernel')}/file`,
      initrd: hashed(letter, 'initrd'),
      modules: hashed(letter, 'kernel-modules'),
      systemd: hashed(letter, 'systemd'),
      params: 'quiet root=/dev/vda loglevel=4',
    });
    expect(await ask(local.remote)).toEqual({
      kind: 'reachable',
      machine: 'grey-area',
      at: 1_000_000,
      bootId,
      hostName: hostname(),
      uptimeSeconds: 4711.42,
      initSeconds: 4_700,
      state: 'degraded',
      failedUnits: ['nginx.service', 'dev-disk-by\\x2dlabel.mount'],
      booted: old,
      current: next,
      profile: next,
      generation: 42,
      kernelRelease: expect.stringMatching(/^\d+\./),
      nixosVersion: '25.11.20260101.abcdef',
      bootedParts: parts('a'),
      profileParts: parts('b'),
    });
  });

  it('reads a machine that is no NixOS: what is missing is null, not wrong', async () => {
    const seen = await ask(local.remote);
    expect(seen).toMatchObject({
      kind: 'reachable',
      booted: null,
      current: null,
      profile: null,
      generation: null,
    });
    expect(seen).toMatchObject({
      nixosVersion: null,
      bootedParts: { kernel: null, initrd: null, modules: null, systemd: null, params: null },
    });
  });

  it('takes a link that leads nowhere for nothing', async () => {
    local.link('/run/booted-system', hashed('c', 'collected'));
    expect(await ask(local.remote)).toMatchObject({ kind: 'reachable', booted: null });
  });

  it.each([
    '--failed',
    '--state=auto-restart',
    '--property=Result',
    '--property=Id,Restart,NRestarts,ExecMainStartTimestampMonotonic',
  ])('does not take it for well where systemd gives no answer to %s', async (mute) => {
    local.write('/sys/fs/cgroup/system.slice/fresh.service/cgroup.procs', '');
    local.play('restarting', 'caddy.service exit-code\n');
    local.play('mute', mute);
    expect(await ask(local.remote)).toMatchObject({ kind: 'reachable', state: 'unknown' });
  });

  it('counts a unit as failed that dies and is started again for ever, and not one that ends well each time', async () => {
    local.play('state', 'running\n');
    local.play('failed', 'nginx.service\n');
    local.play('restarting', 'looper.service exit-code\npoller.service success\nkilled.service oom-kill\n');
    expect(await ask(local.remote)).toMatchObject({
      state: 'running',
      failedUnits: ['nginx.service', 'looper.service', 'killed.service'],
    });
  });

  it('counts one as failed that was started again for its failure a moment ago, though it is up', async () => {
    const unit = (name: string, restart: string, times: number, upSeconds: number): void => {
      local.write(`/sys/fs/cgroup/system.slice/${name}/cgroup.procs`, '');
      const began = Math.round((4711.42 - upSeconds) * 1_000_000);
      local.play(
        `again/${name}`,
        `Restart=${restart}\nNRestarts=${times}\nExecMainStartTimestampMonotonic=${began}\nId=${name}\n`,
      );
    };
    unit('dies.service', 'on-failure', 900, 3);
    unit('abort@x.service', 'on-abort', 1, 29);
    unit('recovered.service', 'on-failure', 1, 31);
    unit('fresh.service', 'on-failure', 0, 3);
    // May well have ended well.
    unit('poller.service', 'always', 900, 3);
    unit('again.service', 'on-success', 900, 3);
    const seen = await ask(local.remote);
    expect(seen).toMatchObject({ state: 'running' });
    expect(seen.kind === 'reachable' && [...seen.failedUnits].sort()).toEqual([
      'abort@x.service',
      'dies.service',
    ]);
  });

  it('tells that PID 1 is no systemd by what is not there, not by an answer that did not come', async () => {
    local.play('state', 'offline\n');
    expect(await ask(local.remote)).toMatchObject({ state: 'unknown' });
    local.play('state', '');
    expect(await ask(local.remote)).toMatchObject({ state: 'unknown' });
    const other = localMachine({ systemd: false });
    expect(await ask(other.remote)).toMatchObject({ kind: 'reachable', state: 'offline', failedUnits: [] });
    other.remove();
  });

  it('is not reachable for us when its boot id is not a UUID', async () => {
    local.write('/proc/sys/kernel/random/boot_id', 'cat: Input/output error\n');
    expect(await ask(local.remote)).toMatchObject({
      kind: 'unreachable',
      error: {
        kind: 'protocol',
        message: 'grey-area gave no usable answer to an observation: its boot id is not a UUID',
      },
    });
  });
});

describe('what counts as an answer', () => {
  const good = answered('observe', `boot-id=${bootId}`, 'uptime=1.00 1.00', 'state=running');

  const stat = (name: string, began: string) => `1 (${name}) S 0 1 1 0 -1 ${'0 '.repeat(13)}${began} 99 0`;
  it.each<[string, number | null, string, ...string[]]>([
    ['of a machine that booted a while ago', 9_990, 'uptime=10000.00 1', `init=${stat('systemd', '1000')}`],
    ['of a container, whose uptime is its host’s', 60, 'uptime=10000.00 1', `init=${stat('init', '994000')}`],
    ['whose name holds what fields are made of', 99.5, 'uptime=100.00 1', `init=${stat(') S (x y', '50')}`],
    ['that began with the boot', 100, 'uptime=100.00 1', `init=${stat('systemd', '0')}`],
    ['that began after it was asked', null, 'uptime=100.00 1', `init=${stat('systemd', '10100')}`],
    ['that began at no time', null, 'uptime=100.00 1', `init=${stat('systemd', '-5')}`],
    ['that began at a time in words', null, 'uptime=100.00 1', `init=${stat('systemd', 'yesterday')}`],
    ['of a line that ends early', null, 'uptime=100.00 1', 'init=1 (systemd) S 0'],
    ['of an empty line', null, 'uptime=100.00 1', 'init='],
    ['that is not told', null, 'uptime=100.00 1'],
  ])('knows the age of a PID 1 %s: %s s', async (_, seconds, ...lines) => {
    const seen = await ask(fakeRemote(() => answered('observe', `boot-id=${bootId}`, ...lines)));
    expect(seen).toMatchObject({ kind: 'reachable', initSeconds: seconds });
  });

  it('runs one script that holds no variable part, as the ssh user', async () => {
    const remote = fakeRemote(() => good);
    await ask(remote);
    expect(remote.calls.map(({ argv }) => argv)).toEqual([['sh', '-c', observeScript]]);
    expect(remote.calls[0]?.options).toMatchObject({ deadlineMs: 10_000, idempotent: true });
    expect(remote.calls[0]?.options.asRoot).toBeUndefined();
    expect(remote.forgotten).toEqual([]);
  });

  it('drops the pooled connection first when the observation has to be fresh', async () => {
    const remote = fakeRemote(() => good);
    await ask(remote, true);
    expect(remote.forgotten).toEqual(['grey-area']);
  });

  it('passes over what a login shell prints before', () => {
    const { value } = good as { value: { stdout: string } };
    const noisy = exited(0, `Welcome!\nboot-id=ffffffff-0000-0000-0000-000000000000\n${value.stdout}`);
    expect(noisy.ok && parseObservation(noisy.value)).toMatchObject({ bootId, state: 'running' });
  });

  it.each([
    [
      'exit 1, as from a shell that dies with its machine',
      exited(1, `lab-observe\nboot-id=${bootId}\nuptime=1.00 1\nlab-end\n`),
    ],
    ['a signal', exited(null, `lab-observe\nboot-id=${bootId}\nuptime=1.00 1\nlab-end\n`)],
    ['an answer that was cut short', exited(0, `lab-observe\nboot-id=${bootId}\nuptime=1.00 1\n`)],
    ['no answer at all', exited(0, '')],
    ['an uptime in words', answered('observe', `boot-id=${bootId}`, 'uptime=long')],
    ['an empty boot id', answered('observe', 'boot-id=', 'uptime=1.00 1')],
    ['a boot id with something after it', answered('observe', `boot-id=${bootId} `, 'uptime=1.00 1')],
  ])('does not count: %s', async (_what, answer) => {
    expect(await ask(fakeRemote(() => answer))).toMatchObject({
      kind: 'unreachable',
      error: { kind: 'protocol' },
    });
  });

  it('hands on what a shell says that is none (nologin says it on stdout)', async () => {
    const refused = exited(1, 'This account is currently not available.\n');
    expect(await ask(fakeRemote(() => refused))).toMatchObject({
      kind: 'unreachable',
      error: {
        message:
          'grey-area gave no usable answer to an observation: exit 1: This account is currently not available.',
      },
    });
  });

  it('hands on why a machine cannot be reached', async () => {
    expect(await ask(fakeRemote(() => lost({ kind: 'auth' })))).toMatchObject({
      kind: 'unreachable',
      machine: 'grey-area',
      error: { kind: 'auth' },
    });
  });

  it('believes no state that systemd does not have, and no path outside the Nix store', () => {
    const answer = answered(
      'observe',
      `boot-id=${bootId}`,
      'uptime=1.00 1',
      'state=excellent',
      'booted=/etc/passwd',
      `current=${hashed('a', 'x')}\u001b[2J`,
      'generation=../../evil',
      'nixos-version=\u001b]0;title\u0007 24.05',
      'failed=\u001b[31mred.service',
    );
    expect(answer.ok && parseObservation(answer.value)).toMatchObject({
      state: 'unknown',
      booted: null,
      current: null,
      generation: null,
      nixosVersion: '24.05',
      failedUnits: ['red.service'],
    });
  });

  it('gives nothing that the record of a run would not take: an append that throws ends the run', () => {
    const path = fc
      .integer({ min: 1, max: 1_200 })
      .map((length) => hashed('a', `nixos-system-${'x'.repeat(length)}`));
    fc.assert(
      fc.property(path, path, fc.string({ maxLength: 600 }), (current, profile, unit) => {
        const answer = answered(
          'observe',
          `boot-id=${bootId}`,
          'uptime=1.00 1',
          `current=${current}/etc`,
          `profile=${profile}`,
          `failed=${unit.replaceAll('\n', ' ')}`,
        );
        const seen = answer.ok ? parseObservation(answer.value) : 'lost';
        if (typeof seen === 'string') throw new TypeError(seen);
        const { current: runs, profile: boots, failedUnits: units } = seen;
        const facts = {
          ...noFacts,
          bootId: seen.bootId,
          current: runs,
          profile: boots,
          failing: { checks: [], units },
        };
        expect(StepFacts.safeParse(facts).success).toBe(true);
      }),
    );
  });

  it('never throws, and never gives a boot id that is not one, whatever a machine prints', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'lab-observe',
        'lab-end',
        `boot-id=${bootId}`,
        'uptime=1.0 1',
        'generation=system-1-link',
      ),
      fc
        .tuple(fc.constantFrom('boot-id', 'uptime', 'init', 'state', 'booted', 'booted-params'), fc.string())
        .map((x) => x.join('=')),
    );
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom(0, 0, 0, 1, null), (lines, code) => {
        const answer = parseObservation({
          code,
          signal: null,
          stdout: lines.join('\n'),
          stderr: '',
          truncated: false,
        });
        expect(
          typeof answer === 'string' || answer.bootId === bootId || /^[0-9a-f-]{36}$/.test(answer.bootId),
        ).toBe(true);
        if (code !== 0) expect(typeof answer).toBe('string');
      }),
    );
  });
});
