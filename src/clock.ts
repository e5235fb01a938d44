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

/** How often a process sees that it runs, and how late it may be to see it without having been stopped. */
const beatMs = 1_000;
const stoppedAfterMs = 5_000;
/** What a timer may be early by. */
const earlyMs = 5;

/**
 * The time in which this process ran: as `passed`, but for stretches in which it was stopped (SIGSTOP, a frozen cgroup, a
 * virtual machine that was paused). What happened meanwhile it has not seen, and its deadlines are about what it sees: a
 * machine that could not be looked at is not one that did not answer. `beat` is to be called every `beatMs` at least.
 */
export const whileRunning = (
  passed: () => number,
): { readonly elapsed: () => number; readonly beat: () => void } => {
  let at = passed();
  let stopped = 0;
  const beat = (): void => {
    const gap = passed() - at;
    at += gap;
    if (gap > stoppedAfterMs) stopped += gap - beatMs;
  };
  return {
    beat,
    elapsed: () => {
      beat();
      return at - stopped;
    },
  };
};

/** CLOCK_MONOTONIC: who was suspended with the whole machine has not seen the time pass either. */
const running = whileRunning(() => performance.now());
let beating = false;
const elapsed = (): number => {
  if (!beating) {
    beating = true;
    running.beat();
    setInterval(running.beat, beatMs).unref();
  }
  return Math.round(running.elapsed());
};

/** What the clock on the wall shows, steps and all: for what is due by it. */
export const wallClock = (): number => Date.now();

/** The machine's own clock. */
export const systemClock: Clock = {
  now: withoutSteps(wallClock, () => uptime() * 1_000),
  elapsed,
  stood: () => Math.max(0, uptime() * 1_000 - elapsed()),
  sleep: async (ms, signal) => {
    const until = elapsed() + ms;
    for (let leftMs = Math.max(0, ms); !signal?.aborted; leftMs = until - elapsed()) {
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', finish);
          resolve();
        };
        const timer = setTimeout(finish, Math.min(leftMs, timerMaxMs));
        signal?.addEventListener('abort', finish, { once: true });
      });
      // A timer that is due after a stop has not been waited for.
      if (until - elapsed() <= earlyMs) return;
    }
  },
};
