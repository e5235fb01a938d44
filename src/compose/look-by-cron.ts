import cron from 'node-cron';
import type { LookSchedule } from '../flow/session.ts';
import type { LookExpressions } from './look-schedule.ts';

/** Looks at the times that cron expressions name; one that is not over when the next is due is not begun twice. */
export const lookByCron =
  (expressions: LookExpressions): LookSchedule =>
  (what, look, signal) => {
    if (signal.aborted) return;
    const task = cron.schedule(expressions[what], look, { noOverlap: true, name: `lab ${what}` });
    signal.addEventListener('abort', () => void task.destroy(), { once: true });
  };
