import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import { noSmallDisks, type SmallDisk, smallDisk } from '../journal/small-disk.ts';
import { copyIsHeld, giveFile, holdCopies, holdNoCopies, startsOnce, takeFile } from './held.ts';
import { type LabOnFleet, type Runs, soonMs, startLab, storiesPossible } from './lab.ts';
import { machine, machinesOf, outcomeOf, speaks, strayOn, type Told } from './story.ts';

/** What nobody announces: sshd dies, machines reboot by themselves, disks fill up, a clock is set, a journal is removed. */

const available = await storiesPossible('what nobody foresaw');
const possible = available.ok && noSmallDisks === null;

const journalDiskBytes = 48 * 1024 * 1024;
const goOn = '/var/lib/go-on';
/** Of a closure that is larger. */
const partBytes = 10_000_000;
const hourMs = 3_600_000;
/** More than one pause between two looks at it. */
const stableSeconds = 8;

/** Gives the machine at each boot the boot id that it had, as the host of a container does. */
const boundToOneBoot = (bootId: string): string => `[Unit]
DefaultDependencies=no
Before=ssh.service sshd.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo ${bootId} >/run/.boot-id'
[Install]
WantedBy=sysinit.target lab.target
`;

/** Sets the clock of the program by what a file says, while it runs. */
const settableClock = (path: string): string => `
import { readFileSync } from 'node:fs';
const now = Date.now;
Date.now = () => {
  try { return now() + Number(readFileSync(${JSON.stringify(path)}, 'utf8')); } catch { return now(); }
};
`;

