import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ActivateOutcome, ActivateRequest, Verdict } from '../../src/ports.ts';
import { activate } from '../../src/remote/activate.ts';
import { clearScript, readScript } from '../../src/remote/activation-unit.ts';
import { preflight } from '../../src/remote/preflight.ts';
import { settle } from '../../src/remote/settle.ts';
import { settleScript } from '../../src/remote/supervisor.ts';
import { leapingClock, realClock } from './clocks.ts';
import { answered, answersInTurn, exited, fakeRemote, lost, lostMidway } from './fake-remote.ts';
import { hashed, type LocalMachine, localMachine } from './local-machine.ts';
import { claim, claimWords, machineNamed } from './machine.ts';

const machine = machineNamed('grey-area');
const before = hashed('a', 'nixos-system-test');
const after = hashed('b', 'nixos-system-test');
const unit = 'lab-activate-switch-20260101-120000-beef';

describe.each([
  { where: 'in a transient unit', systemd: true },
  { where: 'in a session of its own where there is no systemd', systemd: false },
])('an activation that its machine watches over $where, with its scripts in a real shell', ({ systemd }) => {
  let local: LocalMachine;
  const profile = '/nix/var/nix/profiles/system';
  /** A generation whose activation says what it was asked, goes live where it should, and ends with `code`. */
  const generation = (letter: string, { code = 0, goesLive = true } = {}): void => {
    const live = goesLive
      ? `case $1 in test) ln -sfn "$self" ${local.path('/run/current-system')};; esac`
      : ':';
    const body = `self=$(dirname "$(dirname "$0")")\necho "$1 ${letter}" >>"$LAB_FAKE/acts"\n${live}\n[ "$1" = boot ] || exit ${code}`;
    const path = `${hashed(letter, 'nixos-system-test')}/bin/switch-to-configuration`;
    local.write(path, `#!/bin/sh\n${body}\n`, 0o755);
  };
  const acts = (): readonly string[] => local.played('acts').trimEnd().split('\n');
  const current = (): string =>
    readlinkSync(local.path('/run/current-system')).replace(/^.*(?=\/nix\/store)/u, '');
  const bootDefault = (): string =>
    existsSync(local.path(`${profile}-43-link`))
      ? readlinkSync(local.path(`${profile}-43-link`)).replace(/^.*(?=\/nix\/store)/u, '')
      : before;
  const go = (
    mode: ActivateRequest['mode'] = 'switch',
    confirmWithinMs = 60_000,
    recorded: { current: string | null; profile: string | null } = { current: null, profile: null },
    deadlineMs = 20_000,
    over?: readonly string[],
  ): Promise<ActivateOutcome> =>
    activate(
      { remote: local.remote, clock: realClock },
      machine,
      {
        claim,
        toplevel: after,
        mode,
        unit,
        deadlineMs,
        ...(over === undefined ? {} : { over }),
        supervision: { confirmWithinMs, recorded },
      },
      {},
    );
  const say = (verdict: Verdict, deadlineMs = 20_000) =>
    settle({ remote: local.remote, clock: realClock }, machine, { claim, unit, verdict, deadlineMs }, {});
  const itsEnd = (): Promise<string> =>
    vi.waitFor(
      () =>
        (systemd
          ? local.played(`units/${unit}.service/exit`)
          : readFileSync(local.path(`/run/lab/detached/${unit}/exit`), 'utf8')
        ).trim(),
      { timeout: 50_000, interval: 50 },
    );
  const kept = (): readonly string[] => {
    const roots = local.path('/nix/var/nix/gcroots/lab');
    if (!existsSync(roots)) return [];
    return readdirSync(roots).map(
      (name) => `${name} ${readlinkSync(join(roots, name)).replace(/^.*(?=\/nix\/store)/u, '')}`,
    );
  };

  beforeEach(() => {
    local = localMachine({ systemd });
    local.play('background', '');
    generation('a');
    generation('b');
    local.link('/run/booted-system', before);
    local.link('/run/current-system', before);
    local.link(`${profile}-42-link`, before);
    local.link(profile, `${profile}-42-link`);
  });
  afterEach(async () => {
    // Whatever still waits is told to end, so that nothing outlives the test.
    if (existsSync(local.path(`/run/lab/${unit}`))) await say('restore');
    local.remove();
  });

  it('is live and not yet the boot default while it waits; confirmed, it becomes that', async () => {
    expect(await go()).toEqual({ kind: 'live' });
    expect([current(), bootDefault(), acts()]).toEqual([after, before, ['test b']]);
    expect(await say('confirm')).toEqual({ kind: 'confirmed' });
    expect([current(), bootDefault(), acts()]).toEqual([after, after, ['test b', 'boot b']]);
    expect(existsSync(local.path(`/run/lab/${unit}`))).toBe(false);
    expect(() => local.played(`units/${unit}.service/description`)).toThrow('ENOENT');
    expect(existsSync(local.path(`/run/lab/detached/${unit}`))).toBe(false);
  });

  describe('of a generation that the machine has', () => {
    const leadsTo = (): string => readlinkSync(local.path(profile)).replace(/^.*\//u, '');
    const goTo = (number: number, mode: 'switch' | 'boot' = 'switch') =>
      activate(
        { remote: local.remote, clock: realClock },
        machine,
        {
          claim,
          toplevel: after,
          mode,
          generation: number,
          unit,
          deadlineMs: 20_000,
          ...(mode === 'boot'
            ? {}
            : { supervision: { confirmWithinMs: 60_000, recorded: { current: null, profile: null } } }),
        },
        {},
      );
    beforeEach(() => local.link(`${profile}-40-link`, after));

    it('makes that number the boot default once it is confirmed, and no new one', async () => {
      expect(await goTo(40)).toEqual({ kind: 'live' });
      expect(leadsTo()).toBe('system-42-link');
      expect(await say('confirm')).toEqual({ kind: 'confirmed' });
      expect(leadsTo()).toBe('system-40-link');
      expect(existsSync(local.path(`${profile}-43-link`))).toBe(false);
    });

    it('switches to it at once where nobody watches over it', async () => {
      expect(await goTo(40, 'boot')).toEqual({ kind: 'live' });
      expect([leadsTo(), acts()]).toEqual(['system-40-link', ['boot b']]);
    });

    it('makes a new one where the number holds something else by now', async () => {
      expect(await goTo(42)).toEqual({ kind: 'live' });
      expect(await say('confirm')).toEqual({ kind: 'confirmed' });
      expect([leadsTo(), bootDefault()]).toEqual(['system-43-link', after]);
    });
  });

  it('is seen by a preflight as long as it waits, so that nobody else activates beneath it', async () => {
    const activating = async (): Promise<unknown> => {
      const facts = await preflight(local.remote, machine, { deadlineMs: 20_000 });
      return facts.ok ? facts.value.activating : facts.failure;
    };
    expect(await activating()).toBeNull();
    expect(await go()).toEqual({ kind: 'live' });
    if (systemd) local.play('running', `${unit}.service`);
    expect(await activating()).toEqual([systemd ? `${unit}.service` : unit]);
    expect(await say('confirm')).toEqual({ kind: 'confirmed' });
    if (systemd) local.play('running', '');
    expect(await activating()).toBeNull();
  });

  it('stays without becoming the boot default when a test is confirmed', async () => {
    expect(await go('test')).toEqual({ kind: 'live' });
    expect(await say('confirm')).toEqual({ kind: 'confirmed' });
    expect([current(), bootDefault(), acts()]).toEqual([after, before, ['test b']]);
  });

  it('goes back when it is told to, and the first word counts', async () => {
    await go();
    expect(await say('restore')).toEqual({ kind: 'restored', why: 'asked' });
    expect([current(), bootDefault(), acts()]).toEqual([before, before, ['test b', 'test a']]);
    expect(await say('confirm')).toEqual({ kind: 'gone' });
  });

  it('goes back by itself when nobody says anything, and tells who comes too late', async () => {
    await go('switch', 600);
    expect(await itsEnd()).toBe('97');
    expect([current(), bootDefault(), acts()]).toEqual([before, before, ['test b', 'test a']]);
    expect(await say('confirm')).toEqual({ kind: 'restored', why: 'unconfirmed' });
  });

  describe('while somebody else deploys', () => {
    const theirs = hashed('c', 'nixos-system-test');
    const deploy = (live = true): void => {
      generation('c');
      if (live) {
        rmSync(local.path('/run/current-system'));
        local.link('/run/current-system', theirs);
      }
      rmSync(local.path(`${profile}-50-link`), { force: true });
      local.link(`${profile}-50-link`, theirs);
      rmSync(local.path(profile));
      local.link(profile, `${profile}-50-link`);
    };
    const leadsTo = (): string => readlinkSync(local.path(profile)).replace(/^.*\//u, '');

    it('does not begin over what is there since it was looked at, live or for the next boot alone', async () => {
      for (const live of [false, true]) {
        deploy(live);
        expect(
          await go('switch', 60_000, { current: before, profile: before }, 20_000, [before]),
        ).toMatchObject({
          kind: 'refused',
          theirs: true,
          message: expect.stringContaining(`leads to ${theirs}`),
        });
        expect(existsSync(local.path(`/run/lab/${unit}`))).toBe(false);
      }
      expect([current(), leadsTo()]).toEqual([theirs, 'system-50-link']);
      const known = [before, theirs];
      expect(await go('switch', 60_000, { current: before, profile: before }, 20_000, known)).toEqual({
        kind: 'live',
      });
      // Its own unit is there by now: it is followed, whatever runs.
      expect(await go('switch', 60_000, { current: before, profile: before }, 20_000, [before])).toEqual({
        kind: 'live',
      });
    });

    it('leaves theirs when it is told to return', async () => {
      await go();
      deploy();
      expect(await say('restore')).toEqual({ kind: 'spared' });
      expect([current(), leadsTo(), acts(), kept()]).toEqual([theirs, 'system-50-link', ['test b'], []]);
    });

    it('leaves theirs when nobody says anything', async () => {
      // Before its wait has begun, so that it cannot be over before.
      const live = `ln -sfn ${local.path(theirs)} ${local.path('/run/current-system')}`;
      const path = `${after}/bin/switch-to-configuration`;
      local.write(path, `#!/bin/sh\necho "$1 b" >>"$LAB_FAKE/acts"\n${live}\n`, 0o755);
      generation('c');
      await go('switch', 600);
      expect(await itsEnd()).toBe('99');
      expect([current(), bootDefault(), acts()]).toEqual([theirs, before, ['test b']]);
      expect(await say('confirm')).toEqual({ kind: 'spared' });
      expect(existsSync(local.path(`/run/lab/${unit}`))).toBe(false);
    });

    it('leaves theirs when it is confirmed', async () => {
      await go();
      deploy();
      expect(await say('confirm')).toEqual({ kind: 'spared' });
      expect([current(), leadsTo(), acts()]).toEqual([theirs, 'system-50-link', ['test b']]);
    });

    it('for the next boot alone: does not become the boot default in its place, and goes back', async () => {
      await go();
      deploy(false);
      expect(await say('confirm')).toEqual({ kind: 'spared' });
      expect([current(), leadsTo(), acts()]).toEqual([before, 'system-50-link', ['test b', 'test a']]);
    });

    it('for the next boot alone: goes back beside it when it is told to', async () => {
      await go();
      deploy(false);
      expect(await say('restore')).toEqual({ kind: 'restored', why: 'asked' });
      expect([current(), leadsTo(), acts()]).toEqual([before, 'system-50-link', ['test b', 'test a']]);
    });
  });

  it('is on its way back, and not live, for who asks for it again while it returns', async () => {
    const door = local.path('/run/door');
    const body = `echo "$1 a" >>"$LAB_FAKE/acts"\nuntil [ -e ${door} ]; do sleep 0.05; done\nln -sfn ${local.path(before)} ${local.path('/run/current-system')}`;
    local.write(`${before}/bin/switch-to-configuration`, `#!/bin/sh\n${body}\n`, 0o755);
    await go('switch', 400);
    await vi.waitFor(() => expect(acts()).toContain('test a'), { timeout: 50_000, interval: 50 });
    const readings = (): number => local.remote.calls.filter(({ argv }) => argv[2] === readScript).length;
    const earlier = readings();
    const again = go();
    await vi.waitFor(() => expect(readings()).toBeGreaterThan(earlier), { timeout: 50_000, interval: 50 });
    local.write('/run/door', '');
    expect(await again).toMatchObject({ kind: 'refused', returned: true });
    expect(current()).toBe(before);
  });

  it('makes files for everybody to read, as every other activation does', async () => {
    for (const letter of ['a', 'b']) {
      const toplevel = hashed(letter, 'nixos-system-test');
      const body = `umask >>"$LAB_FAKE/umasks"\n[ "$1" = boot ] || ln -sfn ${local.path(toplevel)} ${local.path('/run/current-system')}`;
      local.write(`${toplevel}/bin/switch-to-configuration`, `#!/bin/sh\n${body}\n`, 0o755);
    }
    await go();
    await say('confirm');
    await go('switch', 60_000, { current: before, profile: before });
    await say('restore');
    const umasks = local.played('umasks').trimEnd().split('\n');
    expect(umasks).toHaveLength(5);
    expect(new Set(umasks)).toEqual(new Set(['0022']));
  });

  /** The machine gives it up after half of its time, and has the other half to return. */
  const hung = (): Promise<ActivateOutcome> => {
    const path = `${after}/bin/switch-to-configuration`;
    const live = `ln -sfn "$(dirname "$(dirname "$0")")" ${local.path('/run/current-system')}`;
    local.write(path, `#!/bin/sh\necho "$1 b" >>"$LAB_FAKE/acts"\n${live}\nexec sleep 600\n`, 0o755);
    return go('switch', 60_000, { current: null, profile: null }, 16_000);
  };

  it('is ended when it hangs, and not said to be back where it cannot go back', async () => {
    generation('a', { code: 2 });
    expect(await hung()).toMatchObject({
      kind: 'refused',
      code: 124,
      message: expect.not.stringContaining('returned'),
    });
    expect(await say('restore')).toMatchObject({ kind: 'stuck' });
  });

  it('is ended and goes back when its activation hangs', async () => {
    expect(await hung()).toMatchObject({ kind: 'refused', code: 124 });
    expect([current(), bootDefault(), acts()]).toEqual([before, before, ['test b', 'test a']]);
    expect(await say('restore')).toEqual({ kind: 'restored', why: 'refused' });
  });

  it('makes room for another attempt once it has gone back by itself', async () => {
    await go('switch', 600);
    await itsEnd();
    expect(await go()).toEqual({ kind: 'live' });
    expect(acts()).toEqual(['test b', 'test a', 'test b']);
    expect(await say('confirm')).toEqual({ kind: 'confirmed' });
  });

  it('makes room for another attempt once it was told to go back, though the word that clears it away was lost', async () => {
    expect(await go()).toEqual({ kind: 'live' });
    const remote: typeof local.remote = {
      ...local.remote,
      exec: async (to, argv, options) =>
        argv[2] === clearScript ? lost() : local.remote.exec(to, argv, options),
    };
    const told = { claim, unit, verdict: 'restore', deadlineMs: 20_000 } as const;
    expect(await settle({ remote, clock: realClock }, machine, told, {})).toEqual({
      kind: 'restored',
      why: 'asked',
    });
    expect(current()).toBe(before);
    expect(await go()).toEqual({ kind: 'live' });
    expect(current()).toBe(after);
  });

  it('is followed, not begun anew, by who asks for it again', async () => {
    await go();
    expect(await go()).toEqual({ kind: 'live' });
    expect(acts()).toEqual(['test b']);
    if (systemd) expect(local.played('started').trim()).toBe(`${unit}.service`);
  });

  it('waits anew whenever somebody has read that it waits', async () => {
    // Each reading comes with seconds to spare, and all of them last longer than one wait.
    await go('switch', 7_000);
    for (let read = 0; read < 3; read += 1) {
      await realClock.sleep(2_400);
      expect(await go('switch', 7_000)).toEqual({ kind: 'live' });
    }
    expect(await say('confirm')).toEqual({ kind: 'confirmed' });
  });

  it('goes back by itself where its folder is taken away, and no word can reach it any more', async () => {
    await go('switch', 1_000);
    rmSync(local.path(`/run/lab/${unit}`), { recursive: true });
    expect(await say('confirm')).toEqual({ kind: 'gone' });
    await vi.waitFor(() => expect(current()).toBe(before), { timeout: 50_000, interval: 50 });
    expect(bootDefault()).toBe(before);
    expect(await itsEnd()).toBe('97');
  });

  it.each(['switch', 'test'] as const)(
    'goes back where an earlier attempt came from, when that attempt had made it live (%s)',
    async (mode) => {
      await go();
      await say('confirm');
      expect(await go(mode, 60_000, { current: before, profile: before })).toEqual({ kind: 'live' });
      expect(await say('restore')).toEqual({ kind: 'restored', why: 'asked' });
      expect([current(), bootDefault()]).toEqual([before, before]);
      expect(acts().slice(2)).toEqual(['test b', 'boot a', 'test a']);
    },
  );

  it('goes back before it says that the activation failed', async () => {
    generation('b', { code: 2 });
    expect(await go()).toMatchObject({ kind: 'refused', code: 2, message: 'the activation script failed' });
    expect([current(), bootDefault(), acts()]).toEqual([before, before, ['test b', 'test a']]);
    expect(await say('restore')).toEqual({ kind: 'restored', why: 'refused' });
  });

  it('touches nothing more after a check that refused it beforehand', async () => {
    generation('b', { code: 1, goesLive: false });
    expect(await go()).toMatchObject({ kind: 'refused', code: 1 });
    expect(acts()).toEqual(['test b']);
    expect(await say('restore')).toEqual({ kind: 'restored', why: 'refused' });
  });

  it('watches over a generation that is live though units failed', async () => {
    generation('b', { code: 4 });
    expect(await go()).toMatchObject({ kind: 'live-units-failed' });
    expect(await say('restore')).toEqual({ kind: 'restored', why: 'asked' });
  });

  it('becomes the boot default at once where only a reboot makes it live', async () => {
    generation('b', { code: 100, goesLive: false });
    expect(await go()).toMatchObject({ kind: 'needs-reboot' });
    expect([current(), bootDefault(), acts()]).toEqual([before, after, ['test b', 'boot b']]);
    expect(existsSync(local.path(`/run/lab/${unit}`))).toBe(false);
  });

  it('does not go live past a switch inhibitor: it becomes the boot default only', async () => {
    local.write(`${after}/switch-inhibitors`, '{"dbus":"broker"}');
    expect(await go()).toMatchObject({ kind: 'needs-reboot', inhibited: true });
    expect([current(), bootDefault(), acts()]).toEqual([before, after, ['boot b']]);
  });

  it('goes live where the switch inhibitors are those of what was booted', async () => {
    for (const toplevel of [before, after]) local.write(`${toplevel}/switch-inhibitors`, '{"dbus":"broker"}');
    expect(await go()).toEqual({ kind: 'live' });
  });

  it('goes back when it is confirmed and cannot be made the boot default', async () => {
    await go();
    local.play('profile-read-only', '');
    expect(await say('confirm')).toEqual({
      kind: 'restored',
      why: 'no-boot-default',
      said: 'error: cannot write the profile',
    });
    expect([current(), bootDefault()]).toEqual([before, before]);
  });

  it('goes back when it is confirmed and another process keeps the profile to itself', async () => {
    await go('switch', 60_000, { current: null, profile: null }, 8_000);
    local.play('profile-held', '');
    expect(await say('confirm', 60_000)).toEqual({ kind: 'restored', why: 'no-boot-default' });
    expect([current(), bootDefault()]).toEqual([before, before]);
  });

  it('says so when it cannot go back', async () => {
    generation('a', { code: 2 });
    await go();
    expect(await say('restore')).toMatchObject({ kind: 'stuck' });
  });

  it('activates nothing that there is no way back from', async () => {
    chmodSync(local.path(`${before}/bin/switch-to-configuration`), 0o644);
    expect(await go()).toMatchObject({ kind: 'refused', code: 95 });
    expect(existsSync(local.path(`/run/lab/${unit}`))).toBe(false);
  });

  it('keeps what it would return to from garbage collection, until it is settled', async () => {
    const roots = [`${unit}-current ${before}`, `${unit}-profile ${before}`];
    await go();
    expect(kept().toSorted()).toEqual(roots);
    await say('confirm');
    expect(kept()).toEqual([]);
    await go('switch', 60_000, { current: before, profile: before });
    expect(kept().toSorted()).toEqual(roots);
    await say('restore');
    expect(kept()).toEqual([]);
    generation('b', { code: 100, goesLive: false });
    await go();
    expect(kept()).toEqual([]);
  });

  it('forgets what was kept for activations that a reboot has ended', async () => {
    local.link('/nix/var/nix/gcroots/lab/lab-activate-switch-20251231-120000-dead-current', before);
    await go();
    expect(kept()).toHaveLength(2);
  });

  describe('that could not go back', () => {
    const wayBack = [`stuck-current ${before}`, `stuck-profile ${before}`];
    const another = 'lab-activate-boot-20260102-120000-cafe';
    const boot = (toplevel: string) =>
      activate(
        { remote: local.remote, clock: realClock },
        machine,
        { claim, toplevel, mode: 'boot', unit: another, deadlineMs: 20_000 },
        {},
      );
    beforeEach(async () => {
      generation('a', { code: 2, goesLive: false });
      await go();
      expect(await say('restore')).toMatchObject({ kind: 'stuck' });
    });

    it('leaves what it would return to for whoever comes to help, also when something else is activated', async () => {
      expect(kept().toSorted()).toEqual(wayBack);
      expect(await boot(after)).toEqual({ kind: 'live' });
      expect(kept().toSorted()).toEqual(wayBack);
    });

    it('keeps it no longer once the machine runs it again', async () => {
      generation('a');
      rmSync(local.path('/run/current-system'));
      local.link('/run/current-system', before);
      expect(await boot(before)).toEqual({ kind: 'live' });
      expect(kept()).toEqual([]);
    });

    it('keeps it no longer once something else is confirmed', async () => {
      expect(await go()).toEqual({ kind: 'live' });
      expect(await say('confirm')).toEqual({ kind: 'confirmed' });
      expect(kept()).toEqual([]);
    });
  });

  it('activates nothing when the way back cannot be kept', async () => {
    local.write('/nix/var/nix/gcroots', 'no folder');
    expect(await go()).toMatchObject({ kind: 'refused', code: 96 });
    expect(existsSync(local.path(`/run/lab/${unit}`))).toBe(false);
    expect(() => acts()).toThrow('ENOENT');
  });

  it('is gone when nobody watches any more', async () => {
    expect(await say('confirm')).toEqual({ kind: 'gone' });
    local.write(`/run/lab/${unit}/code`, '0');
    expect(await say('confirm')).toEqual({ kind: 'gone' });
    expect(existsSync(local.path(`/run/lab/${unit}`))).toBe(false);
  });

  it('is not asked of a mode that makes nothing live', async () => {
    expect(await go('boot')).toMatchObject({ kind: 'refused', message: 'a boot has nothing to supervise' });
    expect(local.remote.calls).toEqual([]);
  });
});

describe('a supervisor in a session of its own, where there is no systemd', () => {
  let local: LocalMachine;
  const detached = (file: string): string => local.path(`/run/lab/detached/${unit}/${file}`);
  const live = (): string =>
    readlinkSync(local.path('/run/current-system')).replace(/^.*(?=\/nix\/store)/u, '');
  const acts = (): readonly string[] => local.played('acts').trimEnd().split('\n');
  const generation = (letter: string, more = ':'): void => {
    const toplevel = hashed(letter, 'nixos-system-test');
    local.write(
      `${toplevel}/bin/switch-to-configuration`,
      `#!/bin/sh\necho "$1 ${letter}" >>"$LAB_FAKE/acts"\n${more}\n[ "$1" != test ] || ln -sfn ${local.path(toplevel)} ${local.path('/run/current-system')}\n`,
      0o755,
    );
  };
  const argvOf = (confirmWithinMs: number): readonly string[] => {
    const remote = fakeRemote(() => lost({ retryable: false }));
    const request = { claim, toplevel: after, mode: 'switch' as const, unit, deadlineMs: 20_000 };
    const supervision = { confirmWithinMs, recorded: { current: null, profile: null } };
    void activate({ remote, clock: leapingClock() }, machine, { ...request, supervision }, {});
    return remote.calls[0]?.argv ?? [];
  };
  const go = (options: { confirmWithinMs?: number; onProgress?: (line: string) => void } = {}) => {
    const { confirmWithinMs = 60_000, onProgress = () => {} } = options;
    const supervision = { confirmWithinMs, recorded: { current: null, profile: null } };
    const request = {
      claim,
      toplevel: after,
      mode: 'switch' as const,
      unit,
      deadlineMs: 20_000,
      supervision,
    };
    return activate({ remote: local.remote, clock: realClock }, machine, request, { onProgress });
  };
  const say = (verdict: Verdict) =>
    settle(
      { remote: local.remote, clock: realClock },
      machine,
      { claim, unit, verdict, deadlineMs: 20_000 },
      {},
    );
  /** The switch stays in its middle until its connection is gone. */
  const untilDoor = (): string => `until [ -e ${local.path('/run/door')} ]; do sleep 0.05; done`;
  const cut = ({ pid = 0 }: ChildProcess): void => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has said all that it had to say.
    }
    local.write('/run/door', '');
  };
  beforeEach(() => {
    local = localMachine({ systemd: false });
    generation('a');
    generation('b');
    const profile = '/nix/var/nix/profiles/system';
    local.link('/run/booted-system', before);
    local.link('/run/current-system', before);
    local.link(`${profile}-42-link`, before);
    local.link(profile, `${profile}-42-link`);
  });
  afterEach(async () => {
    if (existsSync(local.path(`/run/lab/${unit}`))) await say('restore');
    local.remove();
  });

  it('makes room for what comes after it when somebody has killed it', async () => {
    const killed = '/run/lab/detached/lab-activate-switch-20251231-120000-dead';
    local.write(`${killed}/pid`, '999999999 1\n');
    local.write('/run/lab/lab-activate-switch-20251231-120000-dead/current', before);
    local.link('/nix/var/nix/gcroots/lab/lab-activate-switch-20251231-120000-dead-current', before);
    expect(await go()).toEqual({ kind: 'live' });
    expect(existsSync(local.path(killed))).toBe(false);
    // Where it came from nobody has returned to.
    expect(readdirSync(local.path('/nix/var/nix/gcroots/lab'))).toContain(
      'lab-activate-switch-20251231-120000-dead-current',
    );
  });

  it('goes on when its connection is killed in the middle of the switch, and goes back by itself', async () => {
    generation('b', untilDoor());
    // Long enough live to be seen so.
    const [file = '', ...args] = argvOf(4_000).map(local.path);
    const connection = spawn(file, args, {
      // As sshd does: everything of a connection is a session of its own, and all of it is killed with it.
      detached: true,
      stdio: 'ignore',
      env: local.env,
    });
    await vi.waitFor(() => expect(acts()).toEqual(['test b']), { timeout: 50_000 });
    cut(connection);
    await vi.waitFor(() => expect(live()).toBe(after), { timeout: 50_000 });
    // Nobody is there any more to confirm it.
    await vi.waitFor(() => expect(readFileSync(detached('exit'), 'utf8').trim()).toBe('97'), {
      timeout: 50_000,
    });
    expect([live(), acts()]).toEqual([before, ['test b', 'test a']]);
    expect(await say('confirm')).toEqual({ kind: 'restored', why: 'unconfirmed' });
  });

  it('is found by who asks again after such a cut, and confirmed', async () => {
    generation('b', untilDoor());
    const [file = '', ...args] = argvOf(60_000).map(local.path);
    const connection = spawn(file, args, { detached: true, stdio: 'ignore', env: local.env });
    await vi.waitFor(() => expect(acts()).toEqual(['test b']), { timeout: 50_000 });
    cut(connection);
    expect(await go()).toEqual({ kind: 'live' });
    expect(acts()).toEqual(['test b']);
    expect(await say('confirm')).toEqual({ kind: 'confirmed' });
    expect([live(), acts()]).toEqual([after, ['test b', 'boot b']]);
  });

  it('tells what the activation says, each line once, and no more than its bound', async () => {
    generation(
      'b',
      'echo first; i=0; while [ $i -lt 6000 ]; do echo "line $i"; i=$((i + 1)); done; sleep 1; echo last',
    );
    const told: string[] = [];
    expect(await go({ onProgress: (line) => told.push(line) })).toEqual({ kind: 'live' });
    expect(told.slice(0, 3)).toEqual(['first', 'line 0', 'line 1']);
    expect(new Set(told).size).toBe(told.length);
    expect(told).toHaveLength(5_000);
  });

  it('that is killed is told from one that ended, and from another process with its number', async () => {
    await go();
    const [pid] = readFileSync(detached('pid'), 'utf8').split(' ');
    process.kill(Number(pid), 'SIGKILL');
    await vi.waitFor(() => expect(existsSync(detached('exit'))).toBe(true), { timeout: 50_000 });
    const description = readFileSync(detached('description'), 'utf8');
    expect(await say('confirm')).toEqual({ kind: 'gone' });
    expect(existsSync(local.path(`/run/lab/${unit}`))).toBe(false);
    local.write(`/run/lab/detached/${unit}/description`, description);
    local.write(`/run/lab/detached/${unit}/pid`, `${process.pid} 1\n`);
    expect(await go()).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('the activation died'),
    });
  });
});

