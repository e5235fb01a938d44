import type { Clock, Target } from '../../src/ports.ts';
import type { VirtualClock } from '../../src/sim/clock.ts';

/**
 * A process that is stopped now and then: nothing wakes in it meanwhile, and its clock does not count the time. What it
 * has sent arrives, and is answered; it reads the answer once it goes on.
 */
export const standingStill = (
  standstills: readonly { readonly atMs: number; readonly forMs: number }[],
  time: Pick<VirtualClock, 'now'>,
) => {
  const stands = standstills.map(({ atMs, forMs }) => {
    const from = time.now() + atMs;
    return { from, until: from + forMs };
  });
  const stood = (): number =>
    stands.reduce((sum, { from, until }) => sum + Math.max(0, Math.min(time.now(), until) - from), 0);
  const goesOn = async (clock: Clock): Promise<void> => {
    for (const { from, until } of stands)
      if (from <= time.now() && time.now() < until) await clock.sleep(until - time.now());
  };

  const clockOf = (clock: Clock): Clock => {
    if (stands.length === 0) return clock;
    const elapsed = (): number => clock.elapsed() - stood();
    return {
      now: clock.now,
      elapsed,
      stood,
      sleep: async (ms, signal) => {
        const until = elapsed() + Math.max(0, ms);
        do {
          await clock.sleep(until - elapsed(), signal);
          await goesOn(clock);
        } while (elapsed() < until && signal?.aborted !== true);
      },
    };
  };

  const targetOf = (target: Target, clock: Clock): Target => {
    if (stands.length === 0) return target;
    const late =
      <Args extends readonly unknown[], T>(ask: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        const answer = await ask(...args);
        await goesOn(clock);
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

  return { clockOf, targetOf };
};
