import type { LookSchedule } from '../flow/session.ts';
import type { Clock } from '../ports.ts';

/** When the screen looks at the lab anew: by cron expressions, as the configuration says. */

/** Six fields, the first are seconds. */
export const lookDefaults = { observe: '*/30 * * * * *', probe: '15 * * * * *' } as const;
export type LookExpressions = { readonly observe: string; readonly probe: string };
/** The expressions as they are at first, and the way to hear of others; the function returned ends that. */
export type LookTimes = {
  readonly first: LookExpressions;
  readonly watch: (listener: (times: LookExpressions) => void) => () => void;
};

/** By a clock that may run faster than the wall's, as that of the demo does. */
export const lookByClock =
  (clock: Clock, everyMs: { readonly observe: number; readonly probe: number }): LookSchedule =>
  (what, look, signal) => {
    const again = async (): Promise<void> => {
      while (!signal.aborted) {
        await clock.sleep(everyMs[what], signal);
        if (!signal.aborted) await look();
      }
    };
    void again();
  };
