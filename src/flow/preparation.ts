import { type Failure, ok, type Result } from '../failure.ts';
import type { Clock, NixOptions, Progress } from '../ports.ts';
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

/**
 * Lines that come too soon after the last one are left out, but not for good: the newest of them is noted when its time has
 * come, for the next may be an hour away. What was built is never left out.
 */
const createNotes = (record: Recorder, clock: Clock, work: Preparation) => {
  type Note = { readonly line: string; readonly progress: Progress | undefined };
  let lastAt = Number.NEGATIVE_INFINITY;
  let waiting: Note | null = null;
  let over = false;
  const done = new AbortController();
  const write = ({ line, progress }: Note): void => {
    lastAt = clock.elapsed();
    waiting = null;
    const built = progress?.built ?? [];
    record({
      kind: 'preparation-noted',
      work,
      note: line.slice(0, noteCharsMax),
      ...(progress === undefined || progress.amounts.length === 0 ? {} : { amounts: progress.amounts }),
      ...(built.length === 0 ? {} : { built }),
    });
  };
  const writeLater = async (): Promise<void> => {
    await clock.sleep(Math.max(0, lastAt + notePauseMs - clock.elapsed()), done.signal);
    if (waiting !== null && !over) write(waiting);
  };
  return {
    note: (line: string, progress?: Progress): void => {
      if (over) return;
      const next = { line, progress };
      if ((progress?.built ?? []).length > 0 || clock.elapsed() - lastAt >= notePauseMs) {
        write(next);
        return;
      }
      const first = waiting === null;
      waiting = next;
      if (first) void writeLater();
    },
    end: (): void => {
      over = true;
      // A reason, for without one an exception with a stack is made that nobody reads.
      done.abort('this work is over');
    },
  };
};

/** Does one piece of work between its two events; its progress lines become notes. */
export const createPreparations = (record: Recorder, clock: Clock, signal: AbortSignal) => {
  return async <T>(work: Preparation, act: Work<T>): Promise<Result<T>> => {
    record({ kind: 'preparation-started', work });
    let broken: { readonly error: unknown } | null = null;
    const givingUp = new AbortController();
    // Notes are told from the streams of programs, where nobody would catch what a full disk throws.
    const recordNote = (body: EventBody): void => {
      if (broken !== null) return;
      try {
        record(body);
      } catch (error) {
        broken = { error };
        givingUp.abort(error);
      }
    };
    const notes = createNotes(recordNote, clock, work);
    const either = AbortSignal.any([signal, givingUp.signal]);
    const result = await act({ signal: either, onProgress: notes.note }).finally(notes.end);
    if (broken !== null) throw (broken as { readonly error: unknown }).error;
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