describe.skipIf(!possible)('a run meets what nobody foresaw', () => {
  let disk: SmallDisk;
  let lab: LabOnFleet;
  let version = 0;
  beforeAll(async () => {
    disk = smallDisk(journalDiskBytes);
    lab = await startLab(
      { hosts: ['box'] },
      (fleet) => machinesOf(fleet, { box: {} }),
      join(disk.path, 'state'),
    );
    const { code } = await lab.report(['run', '--yes']);
    expect(code).toBe(0);
  });
  afterAll(async () => {
    await lab?.down();
    disk?.remove();
  });

  const describeAs = async (told: Told = {}): Promise<void> => {
    version += 1;
    const knobs = { generation: `${version}`, ...told.knobs };
    await lab.flake.describe(machinesOf(lab.fleet, { box: { ...told, knobs } }));
  };
  /** A run that is in its activation, which lasts until `goesOn`. */
  const activating = async (told: Told = {}, words: readonly string[] = []) => {
    await takeFile(lab.fleet, 'box', goOn);
    const units = { [`lasts-${version}.service`]: startsOnce(goOn) };
    await describeAs({ ...told, knobs: { ...told.knobs, units } });
    const run = lab.start(['run', '--yes', ...words]);
    await run.until(speaks('box/activate-switch'));
    return run;
  };
  const goesOn = (): Promise<void> => giveFile(lab.fleet, 'box', goOn);
  /** A run that is in the middle of its copy until `letCopiesGoOn`. */
  const copying = async (told: Told = {}, words: readonly string[] = []) => {
    await describeAs({ ...told, knobs: { ...told.knobs, payloadMiB: 100 } });
    await holdCopies(lab.fleet, 'box', partBytes);
    const run = lab.start(['run', '--yes', ...words]);
    await copyIsHeld(lab.fleet, 'box');
    return run;
  };
  let before: Runs;
  beforeEach(async () => {
    before = await lab.runs('box');
  });
  const expectDone = async (run: { ended: Promise<{ code: number | null; stdout: string }> }) => {
    const { code, stdout } = await run.ended;
    expect(code, stdout).toBe(0);
    const { current, profile, next } = await lab.runs('box');
    expect([profile, next]).toEqual([current, current]);
    expect(current).not.toBe(before.current);
    expect(await strayOn(lab.fleet, 'box')).not.toContain('.service');
  };

  test('every sshd of the machine is killed as it activates: the run finds its way back', async () => {
    const run = await activating();
    await lab.fleet.exec('box', ['pkill', '-KILL', '-x', 'sshd']);
    await goesOn();
    await expectDone(run);
  });

  test('the machine reboots by itself as it gets its closure: it gets it afterwards, and the reboot that is due', async () => {
    const boots = await lab.fleet.boots('box');
    const run = await copying({ knobs: { kernelVersion: '6.14.1' } });
    await lab.fleet.reboot('box');
    await holdNoCopies(lab.fleet, 'box');
    await expectDone(run);
    expect(await lab.fleet.boots('box')).toBe(boots + 2);
  });

  test('the machine reboots by itself before it is confirmed: it runs what was good, and the report says so', async () => {
    // For longer than it takes to reboot it.
    await describeAs({ stable: 300 });
    const run = lab.start(['run', '--yes']);
    await run.until(speaks('box/gate-after-activation'));
    await lab.fleet.reboot('box');
    expect((await run.ended).code).toBe(1);
    const { body } = await lab.json<{ report: Parameters<typeof outcomeOf>[0] }>(['journal', '--report']);
    expect(outcomeOf(body.report, 'box')).toMatchObject({ status: 'restored', failure: { phase: 'gate' } });
    expect(await lab.runs('box')).toMatchObject({
      current: before.current,
      profile: before.profile,
      next: before.next,
      generation: before.generation,
    });
  });

  test('the folder of its flake is removed, and its process killed: resumed from elsewhere, it is finished', async () => {
    const run = await activating();
    const holder = await readFile(join(lab.stateDirectory, 'lock-holder.json'), 'utf8');
    process.kill((JSON.parse(holder) as { pid: number }).pid, 'SIGKILL');
    expect((await run.ended).code).toBe(4);
    await goesOn();
    const away = `${lab.flake.folder}.away`;
    await rename(lab.flake.folder, away);
    try {
      const env = { LAB_STATE_DIR: lab.stateDirectory };
      const words = { cwd: lab.fleet.directory, deadlineMs: soonMs, env };
      await expectDone({ ended: lab.fleet.run([...lab.program, 'resume'], words) });
    } finally {
      await rename(away, lab.flake.folder);
    }
  });

  test('its process is killed in the copy, and another machine is all that the flake knows by then: resumed, it is finished', async () => {
    // Only the flake says where it is.
    const plain = join(lab.fleet.directory, 'plain-ssh-config');
    const text = await readFile(lab.fleet.sshConfigPath, 'utf8');
    await writeFile(plain, text.slice(text.indexOf('Host *')));
    const run = await copying({}, ['--ssh-config', plain]);
    const holder = await readFile(join(lab.stateDirectory, 'lock-holder.json'), 'utf8');
    process.kill((JSON.parse(holder) as { pid: number }).pid, 'SIGKILL');
    expect((await run.ended).code).toBe(4);
    await holdNoCopies(lab.fleet, 'box');
    await lab.flake.describe({ spare: machine('10.77.0.99') });
    // What looks at the machines tells ssh of them as the flake does.
    expect((await lab.run(['status', 'spare', '--ssh-config', plain])).stdout).toContain('spare');
    await expectDone({ ended: lab.run(['resume']) });
  });

  test('the kernel that it is to boot is deleted before its reboot: it is not rebooted, and the report says why', async () => {
    const boots = await lab.fleet.boots('box');
    const run = await activating({ knobs: { kernelVersion: '6.14.2' } }, ['--json']);
    expect((await lab.run(['pause'])).code).toBe(0);
    await goesOn();
    await run.until((body) => body.kind === 'step-ended' && body.step === 'box/confirm');
    const kernel = '"$(readlink -f /nix/var/nix/profiles/system/kernel)"';
    await lab.fleet.exec('box', ['sh', '-ec', `mv ${kernel} /nix/store/.kernel-away`]);
    expect((await lab.run(['resume'])).code).toBe(0);
    const { code, stdout } = await run.ended;
    expect(code).toBe(1);
    const { report } = JSON.parse(stdout) as { report: Parameters<typeof outcomeOf>[0] };
    expect(outcomeOf(report, 'box')).toMatchObject({ status: 'failed', failure: { kind: 'would-not-boot' } });
    expect(await lab.fleet.boots('box')).toBe(boots);
  });

  test('its store fills up as it copies: that machine has failed, with what to do, and runs what it ran', async () => {
    const run = await copying({}, ['--json']);
    await lab.fleet.fault('box', 'disk-full', '/nix');
    await holdNoCopies(lab.fleet, 'box');
    const { code, stdout } = await run.ended;
    expect(code).toBe(1);
    const { report } = JSON.parse(stdout) as { report: Parameters<typeof outcomeOf>[0] };
    expect(outcomeOf(report, 'box')).toMatchObject({ status: 'failed', failure: { kind: 'disk-full' } });
    expect(outcomeOf(report, 'box').failure?.remedy).toContain('store of box');
    expect(await lab.runs('box')).toEqual(before);
    await lab.fleet.clearFaults('box');
  });

  test.for([hourMs, -hourMs])(
    'the clock of the orchestrator is set by %i ms in a gate: it watches as long as it should',
    async (ms) => {
      const clock = join(lab.fleet.directory, 'clock');
      await rm(clock, { force: true });
      await writeFile(`${clock}.mjs`, settableClock(clock));
      await describeAs({ stable: stableSeconds, policy: 'never' });
      const run = lab.start(['run', '--yes'], { NODE_OPTIONS: `--import ${clock}.mjs` });
      await run.until(speaks('box/gate-after-activation'));
      await writeFile(clock, String(ms));
      await expectDone(run);
      // From going live to being confirmed, by the clock of the machine.
      const times = ['stat', '--format=%.Y', '/run/current-system', '/nix/var/nix/profiles/system'];
      const [live = 0, confirmed = 0] = (await lab.fleet.exec('box', times)).stdout.split('\n').map(Number);
      expect(confirmed - live).toBeGreaterThan(stableSeconds);
    },
  );

  test('the machine tells the boot id of its host: its reboot cannot be shown, and it is not asked for again', async () => {
    const { stdout } = await lab.fleet.exec('box', ['cat', '/proc/sys/kernel/random/boot_id']);
    const units = { 'one-boot.service': boundToOneBoot(stdout.trim()) };
    const boots = await lab.fleet.boots('box');
    await describeAs({ down: 25, knobs: { kernelVersion: '6.14.3', units } });
    const { code, body } = await lab.report(['run', '--yes']);
    expect(code).toBe(1);
    expect(outcomeOf(body, 'box')).toMatchObject({ status: 'failed', failure: { kind: 'unknown-boot' } });
    expect(outcomeOf(body, 'box').failure?.remedy).toContain('"never"');
    expect((await lab.run(['retry', 'box'])).code).toBe(1);
    expect(await lab.fleet.boots('box')).toBe(boots + 1);
    await describeAs({ knobs: { kernelVersion: '6.14.4' } });
    await expectDone(lab.start(['run', '--yes']));
    expect(await lab.fleet.boots('box')).toBe(boots + 2);
  });

  describe('the disk of the journal', () => {
    test('is full or read-only beforehand: said so, and nothing is touched', async () => {
      await describeAs();
      const own = smallDisk(journalDiskBytes);
      const env = { LAB_STATE_DIR: join(own.path, 'state') };
      try {
        for (const [spoil, mend, kind] of [
          [() => own.fill(), () => own.makeRoom(), 'no-room'],
          [() => own.fill(2 * 1024 * 1024), () => own.makeRoom(), 'no-room'],
          [() => own.remount('ro'), () => own.remount('rw'), 'state-directory'],
        ] as const) {
          spoil();
          const { code, stdout } = await lab.run(['run', '--yes', '--json'], { env });
          mend();
          const { failure } = JSON.parse(stdout) as { failure: Failure };
          expect(failure).toMatchObject({ kind });
          expect(failure.message).toContain(own.path);
          expect(code).not.toBe(0);
        }
      } finally {
        own.remove();
      }
      expect(await lab.runs('box')).toEqual(before);
    });

    test('fills up midway: the run stops there and says why; resumed once there is room, it is finished', async () => {
      // A log that was longer once has room in it still.
      const journal = new DatabaseSync(join(lab.stateDirectory, 'journal.db'), { timeout: soonMs });
      expect(journal.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 });
      journal.close();
      const run = await activating();
      disk.fill();
      await goesOn();
      const { code, stderr } = await run.ended;
      expect(code).toBe(4);
      expect(stderr).toMatch(/disk is full/u);
      expect(stderr).toMatch(/make room/u);
      expect((await lab.run(['resume'])).code).not.toBe(0);
      disk.makeRoom();
      await expectDone({ ended: lab.run(['resume']) });
    });

    // The last story: whoever follows the journal has the one that was removed.
    test('holds a journal that is removed midway: the run stops there, and what is not confirmed is no boot default', async () => {
      const run = await activating();
      for (const suffix of ['', '-wal', '-shm']) await rm(join(lab.stateDirectory, `journal.db${suffix}`));
      await goesOn();
      const { code, stderr } = await run.ended;
      expect(code).toBe(4);
      expect(stderr).toContain('removed or replaced');
      expect(await lab.runs('box')).toMatchObject({ profile: before.profile, next: before.next });
      expect((await lab.run(['journal', '--runs'])).stdout).toContain('no run is recorded');
      expect((await lab.run(['status'])).code).toBe(0);
    });
  });
});
