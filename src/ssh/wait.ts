import type { Clock } from '../ports.ts';

export type Waited<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' };

export type Patience = {
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
};

const never = <T>(): Promise<T> => new Promise<T>(() => {});

/**
 * Waits for `work` until it is done, `deadlineMs` have passed or the signal aborts. The work itself is not
 * stopped: who gives up must end it. A rejection of `work` is a bug and passes through.
 */
export const within = async <T>(work: Promise<T>, patience: Patience): Promise<Waited<T>> => {
  if (patience.signal?.aborted === true) {
    void work.catch(() => undefined);
    return { kind: 'aborted' };
  }
  const over = new AbortController();
  const stop = patience.signal === undefined ? over.signal : AbortSignal.any([over.signal, patience.signal]);
  const limit = patience.clock.sleep(patience.deadlineMs, stop).then((): Promise<Waited<T>> | Waited<T> => {
    if (over.signal.aborted) return never<Waited<T>>();
    return { kind: patience.signal?.aborted === true ? 'aborted' : 'timeout' };
  });
  try {
    return await Promise.race([work.then((value): Waited<T> => ({ kind: 'done', value })), limit]);
  } finally {
    over.abort();
  }
};

/** What is left of a deadline, never negative. */
export const remainingMs = (clock: Clock, deadlineAt: number): number =>
  Math.max(0, deadlineAt - clock.now());
