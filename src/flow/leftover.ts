import type { Result } from '../failure.ts';
import type { Journal } from '../journal/journal.ts';
import type { Nix } from '../ports.ts';
import type { EventBody, Opened } from '../run/event.ts';
import { labPlace } from '../run/recollection.ts';
import { type RunState, replayIfPossible } from '../run/state.ts';

/** What a run leaves whose process died: perhaps a flake.lock that nobody approved. */

type Lab = {
  readonly journal: Journal;
  readonly nix: Pick<Nix, 'restoreLock' | 'lockHolds'>;
  readonly flake: string;
  readonly opened: Opened;
  /** Who is at it now. */
  readonly by: { readonly host: string };
};

const unrestored = (undone: Result<void>): string =>
  undone.ok ? '' : `; flake.lock could not be put back: ${undone.failure.message}`;

/**
 * Puts flake.lock back where a run moved it, or was about to, and nobody approved its plan. Somebody's work on the file
 * since then stays. Gives what a reader has to know, to be added to a sentence.
 */
export const undoLock = async (
  { nix, flake, opened }: Omit<Lab, 'journal' | 'by'>,
  { lock, approvedAt, ...state }: RunState,
  append: (body: EventBody) => void,
): Promise<string> => {
  if (lock === null || approvedAt !== null) return '';
  // Old records do not say where it lies; then only the lab that is open here can be asked.
  const isHere = labPlace(state.flake, state.opened.cwd) === labPlace(flake, opened.cwd);
  if (lock.move.path === null && !isHere) return '; it had moved flake.lock, which stays as it is';
  const undone = await nix.restoreLock(lock.move);
  if (undone.ok) append({ kind: 'lock-restored' });
  return unrestored(undone);
};

type Ending = Pick<Extract<EventBody, { kind: 'run-ended' }>, 'result' | 'reason'>;

/** The end of an update of flake.lock alone: it was asked for, so what was written stays. */
const endOfUpdate = async (nix: Lab['nix'], { lock }: RunState): Promise<Ending> => {
  const unmoved: Ending = { result: 'interrupted', reason: 'flake.lock was not moved' };
  if (lock === null) return unmoved;
  const holds = await nix.lockHolds(lock.move);
  if (!holds.ok) return { result: 'interrupted', reason: holds.failure.message };
  switch (holds.value) {
    case 'previous':
      return unmoved;
    case 'moved':
      return { result: 'done', reason: 'flake.lock had been moved' };
    case 'other':
      return { result: 'interrupted', reason: 'flake.lock was changed by somebody since' };
    default:
      return holds.value satisfies never;
  }
};

/** The latest run, if it has no end: seen by who holds the lock, its process has died. Null also for a history that cannot be. */
export const leftoverIn = (journal: Journal): RunState | null => {
  const latest = journal.runs(1)[0];
  const state = latest === undefined ? null : replayIfPossible(journal.eventsOf(latest.run));
  return state === null || state.ended !== null ? null : state;
};

/**
 * Ends, in the record, a run whose process died: whoever holds the lock knows that it is gone, unless it was begun on another
 * machine, whose record this is a copy of. A flake.lock that nobody
 * approved is put back; no machine is touched, for the run that begins now looks at every one itself.
 */
export const closeLeftover = async (lab: Lab, why: string): Promise<void> => {
  const { journal } = lab;
  const state = leftoverIn(journal);
  // A history that cannot be is left as it is: it is never continued, and the run that begins looks for itself.
  if (state === null) return;
  const append = (body: EventBody): void => void journal.append(state.run, body);
  const { result, reason }: Ending =
    state.goal.kind === 'update'
      ? await endOfUpdate(lab.nix, state)
      : { result: 'interrupted', reason: `${why}${await undoLock(lab, state, append)}` };
  const { host } = state.by;
  const became = host === lab.by.host ? 'its process died' : `it was begun on ${host}, and may go on there`;
  append({ kind: 'run-ended', result, reason: `${became}; ${reason}`, failure: null });
};
