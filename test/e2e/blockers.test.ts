import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunReport } from '../../src/run/report.ts';
import { giveFile, startsOnce } from './held.ts';
import { type LabOnFleet, type Ran, soonMs, startLab, storiesPossible } from './lab.ts';
import { machinesOf, outcomeOf, speaks, type Told } from './story.ts';

/** What holds a real machine back: told with who and what it is, and passed only by its name. */

const available = await storiesPossible('what holds a machine back, and going ahead in spite of it');

const goOn = '/var/lib/go-on';
const told = {
  seat: { order: 1 },
  scrub: { order: 2 },
  young: { order: 3, minUptime: 3_600 },
  busy: { order: 4 },
  full: { order: 5 },
  late: { order: 6, knobs: { units: { 'lasts.service': startsOnce(goOn) } } },
} as const satisfies Record<string, Told>;
type Name = keyof typeof told;
const names = Object.keys(told) as Name[];

const backup = ['systemd-inhibit', '--what=shutdown', '--who=backup', '--why=restic runs', '--mode=block'];

describe.skipIf(!available.ok)('a machine', () => {
  let lab: LabOnFleet;
  const leaving = new AbortController();
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => machinesOf(fleet, told));
    // As on NixOS: logins are sessions of logind.
    const withPam = 's/UsePAM no/UsePAM yes/';
    for (const [host, argv] of [
      ['seat', ['sed', '-i', withPam, '/etc/ssh/sshd_config']],
      ['seat', ['systemctl', 'reload', 'sshd']],
    ] as const)
      expect((await lab.fleet.exec(host, argv)).code).toBe(0);
  });
  afterAll(async () => {
    leaving.abort();
    await lab?.down();
  });

  const reboot = (name: Name, ...words: readonly string[]): Promise<Ran<RunReport>> =>
    lab.report(['reboot', name, '--yes', ...words]);
  const expectBlocked = async (name: Name, kind: string, ran: Promise<Ran<RunReport>>): Promise<string> => {
    const boots = await lab.fleet.boots(name);
    const { code, body } = await ran;
    expect(code).toBe(1);
    const { status, failure, summary } = outcomeOf(body, name);
    expect({ status, kind: failure?.kind, phase: failure?.phase }, summary).toEqual({
      status: 'skipped',
      kind,
      phase: 'preflight',
    });
    expect(failure?.remedy).toContain(`--override ${name}:${kind}`);
    expect(await lab.fleet.boots(name)).toBe(boots);
    return summary;
  };
  const expectRebooted = async (name: Name, ran: Promise<Ran<RunReport>>): Promise<RunReport> => {
    const boots = await lab.fleet.boots(name);
    const { code, body } = await ran;
    expect(outcomeOf(body, name), JSON.stringify(body)).toMatchObject({ status: 'done', rebooted: true });
    expect(code).toBe(0);
    expect(await lab.fleet.boots(name)).toBe(boots + 1);
    return body;
  };
  const shell = async (name: Name, line: string): Promise<string> => {
    const { code, stdout, stderr } = await lab.fleet.exec(name, ['sh', '-c', line]);
    expect(code, stderr).toBe(0);
    return stdout;
  };

  test('that only lab logs in to is rebooted', async () => {
    await expectRebooted('seat', reboot('seat'));
  });

  test('that somebody works on at a terminal is not: it is said who, and from where', async () => {
    // An ssh without a terminal beside it: a tool, which does not count.
    for (const words of [['-tt'], ['-T']])
      void lab.fleet
        .run(['ssh', '-F', lab.fleet.sshConfigPath, ...words, 'lab@seat', 'sleep 600'], {
          signal: leaving.signal,
          deadlineMs: 600_000,
        })
        .catch(() => {});
    await vi.waitFor(
      async () => expect((await shell('seat', 'loginctl --no-legend')).trim().split('\n')).toHaveLength(2),
      { timeout: soonMs, interval: 200 },
    );
    const said = await expectBlocked('seat', 'users-logged-in', reboot('seat'));
    expect(said).toMatch(/: lab on pts\/0 from 10\.77\.[0-9.]+, for \d+ (?:s|min), last active just now$/u);
    // For another machine, or another blocker: still there.
    await expectBlocked('seat', 'users-logged-in', reboot('seat', '--override', 'inhibited'));
    const body = await expectRebooted('seat', reboot('seat', '--override', 'seat:users-logged-in'));
    expect(body.overrides).toMatchObject([{ blocker: 'users-logged-in', machine: 'seat' }]);
  });

  test('whose work holds off shutdowns is not rebooted, and is told what it is', async () => {
    await shell(
      'scrub',
      `systemd-run --unit=backup ${backup.map((word) => `'${word}'`).join(' ')} sleep 600`,
    );
    const said = await expectBlocked('scrub', 'inhibited', reboot('scrub'));
    expect(said).toBe('a shutdown inhibitor blocks its reboot: backup: restic runs');
    await expectRebooted('scrub', reboot('scrub', '--override', 'inhibited'));
  });

  test('that booted moments ago is not rebooted again', async () => {
    const said = await expectBlocked('young', 'just-booted', reboot('young'));
    expect(said).toMatch(
      /^it booted \d+ (?:s|min).* ago, and is not to be rebooted within 60 min of a boot$/u,
    );
    await expectRebooted('young', reboot('young', '--override', 'just-booted'));
  });

  test('that somebody else activates something on is left alone', async () => {
    const lock = '/run/nixos/switch-to-configuration.lock';
    await shell(
      'busy',
      `mkdir -p /run/nixos; systemd-run --unit=nixos-rebuild-switch flock ${lock} sleep 600`,
    );
    // Held, once nobody else gets it.
    await vi.waitFor(() => shell('busy', `! flock --nonblock ${lock} true`), {
      timeout: soonMs,
      interval: 200,
    });
    const said = await expectBlocked('busy', 'activation-in-progress', reboot('busy'));
    expect(said).toContain('another activation is under way on it');
    expect(said).toContain('nixos-rebuild-switch.service');
    expect(said).toMatch(/process \d+ flock/u);
    await expectRebooted('busy', reboot('busy', '--override', 'activation-in-progress'));
  });

  test('whose logind says nothing is not rebooted: what it does not say is not that nobody is there', async () => {
    await shell('busy', 'systemctl kill --signal=STOP systemd-logind.service');
    const boots = await lab.fleet.boots('busy');
    const { code, body } = await reboot('busy');
    expect(code).toBe(1);
    const { status, failure } = outcomeOf(body, 'busy');
    expect([status, failure?.kind]).toEqual(['skipped', 'blocked']);
    expect(failure?.message).toContain('logind did not say who holds off a shutdown');
    expect(failure?.remedy).toContain('--override busy:inhibitors-unknown --override busy:users-unknown');
    expect(await lab.fleet.boots('busy')).toBe(boots);
    await shell('busy', 'systemctl kill --signal=CONT systemd-logind.service');
    await expectRebooted('busy', reboot('busy'));
  });

  test('with a full /boot gets nothing new, though it may be rebooted', async () => {
    await expectRebooted('full', reboot('full'));
    await shell('full', 'mount -t tmpfs -o size=16m boot /boot');
    const deploy = (...words: readonly string[]) => lab.report(['deploy', 'full', '--yes', ...words]);
    const profile = await shell('full', 'readlink -f /nix/var/nix/profiles/system');
    const said = await expectBlocked('full', 'no-space-boot', deploy());
    expect(said).toMatch(/^\/boot has 1\d MiB free, less than the 64 MiB that a deployment needs$/u);
    expect(await shell('full', 'readlink -f /nix/var/nix/profiles/system')).toBe(profile);
    const { code, body } = await deploy('--override', 'no-space-boot');
    expect(outcomeOf(body, 'full').summary).toContain('deployed');
    expect(code).toBe(0);
    expect(await shell('full', 'readlink -f /nix/var/nix/profiles/system')).not.toBe(profile);
  });

  test('with two troubles tells both at once, and is passed by both names', async () => {
    await shell(
      'young',
      `systemd-run --unit=backup ${backup.map((word) => `'${word}'`).join(' ')} sleep 600`,
    );
    const { code, body } = await reboot('young');
    expect(code).toBe(1);
    const { failure } = outcomeOf(body, 'young');
    expect(failure?.kind).toBe('blocked');
    expect(failure?.message).toContain('backup: restic runs');
    expect(failure?.message).toContain('it booted');
    await expectBlocked('young', 'just-booted', reboot('young', '--override', 'young:inhibited'));
    await expectRebooted('young', reboot('young', '--override', 'inhibited', '--override', 'just-booted'));
  });

  test('on which work begins as it is deployed to keeps that, and is spared its reboot', async () => {
    const boots = await lab.fleet.boots('late');
    const run = lab.start(['run', 'late', '--yes', '--no-update']);
    await run.until(speaks('late/activate-switch'));
    await shell('late', `systemd-run --unit=backup ${backup.map((word) => `'${word}'`).join(' ')} sleep 600`);
    await giveFile(lab.fleet, 'late', goOn);
    const { code, stdout } = await run.ended;
    expect(code, stdout).toBe(1);
    expect(stdout).toContain('not rebooted: a shutdown inhibitor blocks its reboot: backup: restic runs');
    expect(stdout).toContain('what was deployed to it stays');
    const { current, booted, profile } = await lab.runs('late');
    expect(current).toBe(profile);
    expect(current).not.toBe(booted);
    expect(await lab.fleet.boots('late')).toBe(boots);
    await shell('late', 'systemctl stop backup.service');
    await expectRebooted('late', lab.report(['run', 'late', '--yes', '--no-update']));
  });
});
