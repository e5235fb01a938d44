import { uptime } from 'node:os';
import type { Clock } from './ports.ts';

/** setTimeout holds at most this many milliseconds (2^31 - 1); longer waits go in pieces. */
const timerMaxMs = 2_147_483_647;

/** What wall clock and uptime may differ by because they are read one after the other, and coarsely. */
const noiseMs = 100;
/** How much of the time that passes is used to catch up with a wall clock that was set. */
const slope = 0.05;

/**
 * The wall clock, with its steps made slopes: what a run writes down must not say that a gate took an hour because somebody
 * set the clock. Never goes back. `elapsed` counts the milliseconds that have really passed, those of a suspended machine too.
 */
export const withoutSteps = (wall: () => number, elapsed: () => number): (() => number) => {
  let told = wall();
  let at = elapsed();
  return () => {
    const passed = Math.max(0, elapsed() - at);
    at += passed;
    const off = wall() - (told + passed);
    const caughtUp =
      Math.abs(off) <= noiseMs ? off : Math.sign(off) * Math.min(Math.abs(off), passed * slope);
    told = Math.max(told, told + passed + caughtUp);
    return Math.round(told);
  };
};

/** The machine's own clock. */
export const systemClock: Clock = {
  now: withoutSteps(
    () => Date.now(),
    () => uptime() * 1_000,
  ),
  // CLOCK_MONOTONIC: who slept through a wait has not seen it pass.
  elapsed: () => Math.round(performance.now()),
  sleep: async (ms, signal) => {
    for (let leftMs = Math.max(0, ms); !signal?.aborted; leftMs -= timerMaxMs) {
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', finish);
          resolve();
        };
        const timer = setTimeout(finish, Math.min(leftMs, timerMaxMs));
        signal?.addEventListener('abort', finish, { once: true });
      });
      if (leftMs <= timerMaxMs) return;
    }
  },
};
