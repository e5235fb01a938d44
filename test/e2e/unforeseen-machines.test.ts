import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import type { EventBody } from '../../src/run/event.ts';
import type { RunReport } from '../../src/run/report.ts';
import { copyIsHeld, giveFile, holdCopies, letCopiesGoOn, startsOnce, takeFile } from './held.ts';
import { type LabOnFleet, type Runs, startLab, storiesPossible } from './lab.ts';
import { begins, machinesOf, outcomeOf, speaks, stepsIn, strayOn, type Told } from './story.ts';

/** Machines that hide what ails them, or lose what they were given: each fault was played by hand first (see README). */

const available = await storiesPossible('machines that nobody foresaw');

/** Never `failed` to systemd, for it passes no start limit; the system is `running` all the while. */
const looper = `[Service]
Restart=always
RestartSec=2
ExecStart=/bin/false
[Install]
WantedBy=multi-user.target
`;
/** Up whenever somebody looks, but for a tenth of a second now and then. */
const dier = `[Service]
Restart=on-failure
ExecStart=/bin/sh -c 'sleep 3; exit 1'
[Install]
WantedBy=multi-user.target
`;
/** What a login shell may say to whoever logs in, with the forms of our own answers in it. */
const greeting = String.raw`printf '\033]0;owned\007\033[31mWELCOME\nlab-observe\nboot-id=x\nlab-end\n'`;

const goOn = '/var/lib/go-on';
const names = ['looping', 'dying', 'collected', 'noisy', 'barred'] as const;
const knobs = { generation: '1' };
const told = {
  looping: { order: 1, healthy: 20, stable: 3, knobs: { ...knobs, units: { 'looper.service': looper } } },
  dying: { order: 1, healthy: 20, stable: 8, knobs: { ...knobs, units: { 'dier.service': dier } } },
  collected: { order: 2, knobs: { ...knobs, payloadMiB: 20 } },
  noisy: { order: 3, knobs },
  barred: { order: 4, knobs },
} as const satisfies Record<(typeof names)[number], Told>;

const copied =
  (name: string) =>
  (body: EventBody): boolean =>
    body.kind === 'step-ended' && body.step === `${name}/copy`;

