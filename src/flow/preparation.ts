import { type Failure, ok, type Result } from '../failure.ts';
import type { Clock, NixOptions } from '../ports.ts';
import type { EventBody, Preparation } from '../run/event.ts';

/** Pieces of work before any machine is touched, each told by an event before it and one after it. */

export type Recorder = (body: EventBody) => void;

export const preparationFailure = (
  kind: string,
  phase: string,
  message: string,
  remedy: string,
  detail: readonly string[] = [],
): Failure => ({ kind, machine: null, phase, message, remedy, ...(detail.length === 0 ? {} : { detail }) });

/** Progress lines become notes at most this often, milliseconds. */
const notePauseMs = 500;
const noteCharsMax = 500;

export type Work<T> = (options: NixOptions) => Promise<Result<{ readonly value: T; readonly note: string }>>;

/** Does one piece of work between its two events; its progress lines become notes. */
export const createPreparations = (record: Recorder, clock: Clock, signal: AbortSignal) => {
  const progressNotes = (work: Preparation): ((line: string) => void) => {
    let lastAt = 0;
    return (line) => {
      const now = clock.now();
      if (now - lastAt < notePauseMs) return;
      lastAt = now;
      record({ kind: 'preparation-noted', work, note: line.slice(0, noteCharsMax) });
    };
  };
  return async <T>(work: Preparation, act: Work<T>): Promise<Result<T>> => {
    record({ kind: 'preparation-started', work });
    const result = await act({ signal, onProgress: progressNotes(work) });
    record({
      kind: 'preparation-finished',
      work,
      failure: result.ok ? null : result.failure,
      note: result.ok ? result.value.note : '',
    });
    return result.ok ? ok(result.value.value) : result;
  };
};
export type Prepare = ReturnType<typeof createPreparations>;
