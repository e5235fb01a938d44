import type { Clock, Target } from '../../src/ports.ts';
import type { VirtualClock } from '../../src/sim/clock.ts';
import type { Standstill } from './scenario.ts';

/** Before the suffix of those that have one. */
const suffixed = ['activate-', 'gate-', 'dependencies-'] as const;
/** `activate` of `nas/activate-switch`. */
const kindOf = (step: string): string => {
  const word = step.slice(step.indexOf('/') + 1);
  const kind = suffixed.find((each) => word.startsWith(each));
  return kind === undefined ? word : kind.slice(0, -1);
};

/**
 * A process that is stopped now and then: nothing wakes in it meanwhile, and its clock does not count the time. What it
 * has sent arrives, and is answered; it reads the answer once it goes on.
 */
export const standingStill = (
  standstills: readonly Standstill[],
  time: Pick<VirtualClock, 'now' | 'schedule'>,
) => {
  /** How many steps of each kind have been intended. */
  const intents = new Map<string, number>();
  /** The earliest first. */
  const stands: { readonly from: number; readonly until: number }[] = [];
  const begin = (from: number, forMs: number): void => {
    stands.push({ from, until: from + forMs });
    stands.sort((a, b) => a.from - b.from);
  };
  for (const still of standstills) if ('atMs' in still) begin(time.now() + still.atMs, still.forMs);
  const stood = (): number => {
    let ms = 0;
    let counted = 0;
    for (const { from, until } of stands) {
      ms += Math.max(0, Math.min(time.now(), until) - Math.max(from, counted));
      counted = Math.max(counted, until);
    }
    return ms;
  };
  const isStopped = ({ from, until }: (typeof stands)[number]): boolean =>
    from <= time.now() && time.now() < until;
  const goesOn = async (clock: Clock): Promise<void> => {
    for (const each of stands) if (isStopped(each)) await clock.sleep(each.until - time.now());
  };

  const clockOf = (clock: Clock): Clock => {
    if (standstills.length === 0) return clock;
    const elapsed = (): number => clock.elapsed() - stood();
    return {
      now: clock.now,
      elapsed,
      stood,
      sleep: async (ms, signal) => {
        const until = elapsed() + Math.max(0, ms);
        do {
          await clock.sleep(until - elapsed(), signal);
          if (stands.some(isStopped)) await goesOn(clock);
        } while (elapsed() < until && signal?.aborted !== true);
      },
    };
  };

  const targetOf = (target: Target, clock: Clock): Target => {
    if (standstills.length === 0) return target;
    const late =
      <Args extends readonly unknown[], T>(ask: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        const answer = await ask(...args);
        if (stands.some(isStopped)) await goesOn(clock);
        return answer;
      };
    return {
      observe: late(target.observe),
      preflight: late(target.preflight),
      health: late(target.health),
      generations: late(target.generations),
      copy: late(target.copy),
      activate: late(target.activate),
      settle: late(target.settle),
      triggerReboot: late(target.triggerReboot),
      lease: late(target.lease),
    };
  };

  const standsUntil = (): number =>
    stands.reduce(
      (until, each) => (each.from <= until && until < each.until ? each.until : until),
      time.now(),
    );

  return {
    clockOf,
    targetOf,
    /** How long so far, milliseconds. */
    stood,
    isStanding: (): boolean => standsUntil() > time.now(),
    /** What comes to a process from outside, a signal or a word of a person, is heard once it goes on. */
    toProcess: (at: number, hear: () => void): void => {
      const onceItGoesOn = (): void => {
        const until = standsUntil();
        // Another standstill may have begun meanwhile.
        if (until > time.now()) time.schedule(until, onceItGoesOn);
        else hear();
      };
      time.schedule(at, onceItGoesOn);
    },
    intended: (step: string): void => {
      // Most processes never do.
      if (standstills.length === 0) return;
      const kind = kindOf(step);
      const count = (intents.get(kind) ?? 0) + 1;
      intents.set(kind, count);
      for (const still of standstills)
        if ('step' in still && still.step === kind && still.nth === count)
          begin(time.now() + still.laterMs, still.forMs);
    },
  };
};
