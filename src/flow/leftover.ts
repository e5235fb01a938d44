import type { Journal } from '../journal/journal.ts';
import { type RunState, replayIfPossible } from '../run/state.ts';

/** What a run leaves whose process died. */

/** What is not known of flake.lock where a process died while Nix moved it; Nix goes on without that process. */
export const lockInDoubt = ({ lock, preparations }: RunState): string => {
  const last = preparations.at(-1);
  return lock === null && last?.work === 'update' && last.endedAt === null
    ? '; it died while Nix moved flake.lock, which may be the new one: `git diff flake.lock` shows it'
    : '';
};

/**
 * Ends, in the record, a run whose process died: whoever holds the lock knows that it is gone. Nothing is undone; the
 * run that begins now looks at every machine itself.
 */
export const closeLeftover = (journal: Journal, why: string): void => {
  const latest = journal.runs(1)[0];
  const state = latest === undefined ? null : replayIfPossible(journal.eventsOf(latest.run));
  // A history that cannot be is left as it is: it is never continued, and the run that begins looks for itself.
  if (state === null || state.ended !== null) return;
  const lock =
    state.lock !== null && state.approvedAt === null
      ? '; it had moved flake.lock, which stays as it is'
      : lockInDoubt(state);
  journal.append(state.run, {
    kind: 'run-ended',
    result: 'interrupted',
    reason: `its process died; ${why}${lock}`,
    failure: null,
  });
};
