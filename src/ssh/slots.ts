/**
 * A bounded number of places and an orderly queue for them. `limit` may shrink while places are taken: a server
 * that refuses a session has told its own limit.
 */
export type Slots = {
  /** Resolves to the act of giving the place back, or to null when the signal aborts first. */
  take(signal?: AbortSignal): Promise<(() => void) | null>;
  /** Lets at most `limit` hold a place from now on (at least one). */
  shrinkTo(limit: number): void;
  taken(): number;
};

export const createSlots = (initialLimit: number): Slots => {
  let limit = initialLimit;
  let taken = 0;
  const queue: (() => void)[] = [];

  const place = (): (() => void) => {
    taken += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      taken -= 1;
      admit();
    };
  };
  const admit = (): void => {
    while (taken < limit) {
      const next = queue.shift();
      if (next === undefined) return;
      next();
    }
  };

  return {
    take: (signal) => {
      if (signal?.aborted === true) return Promise.resolve(null);
      if (taken < limit && queue.length === 0) return Promise.resolve(place());
      return new Promise((resolve) => {
        const granted = (): void => {
          signal?.removeEventListener('abort', left);
          resolve(place());
        };
        const left = (): void => {
          queue.splice(queue.indexOf(granted), 1);
          resolve(null);
        };
        queue.push(granted);
        signal?.addEventListener('abort', left, { once: true });
      });
    },
    shrinkTo: (wanted) => {
      limit = Math.max(1, Math.min(limit, wanted));
    },
    taken: () => taken,
  };
};
