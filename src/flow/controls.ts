import type { Control, ControlKind, Journal } from '../journal/journal.ts';
import type { Clock } from '../ports.ts';
import type { Pause, Steering } from '../run/drive.ts';
import type { RunId } from '../run/event.ts';
import type { SteerRequest } from '../run/steer.ts';

/** How often the process of a run looks for what was asked of it, milliseconds. */
const lookEveryMs = 200;

/** What people ask of a run, heard from the journal and turned into what the engine takes. */
export type Controls = {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
  readonly pause: Pause;
  readonly steering: Steering;
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
  let steers: readonly SteerRequest[] = [];
  const steer =
    (what: SteerRequest['what']) =>
    (by: string, machine: string | null): void => {
      steers = [...steers, { what, machine: machine ?? '', by }];
      bell.ring();
    };
  const hear: Record<ControlKind, (by: string, machine: string | null) => void> = {
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
    skip: steer('skip'),
    retry: steer('retry'),
  };
  let lastId = 0;
  // The journal tells them a hundred at a time.
  for (let old = journal.asked(run, 0); old.length > 0; old = journal.asked(run, lastId))
    lastId = old.at(-1)?.id ?? lastId;
  const listen = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const heard: readonly Control[] = journal.asked(run, lastId);
      for (const { id, kind, by, machine } of heard) {
        lastId = id;
        hear[kind](by, machine);
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
    steering: {
      take: () => {
        const taken = steers;
        steers = [];
        return taken;
      },
      changed: bell.rung,
    },
    answer: answer.promise,
    close: () => closing.abort(),
  };
};
