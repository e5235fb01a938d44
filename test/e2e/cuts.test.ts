import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EventBody } from '../../src/run/event.ts';
import type { RunReport } from '../../src/run/report.ts';
import { copyIsHeld, holdCopies, letCopiesGoOn } from './held.ts';
import { type LabOnFleet, soonMs, startLab, storiesPossible } from './lab.ts';
import { begins, machinesOf, outcomeOf, speaks, type Told } from './story.ts';

/** One run, and for each machine its link is cut at another stage: what heals in time goes on, what does not is told. */

const available = await storiesPossible('links that are cut');

const names = ['copied', 'rebooted', 'lost', 'behind'] as const;
const partBytes = 10_000_000;
const knobs = { kernelVersion: '6.13.1' };
const told = {
  copied: { order: 1, policy: 'never', knobs: { payloadMiB: 100 } },
  rebooted: { order: 2, knobs },
  // Watched for longer than it takes to cut its link.
  lost: { order: 3, knobs, strategy: 'recreate', stable: 300, healthy: 20 },
  behind: { order: 4, needs: ['lost'], knobs },
} as const satisfies Record<(typeof names)[number], Told>;

const notes =
  (step: string, text: string) =>
  (body: EventBody): boolean =>
    body.kind === 'step-noted' && body.step === step && body.note.includes(text);

describe.skipIf(!available.ok)('a run in which links are cut', () => {
  let lab: LabOnFleet;
  let code: number | null;
  let report: RunReport;
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => machinesOf(fleet, told));
    const { fleet } = lab;
    await holdCopies(fleet, 'copied', partBytes);
    const run = lab.start(['run', '--yes', '--json']);

    await copyIsHeld(fleet, 'copied');
    await fleet.fault('copied', 'link-down');
    await run.until(notes('copied/copy', 'connection lost'));
    await letCopiesGoOn(fleet, 'copied');
    await fleet.clearFaults('copied');

    await run.until(begins('rebooted/await-boot'));
    await fleet.fault('rebooted', 'link-down');
    await vi.waitFor(async () => expect(await fleet.boots('rebooted')).toBe(2), { timeout: soonMs });
    await fleet.clearFaults('rebooted');

    await run.until(speaks('lost/gate-after-reboot'));
    await fleet.fault('lost', 'link-down');

    const ended = await run.ended;
    code = ended.code;
    report = (JSON.parse(ended.stdout) as { report: RunReport }).report;
  });
  afterAll(async () => lab?.down());

  test('as it copies: the copy is taken up again', async () => {
    expect(outcomeOf(report, 'copied')).toMatchObject({ status: 'done' });
    expect((await lab.runs('copied')).current).toBe(outcomeOf(report, 'copied').to);
  });

  test('as it reboots: its boot is proven once it can be asked, and it was rebooted once', async () => {
    expect(outcomeOf(report, 'rebooted')).toMatchObject({ status: 'done', rebooted: true });
    expect(await lab.fleet.boots('rebooted')).toBe(2);
  });

  test('for good in the gate after its reboot: a failure of that machine, and its dependent is left alone', async () => {
    expect(code).toBe(3);
    expect(report).toMatchObject({ result: 'partial', reason: 'not as planned: lost, behind' });
    expect(outcomeOf(report, 'lost')).toMatchObject({
      status: 'failed',
      rebooted: true,
      failure: { kind: 'unreachable', phase: 'gate' },
    });
    expect(outcomeOf(report, 'behind')).toMatchObject({ status: 'skipped', rebooted: false });
    expect((await lab.runs('behind')).generation).toBe(1);
  });

  test('healed after the run: the next one finds the machine as it should be, and does what was left', async () => {
    await lab.fleet.clearFaults('lost');
    const next = await lab.report(['run', '--yes']);
    expect(next.code, JSON.stringify(next.body)).toBe(0);
    expect(outcomeOf(next.body, 'lost')).toMatchObject({ status: 'nothing' });
    expect(outcomeOf(next.body, 'behind')).toMatchObject({ status: 'done', rebooted: true });
    expect(await lab.fleet.boots('lost')).toBe(2);
  });
});
