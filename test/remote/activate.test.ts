import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActivateRequest } from '../../src/ports.ts';
import { activate } from '../../src/remote/activate.ts';
import {
  clearScript,
  outcomeOf,
  parseUnit,
  phaseOf,
  readScript,
  unitScript,
} from '../../src/remote/activation-unit.ts';
import { startScript } from '../../src/remote/start-unit.ts';
import { detachedRunner } from '../../src/remote/unit-functions.ts';
import { leapingClock } from './clocks.ts';
import { answered, answersInTurn, exited, fakeRemote, lost, lostMidway } from './fake-remote.ts';
import { addToplevel, hashed, type LocalMachine, localMachine } from './local-machine.ts';
import { claim, claimWords, machineNamed } from './machine.ts';

const machine = machineNamed('grey-area');
const toplevel = hashed('a', 'nixos-system-test');
const unit = 'lab-activate-switch-20260101-120000-beef';
const request = (set: Partial<ActivateRequest> = {}): ActivateRequest => ({
  claim,
  toplevel,
  mode: 'switch',
  unit,
  deadlineMs: 60_000,
  ...set,
});

describe('an activation, with its scripts in a real shell', () => {
  let local: LocalMachine;
  const profile = '/nix/var/nix/profiles/system';
  const go = (set: Partial<ActivateRequest> = {}, said: string[] = []) =>
    activate({ remote: local.remote, clock: leapingClock() }, machine, request(set), {
      onProgress: (line) => said.push(line),
    });
  beforeEach(() => {
    local = localMachine();
    local.write('/nix/var/nix/profiles/keep', '');
  });
  afterEach(() => local.remove());

  it.each(['switch', 'boot'] as const)('sets the profile, then activates: %s', async (mode) => {
    addToplevel(local, 'a', `echo "activating $1 from $(readlink -f ${local.path(profile)})"`);
    const said: string[] = [];
    expect(await go({ mode }, said)).toEqual({ kind: 'live' });
    expect(said).toEqual([`activating ${mode} from ${toplevel}`]);
    // A supervisor outlives what the kernel ends beside it.
    expect(local.played('systemd-run.argv')).toContain('--property=OOMPolicy=continue\n');
    // Nor does who isolates another target (`systemctl default`, after a rescue) leave what is live without its supervisor.
    expect(local.played('systemd-run.argv')).toContain('--property=IgnoreOnIsolate=yes\n');
  });

  it.each(['test', 'dry-activate'] as const)('leaves the profile alone: %s', async (mode) => {
    addToplevel(local, 'a', `echo "activating $1"; [ ! -e ${local.path(profile)} ]`);
    expect(await go({ mode })).toEqual({ kind: 'live' });
  });

  it('leaves no unit behind, whatever came of it', async () => {
    for (const code of [0, 1, 2, 4, 100, 7]) {
      addToplevel(local, 'b', `exit ${code}`);
      const outcome = await go({ toplevel: hashed('b', 'nixos-system-test') });
      expect(outcome.kind).toBe(
        code === 0 ? 'live' : code === 4 ? 'live-units-failed' : code === 100 ? 'needs-reboot' : 'refused',
      );
      expect(() => local.played(`units/${unit}.service/exit`)).toThrow('ENOENT');
      local.remove();
      local = localMachine();
      local.write('/nix/var/nix/profiles/keep', '');
    }
  });

  it('unloads what is left of an earlier activation, and nothing that still runs', async () => {
    addToplevel(local, 'a');
    const [ended, running] = ['lab-activate-switch-dead', 'lab-restore-test-live'];
    // Somebody killed its supervisor, and nobody came to read that: the machine would look degraded for ever.
    const killed = 'lab-activate-switch-killed';
    local.play(`units/${killed}.service/description`, 'lab switch');
    local.play(`units/${killed}.service/success`, '0 1');
    local.play(`units/${killed}.service/exit`, '137');
    local.play(`units/${ended}.service/description`, 'lab switch');
    local.play(`units/${ended}.service/exit`, '0');
    local.play(`units/${running}.service/description`, 'lab test');
    expect(await go()).toEqual({ kind: 'live' });
    for (const gone of [ended, killed])
      expect(() => local.played(`units/${gone}.service/description`)).toThrow('ENOENT');
    expect(local.played(`units/${running}.service/description`)).toBe('lab test');
  });

  it('names the units that failed in a generation that is live', async () => {
    addToplevel(local, 'a', `echo "warning: the following units failed: nginx.service, foo.service"; exit 4`);
    expect(await go()).toEqual({
      kind: 'live-units-failed',
      units: ['nginx.service', 'foo.service'],
      log: ['warning: the following units failed: nginx.service, foo.service'],
    });
  });

  it('is read also where one entry of the journal holds more lines than any answer may', async () => {
    addToplevel(local, 'a', 'seq 1 9000; exit 4');
    local.play('failed', 'mount.mount\n');
    expect(await go()).toMatchObject({ kind: 'live-units-failed', units: ['mount.mount'] });
  });

  it('asks systemd for the failed units when the log names none', async () => {
    local.play('failed', 'mount.mount\n');
    addToplevel(local, 'a', 'exit 4');
    expect(await go()).toMatchObject({ kind: 'live-units-failed', units: ['mount.mount'] });
  });

  it('says so, and shows the last lines, when a check refuses the new generation', async () => {
    addToplevel(local, 'a', 'for i in 1 2 3; do echo "line $i"; done; echo "checks failed" >&2; exit 1');
    expect(await go()).toEqual({
      kind: 'refused',
      code: 1,
      message:
        'a check before the switch refused it (the profile already leads to the new toplevel): checks failed',
      log: ['line 1', 'line 2', 'line 3', 'checks failed'],
    });
  });

  it('is not blinded by an activation that prints without measure', async () => {
    addToplevel(
      local,
      'a',
      'for i in $(seq 150); do head -c 60000 /dev/zero | tr "\\0" x; echo; done; exit 100',
    );
    const outcome = await go();
    expect(outcome.kind).toBe('needs-reboot');
    expect(outcome.kind === 'needs-reboot' && outcome.log).toEqual(Array(60).fill('x'.repeat(1_000)));
  });

  it('does not touch the profile for a toplevel that is not there', async () => {
    expect(await go()).toMatchObject({
      kind: 'refused',
      code: 91,
      log: [`${toplevel} is not on this machine`],
    });
  });

  it('does not activate what is no system', async () => {
    local.write(`${toplevel}/hello`, '');
    expect(await go()).toMatchObject({ kind: 'refused', code: 92 });
  });

  it('does not activate when the profile cannot be set', async () => {
    local.play('profile-read-only', '');
    addToplevel(local, 'a', 'echo activated');
    expect(await go()).toMatchObject({ kind: 'refused', code: 93, log: ['error: cannot write the profile'] });
  });

  it('follows the unit of an earlier attempt instead of starting a second', async () => {
    addToplevel(local, 'a', 'echo "second attempt"');
    local.play(`units/${unit}.service/description`, local.path(`lab switch ${toplevel}`));
    local.play(`units/${unit}.service/success`, '0 100');
    local.play(`units/${unit}.service/exit`, '100');
    local.play('log', 'first attempt\n');
    expect(await go()).toEqual({ kind: 'needs-reboot', log: ['first attempt'] });
    expect(() => local.played('started')).toThrow('ENOENT');
  });

  it('keeps off a unit of the same name that does something else', async () => {
    local.play(`units/${unit}.service/description`, 'lab switch /nix/store/other');
    local.play(`units/${unit}.service/success`, '0');
    expect(await go()).toEqual({
      kind: 'refused',
      code: null,
      message: `${unit}.service on grey-area belongs to something else: lab switch /nix/store/other`,
      log: [],
    });
    expect(local.played(`units/${unit}.service/success`)).toBe('0');
  });

  it('says why systemd refused', async () => {
    local.play('systemd-refuses', '');
    expect(await go()).toMatchObject({
      kind: 'refused',
      message: `grey-area refused the unit ${unit}: Failed to start transient unit: Access denied`,
    });
  });
});