describe('a word to the supervisor over a connection that fails', () => {
  const say = async (remote: ReturnType<typeof fakeRemote>, verdict: Verdict, signal?: AbortSignal) => {
    const clock = leapingClock();
    const request = { claim, unit, verdict, deadlineMs: 60_000 };
    return settle({ remote, clock }, machine, request, signal === undefined ? {} : { signal });
  };
  const cleared = answered('clear', 'state=not-found');

  it('goes over a new connection, and what is left is removed', async () => {
    const remote = fakeRemote(answersInTurn(answered('settle', 'end=confirmed', 'verdict=confirm'), cleared));
    expect(await say(remote, 'confirm')).toEqual({ kind: 'confirmed' });
    expect(remote.forgotten).toEqual(['grey-area']);
    expect(remote.calls.map(({ argv }) => argv)).toEqual([
      ['sh', '-c', settleScript, 'sh', unit, 'confirm', ...claimWords(machine.name)],
      ['sh', '-c', clearScript, 'sh', unit],
    ]);
    expect(remote.calls.every(({ options }) => options.asRoot === true)).toBe(true);
  });

  it('is said again after a lost connection, and until the machine has acted on it', async () => {
    const pending = answered('settle', 'end=pending');
    const end = answered('settle', 'end=restored', 'verdict=restore');
    const remote = fakeRemote(answersInTurn(lost(), lostMidway(), pending, end, cleared));
    expect(await say(remote, 'restore')).toEqual({ kind: 'restored', why: 'asked' });
    expect(remote.forgotten).toHaveLength(3);
  });

  it('is unknown at the deadline, and at once over a host key', async () => {
    expect(
      await say(
        fakeRemote(() => lost()),
        'confirm',
      ),
    ).toMatchObject({ kind: 'unknown' });
    const changed = fakeRemote(() =>
      lost({ kind: 'hostkey-mismatch', retryable: false, message: 'another' }),
    );
    expect(await say(changed, 'confirm')).toEqual({ kind: 'unknown', message: 'another' });
    expect(changed.calls).toHaveLength(1);
  });

  it('to return is said again, but seldom, to a machine whose new system does not let us in', async () => {
    const lockedOut = lost({ kind: 'auth', phase: 'auth', retryable: false, message: 'it took no key' });
    const end = answered('settle', 'end=restored', 'verdict=expired');
    const story = () => fakeRemote(answersInTurn(lockedOut, end, cleared));
    expect(await say(story(), 'restore')).toEqual({ kind: 'restored', why: 'unconfirmed' });
    expect(await say(story(), 'confirm')).toEqual({ kind: 'unknown', message: 'it took no key' });
    const forGood = fakeRemote(() => lockedOut);
    expect(await say(forGood, 'restore')).toEqual({ kind: 'unknown', message: 'it took no key' });
    expect(forGood.calls.length).toBeLessThan(4);
  });

  it('is unknown for what the machine said, not for how little time the last try had', async () => {
    const clock = leapingClock();
    const slow = fakeRemote(async ({ options: { deadlineMs } }) => {
      await clock.sleep(900);
      return deadlineMs < 1_000
        ? lost({ message: `not within ${deadlineMs} ms` })
        : exited(1, '', 'sh: out of memory');
    });
    const request = { claim, unit, verdict: 'confirm', deadlineMs: 60_000 } as const;
    expect(await settle({ remote: slow, clock }, machine, request, {})).toEqual({
      kind: 'unknown',
      message: 'exit 1: sh: out of memory',
    });
  });

  it('is unknown for what hangs there, not for the last try that had no time to hear so', async () => {
    const clock = leapingClock();
    const hanging = fakeRemote(async ({ options: { deadlineMs } }) => {
      await clock.sleep(Math.min(deadlineMs, 10_000));
      return deadlineMs < 10_000
        ? lost({ kind: 'timeout', phase: 'exec', message: 'did not end within 1.3 s' })
        : answered('settle', 'end=pending');
    });
    const request = { claim, unit, verdict: 'confirm', deadlineMs: 46_300 } as const;
    expect(await settle({ remote: hanging, clock }, machine, request, {})).toEqual({
      kind: 'unknown',
      message: expect.stringContaining(`${unit}.service has not ended: what it does hangs`),
    });
    expect(hanging.calls.at(-1)?.options.deadlineMs).toBeLessThan(10_000);
  });

  it('is not said for minutes to a machine that lets nobody be root any more', async () => {
    const clock = leapingClock();
    const refused = fakeRemote(() => exited(1, '', 'sudo: a password is required'));
    const request = { claim, unit, verdict: 'restore', deadlineMs: 11 * 60_000 } as const;
    expect(await settle({ remote: refused, clock }, machine, request, {})).toEqual({
      kind: 'unknown',
      message: 'exit 1: sudo: a password is required',
    });
    expect(clock.elapsed()).toBeLessThan(1_000_000 + 20_000);
  });

  it('is said again while root is refused for a moment, and whenever it was to be had in between', async () => {
    const sudo = exited(1, '', 'sudo: /etc/sudoers is owned by uid 1000, should be 0');
    const pending = answered('settle', 'end=pending');
    const end = answered('settle', 'end=confirmed', 'verdict=confirm');
    const remote = fakeRemote(
      answersInTurn(sudo, sudo, sudo, sudo, pending, sudo, sudo, sudo, sudo, end, cleared),
    );
    expect(await say(remote, 'confirm')).toEqual({ kind: 'confirmed' });
  });

  it('is never taken for confirmed without the word that says so', async () => {
    for (const line of ['end=', 'end=confirmed?', 'confirmed'])
      expect(
        await say(
          fakeRemote(() => answered('settle', line)),
          'confirm',
        ),
      ).toMatchObject({ kind: 'unknown' });
  });

  it('ends soon when nobody waits any more', async () => {
    const remote = fakeRemote(() => lost());
    expect(await say(remote, 'confirm', AbortSignal.abort())).toMatchObject({ kind: 'unknown' });
    expect(remote.calls).toEqual([]);
  });
});
