import { describe, expect, test } from 'vitest';
import { isStillIn, momentIn, seenIn } from '../../src/run/boot-age.ts';

const dayMs = 86_400_000;
/** The process that has taken the run over so often, so long after the first began; its wall clock is `wallMs`. */
const process = (takeovers: number, elapsedMs: number, stoodMs = 0) => ({
  state: { takeovers },
  clock: { elapsed: () => elapsedMs, stood: () => stoodMs },
});
const init = (at: number, ageMs: number | null) => ({
  at,
  initSeconds: ageMs === null ? null : ageMs / 1_000,
});
/** Seen when the process had run for a second, with a PID 1 that had run for so long. */
const before = (ageMs: number | null) => ({
  inBootAt: seenIn(momentIn(process(0, 1_000)), init(dayMs, ageMs)),
});

describe('a machine is still in the boot in which it was seen', () => {
  test.each([
    ['where its PID 1 has run for longer than since then', dayMs, 61_000, dayMs + 60_000, true],
    ['not where that has run for less', dayMs, 61_000, 55_000, false],
    ['not where that is as old as its clock may be ahead', dayMs, 61_000, 63_000, false],
    ['not where its age is not told', dayMs, 61_000, null, false],
    ['though it had just booted', 3_000, 61_000, 68_000, true],
  ])('%s', (_, ageMs, elapsedMs, nowAgeMs, still) => {
    const seen = init(dayMs + elapsedMs - 1_000, nowAgeMs);
    expect(isStillIn(before(ageMs), seen, process(0, elapsedMs))).toBe(still);
  });

  test('and what the process did not live through has passed all the same', () => {
    const seen = init(dayMs + 3_660_000, 3_500_000);
    expect(isStillIn(before(dayMs), seen, process(0, 61_000))).toBe(true);
    expect(isStillIn(before(dayMs), seen, process(0, 61_000, 3_600_000))).toBe(false);
  });

  test.each([
    ['where its PID 1 began at the same moment', dayMs, dayMs + 3_600_000, dayMs + 3_600_000, true],
    ['not where that began later', dayMs, dayMs + 3_600_000, 3_000_000, false],
    ['not where the wall was set: nobody knows', dayMs, dayMs + 7_200_000, dayMs + 3_600_000, false],
    ['not where it had just booted: nobody knows', 30_000, dayMs + 3_600_000, 3_630_000, false],
    ['not where its age is not told', dayMs, dayMs + 3_600_000, null, false],
    ['not where its age was not told', null, dayMs + 3_600_000, dayMs + 3_600_000, false],
  ])('by another process, %s', (_, ageMs, at, nowAgeMs, still) => {
    expect(isStillIn(before(ageMs), init(at, nowAgeMs), process(1, 50))).toBe(still);
  });

  test('not where nobody has seen it before', () => {
    expect(isStillIn({}, init(dayMs, dayMs), process(0, 1_000))).toBe(false);
  });
});
