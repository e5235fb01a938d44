import type { Clock } from '../ports.ts';
import { failed, type Probe, seconds, untold } from './reading.ts';

/** Limits of one try. */
export type TryOptions = {
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
};

/**
 * Gives `work` until the deadline: silence until then is a failed try, an abort from outside an unknown one. The
 * signal that `work` gets fires in both cases, and when it has answered.
 */
export const within = async (
  { clock, deadlineMs, signal }: TryOptions,
  work: (signal: AbortSignal) => Promise<Probe>,
): Promise<Probe> => {
  const end = new AbortController();
  const either = signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]);
  const late = async (): Promise<Probe> => {
    await clock.sleep(deadlineMs, either);
    return signal?.aborted === true ? untold('cancelled') : failed(`no answer within ${seconds(deadlineMs)}`);
  };
  try {
    return await Promise.race([work(either), late()]);
  } finally {
    end.abort();
  }
};
