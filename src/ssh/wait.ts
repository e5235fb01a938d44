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

/** A reason at hand spares the exception, with its stack, that an abort without one makes. */
const done = 'done';

/**
 * Waits for `work` until it is done, `deadlineMs` have passed or the signal aborts. The work itself is not
 * stopped: who gives up must end it. A rejection of `work` is a bug and passes through.
 */
export const within = async <T>(work: Promise<T>, patience: Patience): Promise<Waited<T>> => {
  const { clock, deadlineMs, signal } = patience;
  const over = new AbortController();
  const limit = clock
    .sleep(deadlineMs, signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]))
    .then((): Waited<T> => ({ kind: signal?.aborted === true ? 'aborted' : 'timeout' }));
  try {
    return await Promise.race([work.then((value): Waited<T> => ({ kind: 'done', value })), limit]);
  } finally {
    over.abort(done);
  }
};