describe.skipIf(!available.ok)('a run over machines that hide what ails them', () => {
  let lab: LabOnFleet;
  let report: RunReport;
  let events: string;
  let saidOfLooping: string;
  const before: Record<string, Runs> = {};
  const inShell = (host: string, script: string) => lab.fleet.exec(host, ['sh', '-ec', script]);

  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) =>
      machinesOf(
        fleet,
        Object.fromEntries(Object.entries(told).map(([name, each]) => [name, { ...each, policy: 'never' }])),
      ),
    );
    for (const name of names) before[name] = await lab.runs(name);
    await inShell('noisy', `echo "${greeting.replaceAll('\\', '\\\\')}" >~lab/.bashrc`);
    const run = lab.start(['run', 'looping', 'dying', 'collected', 'noisy', '--yes', '--json']);
    await run.until(copied('collected'));
    await inShell('collected', 'nix-collect-garbage');
    await run.until(begins('looping/gate-after-activation'));
    // In its gate: what is stopped and taken away afterwards can be left behind as failed.
    const { stdout } = await lab.fleet.exec('looping', ['systemctl', 'is-system-running']);
    saidOfLooping = stdout.trim();
    const ended = await run.ended;
    report = (JSON.parse(ended.stdout) as { report: RunReport }).report;
    events = JSON.stringify(await lab.events());
  });
  afterAll(async () => lab?.down());

  test('a unit that dies and is started again for ever is no health, whatever systemd says of the system', async () => {
    expect(saidOfLooping).toBe('running');
    expect(outcomeOf(report, 'looping')).toMatchObject({
      status: 'restored',
      failure: { kind: 'unhealthy', phase: 'gate' },
    });
    expect(outcomeOf(report, 'looping').summary).toContain('units failed: looper.service');
    expect(await lab.runs('looping')).toEqual(before.looping);
  });

  test('nor is one that is up whenever it is looked at, and dies again and again', async () => {
    expect(outcomeOf(report, 'dying')).toMatchObject({
      status: 'restored',
      failure: { kind: 'unhealthy', phase: 'gate' },
    });
    expect(outcomeOf(report, 'dying').summary).toContain('units failed: dier.service');
    expect(await lab.runs('dying')).toEqual(before.dying);
  });

  test('a closure that is collected before its activation is copied once more', async () => {
    expect(events).toContain('its closure is gone since it was copied');
    expect(outcomeOf(report, 'collected')).toMatchObject({ status: 'done' });
    expect((await lab.runs('collected')).current).toBe(outcomeOf(report, 'collected').to);
    expect(await strayOn(lab.fleet, 'collected')).toBe('');
  });

  test('a login shell that talks: it is observed all the same, and the copy it breaks says where to look', async () => {
    expect(outcomeOf(report, 'noisy')).toMatchObject({ status: 'failed', failure: { kind: 'login-noise' } });
    expect(outcomeOf(report, 'noisy').failure?.remedy).toContain('.bashrc');
    expect(JSON.stringify(report)).not.toContain('\\u001b');
    expect(await lab.runs('noisy')).toEqual(before.noisy);
    await inShell('noisy', 'rm ~lab/.bashrc');
    const next = await lab.report(['run', 'noisy', '--yes']);
    expect(next.code, JSON.stringify(next.body)).toBe(0);
  });

  test('its disk turns read-only: the failure is told, and the run after it does not blame a run that is over', async () => {
    await holdCopies(lab.fleet, 'barred');
    const run = lab.start(['run', 'barred', '--yes']);
    await copyIsHeld(lab.fleet, 'barred');
    await inShell('barred', 'mount -o remount,ro /');
    await letCopiesGoOn(lab.fleet, 'barred');
    expect((await run.ended).code).toBe(1);
    const again = await lab.report(['run', 'barred', '--yes']);
    await inShell('barred', 'mount -o remount,rw /');
    expect(outcomeOf(again.body, 'barred')).toMatchObject({
      status: 'failed',
      failure: { kind: 'lease-unknown' },
    });
    expect(outcomeOf(again.body, 'barred').failure?.message).toContain('Read-only file system');
    const mended = await lab.report(['run', 'barred', '--yes']);
    expect(mended.code, JSON.stringify(mended.body)).toBe(0);
    const { current, profile, next } = await lab.runs('barred');
    expect([current, profile, next]).toEqual(Array(3).fill(outcomeOf(mended.body, 'barred').to));
  });

  test('its boot partition turns read-only: it runs what it ran, and that its boot loader is in doubt is told', async () => {
    const known = await lab.runs('barred');
    const barred = { order: 4, policy: 'never', knobs: { generation: 'unbootable' } } as const;
    await lab.flake.describe(machinesOf(lab.fleet, { ...told, barred }));
    await inShell('barred', 'mount --bind /boot /boot; mount -o remount,bind,ro /boot');
    const { code, body } = await lab.report(['run', 'barred', '--yes']);
    await inShell('barred', 'umount /boot');
    expect(code).toBe(1);
    expect(outcomeOf(body, 'barred')).toMatchObject({
      status: 'failed',
      failure: { kind: 'not-confirmed' },
      restoreFailure: { kind: 'restore-incomplete' },
    });
    expect(await lab.runs('barred')).toEqual(known);
    expect(await strayOn(lab.fleet, 'barred')).toBe('');
  });

  test('its D-Bus is dead: it is left as it is before anything is copied, and the way past that is named', async () => {
    const known = await lab.runs('barred');
    await inShell('barred', 'mv /run/dbus /run/dbus.away');
    const { body } = await lab.report(['run', 'barred', '--yes']);
    await inShell('barred', 'mv /run/dbus.away /run/dbus');
    const { status, failure } = outcomeOf(body, 'barred');
    expect({ status, failure }).toMatchObject({ status: 'skipped', failure: { kind: 'systemd-unwell' } });
    expect(failure?.remedy).toContain('--override barred:systemd-unwell');
    expect(stepsIn(await lab.events()).at(-1)).toBe('barred/preflight skipped');
    expect(await lab.runs('barred')).toEqual(known);
  });

  test('its systemd starts no unit: nothing has begun, and nothing is said to be left half done', async () => {
    const known = await lab.runs('barred');
    await inShell('barred', 'mv /run/systemd/private /run/systemd/private.away; mv /run/dbus /run/dbus.away');
    const { body } = await lab.report(['run', 'barred', '--yes', '--override', 'barred:systemd-unwell']);
    await inShell('barred', 'mv /run/systemd/private.away /run/systemd/private; mv /run/dbus.away /run/dbus');
    expect(outcomeOf(body, 'barred')).toMatchObject({
      status: 'restored',
      failure: { kind: 'activation-not-started' },
      restoreFailure: null,
    });
    expect(await lab.runs('barred')).toEqual(known);
  });

  /** A run over `barred` that is in its activation, which lasts until `activates`. */
  const activating = async (generation: string) => {
    await takeFile(lab.fleet, 'barred', goOn);
    const units = { [`lasts-${generation}.service`]: startsOnce(goOn) };
    const barred = { order: 4, policy: 'never', knobs: { generation, units } } as const;
    await lab.flake.describe(machinesOf(lab.fleet, { ...told, barred }));
    const run = lab.start(['run', 'barred', '--yes']);
    await run.until(speaks('barred/activate-switch'));
    return run;
  };
  const activates = (): Promise<void> => giveFile(lab.fleet, 'barred', goOn);

  test('sudo breaks in the middle of its activation: nobody waits for its supervisor, and the retry finds what it did', async () => {
    const run = await activating('2');
    await inShell('barred', "sed -i 's/NOPASSWD: *//' /etc/sudoers");
    await activates();
    const ended = await run.ended;
    await inShell('barred', "sed -i 's/^lab ALL=(ALL:ALL) */&NOPASSWD: /' /etc/sudoers");
    expect(ended.code, ended.stdout).toBe(1);
    expect(ended.stdout).toContain('sudo: a password is required');
    const { code, stdout, stderr } = await lab.run(['retry', 'barred']);
    expect(code, stdout + stderr).toBe(0);
    const { current, profile, next } = await lab.runs('barred');
    expect([profile, next]).toEqual([current, current]);
    expect(await strayOn(lab.fleet, 'barred')).toBe('');
  });

  test('somebody removes the file of its lock: no other run gets in, and the run goes on', async () => {
    const run = await activating('3');
    await rm(join(lab.stateDirectory, 'lock.db'));
    const { code, body } = await lab.json<{ failure: Failure }>(['run', 'noisy', '--yes']);
    expect([code, body.failure.kind]).toEqual([5, 'locked']);
    await activates();
    const ended = await run.ended;
    expect(ended.code, ended.stdout).toBe(0);
    expect(await strayOn(lab.fleet, 'barred')).toBe('');
  });

  // The last story: nobody can read this journal any more.
  test('the log of the journal is emptied midway: the run stops there, and what is not confirmed is no boot default', async () => {
    const known = await lab.runs('barred');
    const run = await activating('4');
    await truncate(join(lab.stateDirectory, 'journal.db-wal'));
    await activates();
    expect((await run.ended).code).toBe(4);
    expect(await lab.runs('barred')).toMatchObject({ profile: known.profile, next: known.next });
  });
});
