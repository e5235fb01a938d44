import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Durations, learn, rebootAlarmMs } from '../../src/plan/durations.ts';
import { planHash } from '../../src/plan/make-plan.ts';
import { noPast } from '../../src/plan/past.ts';
import { Plan } from '../../src/plan/plan.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { entryOf, planFor } from './input.ts';

describe('what measurements say', () => {
  test('of one, it is all there is to say', () => {
    expect(learn([7_000], 7_000)).toEqual({ times: 1, typicalMs: 7_000, slowMs: 7_000, longestMs: 7_000 });
    expect(learn([], 0)).toBeNull();
  });

  test('one that was out of line moves nothing but the longest', () => {
    const usual = Array.from({ length: 19 }, (_, index) => 40_000 + index * 100);
    expect(learn([...usual, 900_000], 900_000)).toEqual({
      times: 20,
      typicalMs: 40_900,
      slowMs: 41_700,
      longestMs: 900_000,
    });
  });

  test('property: typical, slow and longest are measurements, in this order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000_000), { minLength: 1, maxLength: 20 }), (samples) => {
        const learnt = learn(samples, Math.max(...samples));
        if (learnt === null) throw new Error('nothing learnt');
        expect(samples).toEqual(expect.arrayContaining([learnt.typicalMs, learnt.slowMs, learnt.longestMs]));
        expect(learnt.typicalMs).toBeLessThanOrEqual(learnt.slowMs);
        expect(learnt.slowMs).toBeLessThanOrEqual(learnt.longestMs);
        expect(rebootAlarmMs(learnt)).toBeGreaterThan(learnt.longestMs);
      }),
    );
  });
});

describe('a plan', () => {
  const box = machineNamed('box', { delay: 0, stable: 10 });
  const learnt = (typicalMs: number) => ({ times: 3, typicalMs, slowMs: typicalMs, longestMs: typicalMs });
  const known: Durations = {
    copy: learnt(1_000),
    activate: learnt(2_000),
    gateAfterActivation: learnt(300),
    gateAfterReboot: learnt(4_000),
    reboot: learnt(90_000),
  };
  const planWith = (durations: Durations) =>
    planFor([box], { more: { past: { ...noPast, durations: new Map([['box', durations]]) } } });

  test('expects what the history of the machine says, and guesses only the rest', () => {
    const brief = 2_000; // a preflight, a confirmation
    expect(planWith(known).expectedMs).toBe(
      brief + 1_000 + 2_000 + (300 + 10_000) + brief + 90_000 + (4_000 + 10_000),
    );
    const guessed = planWith({}).expectedMs;
    expect(planWith({ reboot: learnt(90_000) }).expectedMs).toBe(guessed + 30_000);
  });

  test('of an earlier build, which knew nothing of all this, is still read', () => {
    const plan = JSON.parse(JSON.stringify(planWith({})));
    for (const entry of plan.machines) delete entry.prior.bootedAt;
    const read = Plan.parse(plan);
    expect(entryOf(read, 'box').prior).not.toHaveProperty('bootedAt');
    for (const field of ['durations', 'owed', 'newChecks'])
      expect(entryOf(read, 'box')).not.toHaveProperty(field);
  });

  test('carries the history, survives the journal with its hash, and is the same for the same history', () => {
    const plan = planWith(known);
    expect(entryOf(plan, 'box').durations).toEqual(known);
    const { hash, ...body } = Plan.parse(JSON.parse(JSON.stringify(plan)));
    expect(planHash(body)).toBe(hash);
    expect(planWith({ ...known }).hash).toBe(plan.hash);
    expect(planWith({}).hash).not.toBe(plan.hash);
    // Without a history a plan is as plans were before there was any.
    expect(planWith({}).hash).toBe(planFor([box]).hash);
  });
});
