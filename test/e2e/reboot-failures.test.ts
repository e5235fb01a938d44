import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunReport } from '../../src/run/report.ts';
import { type LabOnFleet, startLab, storiesPossible } from './lab.ts';
import { clinging, machinesOf, outcomeOf, speaks, type Told } from './story.ts';

/** One run over machines each of which fails its reboot in a way of its own: every kind is told apart, and none hides another. */

const available = await storiesPossible('reboots that go wrong');

/** A unit that starts while /run/warm is there, and so fails after a reboot, when /run is empty. */
const coldStart =
  '[Service]\nType=oneshot\nExecStart=/usr/bin/test -e /run/warm\n[Install]\nWantedBy=multi-user.target\n';
const names = [
  'silent',
  'leaner',
  'late',
  'stale',
  'stubborn',
  'looping',
  'stranger',
  'ailing',
  'fixed',
  'eager',
] as const;
const told = {
  silent: { order: 1, up: 5 },
  leaner: { order: 2, needs: ['silent'] },
  late: { order: 3, strategy: 'recreate' },
  stale: { order: 4 },
  stubborn: { order: 5, down: 3, knobs: { units: { 'clinging.service': clinging } } },
  // It is never steady for as long as that.
  looping: { order: 6, strategy: 'recreate', healthy: 300, stable: 300 },
  stranger: { order: 7 },
  ailing: { order: 8, healthy: 20, knobs: { units: { 'cold-start.service': coldStart } } },
  fixed: { order: 9, policy: 'never' },
  eager: { order: 10, policy: 'always' },
} as const satisfies Record<(typeof names)[number], Told>;

