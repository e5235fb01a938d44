import type { Clock } from '../ports.ts';

/** Aborts when `touch` has not been called for `stallMs`. */
export const watchStall = (clock: Clock, stallMs: number) => {
  const stalled = new AbortController();
  const over = new AbortController();
  let touchedAt = clock.elapsed();
  const watch = async () => {
    while (!over.signal.aborted) {
      const left = touchedAt + stallMs - clock.elapsed();
      if (left <= 0) {
        stalled.abort();
        return;
      }
      await clock.sleep(left, over.signal);
    }
  };
  void watch();
  return {
    signal: stalled.signal,
    touch: () => {
      touchedAt = clock.elapsed();
    },
    end: () => over.abort(),
  };
};
