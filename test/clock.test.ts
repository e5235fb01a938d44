import { describe, expect, test } from 'vitest';
import { systemClock, whileRunning, withoutSteps } from '../src/clock.ts';

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

describe('the time in which a process ran', () => {
  const play = () => {
    let passed = 0;
    const { elapsed, beat } = whileRunning(() => passed);
    const run = (ms: number): void => {
      for (let left = ms; left > 0; left -= 1_000) {
        passed += Math.min(left, 1_000);
        beat();
      }
    };
    const stop = (ms: number): void => {
      passed += ms;
    };
    return { elapsed, run, stop };
  };

  test('is all of it while it runs, also where it is slow', () => {
    const { elapsed, run, stop } = play();
    run(hour);
    expect(elapsed()).toBe(hour);
    stop(4_000);
    run(1_000);
    expect(elapsed()).toBe(hour + 5_000);
  });

  test.for([6_000, hour, 30 * hour])('a stop of %i ms is no more of it than a moment', (ms) => {
    const { elapsed, run, stop } = play();
    run(10_000);
    stop(ms);
    // Whoever asks first, a look or the beat, finds the same.
    expect(elapsed()).toBe(11_000);
    run(3_000);
    expect(elapsed()).toBe(14_000);
  });
});
