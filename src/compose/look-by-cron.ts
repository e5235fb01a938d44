import cron, { type Logger } from 'node-cron';
import type { LookSchedule } from '../flow/session.ts';
import type { LookTimes } from './look-schedule.ts';

/** What it has to say, that it came too late for a look above all, would be written across the screen. */
const silent: Logger = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };

/**
 * Looks at the times that cron expressions name, also at those that are named later; one that is not over when the next
 * is due is not begun twice.
 */
export const lookByCron =
  (times: LookTimes): LookSchedule =>
  (what, look, signal) => {
    if (signal.aborted) return;
    let looking = false;
    const lookOnce = async (): Promise<void> => {
      if (looking) return;
      looking = true;
      try {
        await look();
      } finally {
        looking = false;
      }
    };
    const begin = (expression: string) => ({
      expression,
      task: cron.schedule(expression, lookOnce, { name: `lab ${what}`, logger: silent }),
    });
    let running = begin(times.first[what]);
    const stopWatching = times.watch((news) => {
      if (news[what] === running.expression) return;
      void running.task.destroy();
      running = begin(news[what]);
    });
    const end = (): void => {
      stopWatching();
      void running.task.destroy();
    };
    signal.addEventListener('abort', end, { once: true });
  };
