import { describe, expect, test } from 'vitest';
import { systemClock, withoutSteps } from '../src/clock.ts';

const hour = 3_600_000;

describe('the clock of a process', () => {
  const play = () => {
    let wall = 1_000_000_000;
    let passed = 0;
    return {
      now: withoutSteps(
        () => wall,
        () => passed,
      ),
      pass: (ms: number): void => {
        wall += ms;
        passed += ms;
      },
      set: (byMs: number): void => {
        wall += byMs;
      },
      wall: () => wall,
    };
  };

  test('is the wall clock while nobody sets it', () => {
    const { now, pass, wall } = play();
    for (const ms of [0, 1, 250, 30_000, hour]) {
      pass(ms);
      expect(now()).toBe(wall());
    }
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });

  test.for([hour, -hour])('set by %i ms, it counts a minute as a minute, give or take a little', (step) => {
    const { now, pass, set } = play();
    const before = now();
    set(step);
    expect(now()).toBe(before);
    pass(60_000);
    expect(Math.abs(now() - before - 60_000)).toBeLessThanOrEqual(3_000);
  });

  test.for([hour, -hour])(
    'set by %i ms, it is the wall clock again after a day, and never goes back',
    (step) => {
      const { now, pass, set, wall } = play();
      set(step);
      let last = now();
      for (let minutes = 0; minutes < 24 * 60; minutes += 1) {
        pass(60_000);
        expect(now()).toBeGreaterThanOrEqual(last);
        last = now();
      }
      expect(last).toBe(wall());
    },
  );
});

test('what has elapsed is told in whole milliseconds, as processes and connections take their limits', async () => {
  const before = systemClock.elapsed();
  await systemClock.sleep(5);
  const after = systemClock.elapsed();
  expect(Number.isInteger(before) && Number.isInteger(after)).toBe(true);
  expect(after).toBeGreaterThan(before);
});
