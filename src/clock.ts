import type { Clock } from './ports.ts';

/** setTimeout holds at most this many milliseconds (2^31 - 1); longer waits go in pieces. */
const timerMaxMs = 2_147_483_647;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
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