const started = answered('start', 'outcome=started');
const state = (active: string, sub: string, ...more: readonly string[]) =>
  answered('unit', 'LoadState=loaded', `ActiveState=${active}`, `SubState=${sub}`, ...more);
const running = state('active', 'running', 'Result=success', 'ExecMainCode=0', 'ExecMainStatus=0');
const ended = (status: number, ...log: readonly string[]) =>
  state('active', 'exited', 'Result=success', 'ExecMainCode=1', `ExecMainStatus=${status}`, ...log);
const cleared = answered('clear', 'state=not-found');

describe('an activation over a connection that fails', () => {
  const go = async (
    remote: ReturnType<typeof fakeRemote>,
    set: Partial<ActivateRequest> = {},
    signal?: AbortSignal,
  ) => {
    const clock = leapingClock();
    const said: string[] = [];
    const outcome = await activate({ remote, clock }, machine, request(set), {
      onProgress: (line) => said.push(line),
      ...(signal === undefined ? {} : { signal }),
    });
    return { outcome, said, clock };
  };

  it('is three commands as root when all goes well: start, read, clear', async () => {
    const remote = fakeRemote(answersInTurn(started, running, ended(0), cleared));
    expect((await go(remote)).outcome).toEqual({ kind: 'live' });
    expect(remote.calls.map(({ argv }) => argv)).toEqual([
      [
        'sh',
        '-c',
        startScript,
        'sh',
        '',
        ...claimWords(machine.name),
        unit,
        `lab switch ${toplevel}`,
        detachedRunner,
        '',
        '',
        unitScript,
        toplevel,
        'switch',
        '',
        '30',
      ],
      ['sh', '-c', readScript, 'sh', unit, ''],
      ['sh', '-c', readScript, 'sh', unit, ''],
      ['sh', '-c', clearScript, 'sh', unit],
    ]);
    expect(remote.calls.every(({ options }) => options.asRoot === true && options.deadlineMs <= 30_000)).toBe(
      true,
    );
  });

  it('reads on after a full reading before it tells the end, also where lines of it are empty', async () => {
    const full = [...Array(99).fill('log=stopping units'), ...Array(101).fill('log=')];
    const remote = fakeRemote(
      answersInTurn(
        started,
        ended(4, ...full, 'log=-- cursor: s=abc;i=1'),
        ended(4, 'log=warning: the following units failed: caddy.service', 'log=-- cursor: s=abc;i=2'),
        cleared,
      ),
    );
    expect((await go(remote)).outcome).toMatchObject({ kind: 'live-units-failed', units: ['caddy.service'] });
  });

  it('goes on where the log ended, over a new connection, after losing one', async () => {
    const remote = fakeRemote(
      answersInTurn(
        started,
        state('active', 'running', 'ExecMainCode=0', 'log=stopping units', 'log=-- cursor: s=abc;i=1'),
        lostMidway(),
        lost(),
        ended(0, 'log=starting units', 'log=-- cursor: s=abc;i=2'),
        cleared,
      ),
    );
    const { outcome, said } = await go(remote);
    expect(outcome).toEqual({ kind: 'live' });
    expect(said).toEqual([
      'stopping units',
      'connection lost, the activation goes on: the connection was lost',
      'starting units',
    ]);
    expect(remote.calls.slice(1, 5).map(({ argv }) => argv.at(-1))).toEqual([
      '',
      's=abc;i=1',
      's=abc;i=1',
      's=abc;i=1',
    ]);
    expect(remote.forgotten).toEqual(['grey-area', 'grey-area']);
  });

  it('asks again after a start whose answer was lost, and finds its unit there', async () => {
    const existing = answered('start', 'outcome=existing', `description=lab switch ${toplevel}`);
    const remote = fakeRemote(answersInTurn(lostMidway(), existing, ended(0), cleared));
    expect((await go(remote)).outcome).toEqual({ kind: 'live' });
  });

  it('was not started when no command went out, and is unknown when one may have', async () => {
    expect((await go(fakeRemote(() => lost()))).outcome).toMatchObject({
      kind: 'refused',
      code: null,
      message: 'the activation was not started on grey-area: connection refused by host.example',
    });
    const remote = fakeRemote((_call, count) => (count === 1 ? lostMidway() : lost()));
    expect((await go(remote)).outcome).toMatchObject({ kind: 'unknown' });
    expect(remote.calls).toHaveLength(5);
  });

  it.each([
    ['sudo', exited(1, '', 'sudo: a password is required')],
    ['systemd', answered('start', 'outcome=refused', 'message=Failed to connect to bus')],
    ['the lock of its lease', answered('start', 'fence=unlocked')],
  ])(
    'that may have begun is not called one that never did because it keeps %s from answering',
    async (_by, busy) => {
      const existing = answered('start', 'outcome=existing', `description=lab switch ${toplevel}`);
      const passing = fakeRemote(answersInTurn(lostMidway(), busy, existing, ended(0), cleared));
      expect((await go(passing)).outcome).toEqual({ kind: 'live' });
      const lasting = fakeRemote((_call, count) => (count === 1 ? lostMidway() : busy));
      expect((await go(lasting)).outcome).toMatchObject({ kind: 'unknown' });
      expect((await go(fakeRemote(() => busy))).outcome).toMatchObject({ kind: 'refused', notStarted: true });
    },
  );

  it('gives up at once over a host key, which no waiting mends', async () => {
    const changed = lost({ kind: 'hostkey-mismatch', retryable: false, message: 'another host key' });
    const before = fakeRemote(() => changed);
    expect((await go(before)).outcome).toMatchObject({ kind: 'refused' });
    expect(before.calls).toHaveLength(1);
    const after = fakeRemote(answersInTurn(started, changed));
    expect((await go(after)).outcome).toEqual({
      kind: 'unknown',
      message: `${unit}.service goes on unseen: another host key`,
    });
  });

  it('is unknown at the deadline, and leaves the unit to a later look', async () => {
    const remote = fakeRemote((_call, count) => (count === 1 ? started : running));
    const { outcome, clock } = await go(remote, { deadlineMs: 20_000 });
    expect(outcome).toEqual({
      kind: 'unknown',
      message: `${unit}.service goes on on grey-area: no end within 20 s`,
    });
    expect(clock.now()).toBe(1_020_000);
    expect(remote.calls.some(({ argv }) => argv[2] === clearScript)).toBe(false);
  });

  it('is followed no longer than a machine that nobody sees waits for a word and takes to return', async () => {
    const supervision = { confirmWithinMs: 60_000, recorded: { current: null, profile: null } };
    const unseen = fakeRemote((_call, count) => (count <= 2 ? (count === 1 ? started : running) : lost()));
    const { outcome, clock } = await go(unseen, { deadlineMs: 30 * 60_000, supervision });
    expect(outcome).toMatchObject({
      kind: 'unknown',
      message: expect.stringContaining('could not be read for 36'),
    });
    expect(clock.now()).toBeLessThan(1_000_000 + 6.5 * 60_000);
  });

  it('was not started where nobody can be root', async () => {
    const sudo = exited(1, '', 'sudo: a password is required');
    expect((await go(fakeRemote(() => sudo))).outcome).toMatchObject({ kind: 'refused', notStarted: true });
    const told = exited(1, 'lab-start\n', 'sudo: a password is required');
    expect((await go(fakeRemote(() => told))).outcome).not.toMatchObject({ notStarted: true });
  });

  it('is followed through a moment without root, as when it replaces sudo, and not through minutes', async () => {
    const sudo = exited(1, '', 'sudo: a password is required');
    const supervision = { confirmWithinMs: 360_000, recorded: { current: null, profile: null } };
    const back = fakeRemote(answersInTurn(started, running, sudo, sudo, sudo, ended(0), cleared));
    expect((await go(back)).outcome).toEqual({ kind: 'live' });
    const gone = fakeRemote((_call, count) => (count <= 2 ? (count === 1 ? started : running) : sudo));
    const { outcome, clock } = await go(gone, { deadlineMs: 30 * 60_000, supervision });
    expect(outcome).toEqual({
      kind: 'unknown',
      message: `${unit}.service goes on unseen: exit 1: sudo: a password is required`,
    });
    expect(clock.now()).toBeLessThan(1_000_000 + 20_000);
  });

  it('is unknown when the machine rebooted under it', async () => {
    const gone = answered('unit', 'LoadState=not-found', 'ActiveState=inactive', 'SubState=dead');
    expect((await go(fakeRemote(answersInTurn(started, running, gone)))).outcome).toMatchObject({
      kind: 'unknown',
    });
  });

  it('is refused when something killed it', async () => {
    const killed = state(
      'failed',
      'failed',
      'Result=oom-kill',
      'ExecMainCode=2',
      'ExecMainStatus=9',
      'log=half way',
    );
    expect((await go(fakeRemote(answersInTurn(started, killed, cleared)))).outcome).toEqual({
      kind: 'refused',
      code: null,
      message: 'the activation died: it was killed by signal 9 (oom-kill)',
      log: ['half way'],
    });
  });

  it('stays known when the tidying fails', async () => {
    const remote = fakeRemote((_call, count) => (count === 1 ? started : count === 2 ? ended(0) : lost()));
    expect((await go(remote)).outcome).toEqual({ kind: 'live' });
    expect(remote.calls).toHaveLength(5);
  });

  it('ends soon when nobody waits any more, and lets the unit go on', async () => {
    const abort = new AbortController();
    const remote = fakeRemote((_call, count) => {
      if (count === 3) abort.abort();
      return count === 1 ? started : running;
    });
    expect((await go(remote, {}, abort.signal)).outcome).toMatchObject({ kind: 'unknown' });
    expect(remote.calls).toHaveLength(3);
  });

  it('says so when sudo refuses', async () => {
    const remote = fakeRemote(() => exited(1, '', 'sudo: a password is required\n'));
    expect((await go(remote)).outcome).toMatchObject({
      kind: 'refused',
      message: 'the activation was not started on grey-area: exit 1: sudo: a password is required',
    });
  });

  it.each([
    { toplevel: '/nix/store/short-x' },
    { toplevel: `${toplevel}/bin` },
    { toplevel: `${toplevel}\nrm` },
    { toplevel: '/etc/passwd' },
    { unit: '-x' },
    { unit: 'a/b' },
    { unit: 'a.service' },
  ])('sends nothing for %o', async (set) => {
    const remote = fakeRemote(() => exited(0));
    expect((await go(remote, set)).outcome).toMatchObject({ kind: 'refused', code: null });
    expect(remote.calls).toEqual([]);
  });
});

describe('reading a unit', () => {
  it('never throws over what a machine prints, and never takes it for a success', () => {
    const key = fc.constantFrom('LoadState', 'ActiveState', 'SubState', 'ExecMainCode', 'log', 'failed');
    const line = fc.oneof(
      fc.string(),
      fc.tuple(key, fc.string()).map((pair) => pair.join('=')),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const answer = answered('unit', ...lines);
        const reading = answer.ok ? parseUnit(answer.value) : '';
        if (typeof reading === 'string') return;
        const phase = phaseOf(reading);
        // A success needs `loaded`, an end, code 1 and status 0: chance does not write all of that.
        expect(phase.kind === 'ended' && outcomeOf(phase.status, 'switch', [], []).kind === 'live').toBe(
          false,
        );
      }),
    );
  });
});
