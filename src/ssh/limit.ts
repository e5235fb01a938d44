import type { Clock } from '../ports.ts';

/** One deadline and one caller's signal as a single signal, for everything that one call does. */
export type Limit = {
  readonly signal: AbortSignal;
  /** Why `signal` aborted; null while it has not. */
  why(): 'deadline' | 'cancelled' | null;
  remainingMs(): number;
  readonly deadlineMs: number;
  /** Stops the clock: to be called when the work is over. */
  end(): void;
};

export const startLimit = (clock: Clock, deadlineMs: number, signal: AbortSignal | undefined): Limit => {
  const deadlineAt = clock.elapsed() + deadlineMs;
  const over = new AbortController();
  const expired = new AbortController();
  const cancelled = (): boolean => signal?.aborted === true;
  let reason: 'deadline' | 'cancelled' | null = cancelled() ? 'cancelled' : null;
  void clock
    .sleep(deadlineMs, signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]))
    .then(() => {
      if (over.signal.aborted) return;
      reason = cancelled() ? 'cancelled' : 'deadline';
      expired.abort('deadline');
    });
  return {
    signal: signal === undefined ? expired.signal : AbortSignal.any([signal, expired.signal]),
    why: () => reason ?? (cancelled() ? 'cancelled' : null),
    remainingMs: () => Math.max(0, deadlineAt - clock.elapsed()),
    deadlineMs,
    end: () => over.abort('over'),
  };
};