describe.skipIf(!available.ok)('a run in which reboots go wrong', () => {
  let lab: LabOnFleet;
  let code: number | null;
  let report: RunReport;
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => machinesOf(fleet, told));
    const { fleet } = lab;
    await fleet.fault('silent', 'never-returns');
    await fleet.fault('late', 'slow-return', 3);
    await fleet.fault('stale', 'boots-old-generation');
    await fleet.fault('stranger', 'hostkey-at-boot');
    await fleet.exec('ailing', ['touch', '/run/warm']);
    const run = lab.start(['run', '--yes', '--json']);
    // A machine that falls over on its own may do so before anybody has seen it up.
    await run.until(speaks('looping/gate-after-reboot'));
    await fleet.fault('looping', 'power-cut');
    await fleet.clearFaults('looping');
    const ended = await run.ended;
    code = ended.code;
    report = (JSON.parse(ended.stdout) as { report: RunReport }).report;
  });
  afterAll(async () => lab?.down());

  const failureOf = (name: string) => outcomeOf(report, name).failure;
  const boots = (name: string) => lab.fleet.boots(name);

  test('is partial: exit 3, and the reason names every machine that is not as planned', () => {
    expect(code).toBe(3);
    expect(report.result).toBe('partial');
    expect(report.reason).toBe('not as planned: silent, leaner, stale, stubborn, looping, stranger, ailing');
  });

  test('never came back: it was rebooted, and its dependent was not touched', async () => {
    expect(failureOf('silent')).toMatchObject({ kind: 'never-came-back', phase: 'await-boot' });
    expect(failureOf('silent')?.message).toContain('went down and did not answer within 5 s');
    expect(outcomeOf(report, 'leaner')).toMatchObject({ status: 'skipped', rebooted: false });
    expect(outcomeOf(report, 'leaner').summary).toContain('its dependency silent failed');
    expect(await boots('leaner')).toBe(1);
    const { booted, current, profile, next, generation } = await lab.runs('leaner');
    expect(booted).toContain('-nixos-system-factory-');
    expect([current, profile, next, generation]).toEqual([booted, booted, booted, 1]);
  });

  test('came back late, within its deadline: done, by recreate', async () => {
    expect(outcomeOf(report, 'late')).toMatchObject({ status: 'done', rebooted: true });
    expect(await boots('late')).toBe(2);
  });

  test('came back on the old generation', async () => {
    expect(failureOf('stale')).toMatchObject({ kind: 'old-generation', phase: 'await-boot' });
    const { booted, profile } = await lab.runs('stale');
    expect(booted).toContain('-nixos-system-factory-');
    expect(profile).toBe(outcomeOf(report, 'stale').to);
  });

  test('never went down: it still runs the old boot, with systemd stopping', async () => {
    expect(failureOf('stubborn')).toMatchObject({ kind: 'never-went-down', phase: 'await-boot' });
    expect(failureOf('stubborn')?.message).toMatch(/still runs the old boot \d+ s after the trigger/);
    expect(await boots('stubborn')).toBe(1);
  });

  test('boots once more by itself', async () => {
    expect(failureOf('looping')).toMatchObject({ kind: 'boot-loop', phase: 'gate' });
    expect(failureOf('looping')?.message).toContain('it rebooted again by itself');
    expect(await boots('looping')).toBe(3);
  });

  test('answers with another host key: refused, and said so', async () => {
    expect(failureOf('stranger')).toMatchObject({ kind: 'hostkey-changed', phase: 'await-boot' });
    expect(failureOf('stranger')?.message).toContain('another host key answers after the reboot');
    expect(await boots('stranger')).toBe(2);
  });

  test('comes back with a unit that had not failed before', () => {
    expect(failureOf('ailing')).toMatchObject({ kind: 'unhealthy', phase: 'gate' });
    expect(failureOf('ailing')?.message).toContain('units failed: cold-start.service');
  });

  test('policy never: deployed and not rebooted, and the plan says what for', async () => {
    expect(outcomeOf(report, 'fixed')).toMatchObject({ status: 'done', rebooted: false });
    expect(await boots('fixed')).toBe(1);
    const { current, booted } = await lab.runs('fixed');
    expect(current).toBe(outcomeOf(report, 'fixed').to);
    expect(booted).not.toBe(current);
    const { stdout } = await lab.run(['plan', 'fixed']);
    expect(stdout).toMatch(/reboot.*policy never, though: kernel 6\.6\.1 → 6\.12\.1/u);
  });

  test('policy always: rebooted with nothing else to do', async () => {
    const first = outcomeOf(report, 'eager');
    expect(first, JSON.stringify(first)).toMatchObject({ status: 'done', rebooted: true });
    const again = await lab.report(['run', 'eager', '--yes']);
    expect(again.code, JSON.stringify(again.body)).toBe(0);
    expect(outcomeOf(again.body, 'eager')).toMatchObject({ status: 'done', rebooted: true });
    expect(await boots('eager')).toBe(3);
  });

  test('the journal keeps what the report said', async () => {
    const { body } = await lab.json<{ report: RunReport }>(['journal', '--report', '--run', report.run]);
    expect(body.report).toEqual(report);
    const { stdout } = await lab.run(['journal', '--report', '--run', report.run]);
    for (const { failure } of report.machines) if (failure !== null) expect(stdout).toContain(failure.remedy);
  });

  test('a machine of high criticality that fails holds the run: exit 4, nothing after it is touched', async () => {
    const { fleet, flake } = lab;
    const knobs = { kernelVersion: '6.12.2' };
    await flake.describe(
      machinesOf(fleet, {
        ...told,
        late: { order: 3, down: 3, criticality: 'high', knobs: { ...knobs, ...told.stubborn.knobs } },
        eager: { ...told.eager, knobs },
      }),
    );
    const [eager, before] = [await lab.runs('eager'), await boots('eager')];
    const { code: held, body } = await lab.report(['run', 'late', 'eager', '--yes']);
    expect(held).toBe(4);
    expect(body).toMatchObject({ result: 'held', failure: { kind: 'never-went-down', machine: 'late' } });
    expect(body.reason).toContain('late (criticality high) failed: nothing after it was touched');
    expect(outcomeOf(body, 'eager')).toMatchObject({ status: 'waiting', rebooted: false });
    expect(await lab.runs('eager')).toEqual(eager);
    expect(await boots('eager')).toBe(before);
  });
});
