import type { Control, ControlKind, Journal } from '../journal/journal.ts';
import type { Clock } from '../ports.ts';
import type { Pause } from '../run/drive.ts';
import type { RunId } from '../run/event.ts';

/** How often the process of a run looks for what was asked of it, milliseconds. */
const lookEveryMs = 200;

/** What people ask of a run, heard from the journal and turned into what the engine takes. */
export type Controls = {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
  readonly pause: Pause;
  /** The answer to the plan: who approved it, or null when it was declined. Resolves once. */
  readonly answer: Promise<string | null>;
  readonly close: () => void;
};

/** A promise that can be had again after each change. */
const createBell = (): { readonly rung: () => Promise<void>; readonly ring: () => void } => {
  let next = Promise.withResolvers<void>();
  return {
    rung: () => next.promise,
    ring: () => {
      next.resolve();
      next = Promise.withResolvers<void>();
    },
  };
};

/**
 * Listens to what is asked of `run`, and to the signals of this process besides. What was asked before this process
 * took the run over is not heard again: it was meant for the one that is gone.
 */
export const listenToControls = (
  journal: Pick<Journal, 'asked'>,
  run: RunId,
  clock: Clock,
  own: { readonly stop: AbortSignal; readonly abort: AbortSignal },
): Controls => {
  const stop = new AbortController();
  const abort = new AbortController();
  const closing = new AbortController();
  const answer = Promise.withResolvers<string | null>();
  const bell = createBell();
  let pausedBy: string | null = null;
  let unpausedBy: string | null = null;
  const hear: Record<ControlKind, (by: string) => void> = {
    approve: (by) => answer.resolve(by),
    decline: () => answer.resolve(null),
    stop: (by) => stop.abort(by),
    abort: (by) => abort.abort(by),
    pause: (by) => {
      pausedBy = by;
      bell.ring();
    },
    unpause: (by) => {
      pausedBy = null;
      unpausedBy = by;
      bell.ring();
    },
  };
  let lastId = journal.asked(run, 0).at(-1)?.id ?? 0;
  const listen = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const heard: readonly Control[] = journal.asked(run, lastId);
      for (const { id, kind, by } of heard) {
        lastId = id;
        hear[kind](by);
      }
      await clock.sleep(lookEveryMs, closing.signal);
    }
  };
  listen().catch((error: unknown) => {
    // A journal that cannot be read any more cannot be written either: the run ends there, by itself.
    stop.abort(`a journal that cannot be read (${error instanceof Error ? error.message : String(error)})`);
  });
  const either = (mine: AbortSignal, heard: AbortSignal): AbortSignal => AbortSignal.any([mine, heard]);
  const stopEither = either(own.stop, stop.signal);
  const abortEither = either(own.abort, abort.signal);
  const decline = (): void => answer.resolve(null);
  for (const signal of [stopEither, abortEither])
    if (signal.aborted) decline();
    else signal.addEventListener('abort', decline, { once: true });
  return {
    stop: stopEither,
    abort: abortEither,
    pause: { by: () => pausedBy, endedBy: () => unpausedBy, changed: bell.rung },
    answer: answer.promise,
    close: () => closing.abort(),
  };
};
