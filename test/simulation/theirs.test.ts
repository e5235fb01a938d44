import { describe, expect, test } from 'vitest';
import { reportOf } from '../../src/run/report.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { toplevelOf } from './fleet.ts';
import { type Character, type Plot, tell } from './story.ts';

/** Somebody else deploys to a machine while a run has it: theirs stays, whoever would have put something over it. */

const theirs = toplevelOf('box', 'foreign');
const deployed = (atMs: number, more: Partial<Extract<Fault, { kind: 'foreign-deploy' }>> = {}): Fault => ({
  kind: 'foreign-deploy',
  atMs,
  toplevel: theirs,
  since: 'live',
  ...more,
});

const told = async (box: Character, plot: Plot = {}) => {
  const story = await tell({ box: { stable: 20, ...box }, other: {} }, plot);
  const { current, profile } = story.world.look('box');
  return {
    ...story,
    current,
    profile,
    report: reportOf(story.state)?.machines.find(({ machine }) => machine === 'box'),
  };
};

describe('somebody else deploys', () => {
  test.each<[string, number]>([
    ['while its gate waits for health', 500],
    ['while its gate watches whether it stays healthy', 15_000],
  ])('%s: the gate says so, and nothing returns it', async (_when, atMs) => {
    const { became, done, current, profile, report } = await told({ faults: [deployed(atMs)] });
    expect(became).toEqual({ box: 'failed: changed-since-plan', other: 'done' });
    expect(done.filter((act) => act.startsWith('box'))).toEqual(['box switch new']);
    // Also long after, when its supervisor has waited in vain.
    expect({ current, profile }).toEqual({ current: theirs, profile: theirs });
    expect(report?.summary).toContain(`someone else deployed to it meanwhile, and it runs ${theirs}`);
    expect(report?.failure?.remedy).toContain('find out who deployed to it');
  });

  test('between any two looks at it: nothing is put over theirs', async () => {
    for (let since = 2; since < 40; since += 1)
      for (const mode of [{}, { mode: 'boot' }] as const)
        for (const strategy of ['rolling', 'blue-green', 'recreate'] as const) {
          const faults = [deployed(0, { since, ...mode })];
          const { profile, became } = await told({ strategy, criticality: 'critical', faults });
          // A plan that was made after it takes it for what was there.
          if (became.box !== 'done') expect(profile, `${strategy}, trip ${since}`).toBe(theirs);
        }
  });

  test('after its gate has failed for ever: the supervisor that is told to return it leaves it as they made it', async () => {
    const sick: Fault = { kind: 'unhealthy-after', cause: 'activation', forMs: null };
    // The moment after the last look of the gate, whose deadline is 60 s.
    for (let atMs = 58_000; atMs <= 68_000; atMs += 100) {
      const { became, current, report } = await told({ stable: 0, faults: [sick, deployed(atMs)] });
      if (became.box === 'restored: unhealthy') continue;
      expect(current, `${atMs} ms`).toBe(theirs);
      expect(became.box).toMatch(/^failed: (?:changed-since-plan|unhealthy)$/u);
      if (became.box === 'failed: unhealthy')
        expect(report?.restoreFailure).toMatchObject({
          kind: 'changed-since-plan',
          message: expect.stringContaining('someone else deployed to it meanwhile'),
        });
    }
  });

  test('where nobody resumes the run: its supervisor, whose wait is over, leaves it as they made it', async () => {
    const { current, profile } = await told(
      { faults: [deployed(30_000)] },
      { ends: [{ kind: 'killed-at', ms: 30_000, downMs: 0 }], abandoned: true },
    );
    expect({ current, profile }).toEqual({ current: theirs, profile: theirs });
  });

  test('after the reboot of a critical machine: it is not returned over it', async () => {
    for (const strategy of ['rolling', 'recreate'] as const) {
      const { became, current, profile } = await told({
        strategy,
        criticality: 'critical',
        faults: [deployed(8_000, { since: 'boot' })],
      });
      expect(became.box).toBe('failed: changed-since-plan');
      expect({ current, profile }).toEqual({ current: theirs, profile: theirs });
    }
  });

  test('for the next boot alone: what is live is not confirmed over it, and goes back', async () => {
    const { became, current, profile, report } = await told({ faults: [deployed(500, { mode: 'boot' })] });
    expect(became.box).toBe('failed: changed-since-plan');
    expect(report?.summary).toContain(
      `not confirmed, so it returns to what it ran by itself: someone else changed what it would boot meanwhile: ${theirs}`,
    );
    expect(report?.failure?.remedy).toContain('left as they made it');
    expect({ current, profile }).toEqual({ current: toplevelOf('box', 'old'), profile: theirs });
  });

  test('for the next boot alone, after its reboot: it is as planned, and the report warns of it', async () => {
    const { became, current, profile, report } = await told({
      faults: [deployed(4_000, { since: 'boot', mode: 'boot' })],
    });
    expect(became.box).toBe('done');
    expect({ current, profile }).toEqual({ current: toplevelOf('box', 'new'), profile: theirs });
    expect(report?.warnings).toEqual([`someone else changed what it would boot meanwhile: ${theirs}`]);
  });

  test('for the next boot of a critical machine alone: what it ran goes live, and would boot theirs', async () => {
    const sick: Fault = { kind: 'unhealthy-after', cause: 'reboot', forMs: null };
    const { became, current, profile, report } = await told({
      criticality: 'critical',
      faults: [sick, deployed(8_000, { since: 'boot', mode: 'boot' })],
    });
    expect(became.box).toBe('failed: unhealthy');
    expect({ current, profile }).toEqual({ current: toplevelOf('box', 'old'), profile: theirs });
    expect(report?.restoreFailure).toMatchObject({ kind: 'changed-since-plan' });
  });
});
