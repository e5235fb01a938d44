/** Milliseconds, and waiting. */
export type Clock = {
  /** Since the epoch, by the wall: for what is written down, and never for a wait. Somebody may set it. */
  now(): number;
  /** Whole ones since some moment before: for waits and deadlines. It goes on steadily, and stands while the machine is suspended or this process stopped. */
  elapsed(): number;
  /** Of the time that passed, what `elapsed` has not counted. It only grows. Absent: nothing is. */
  stood?(): number;
  /** Resolves after `ms`, or at once when the signal aborts (never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};
