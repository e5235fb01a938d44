import { fail, ok, type Result } from '../failure.ts';
import { type Journal, JournalFailure, type RunSummary } from '../journal/journal.ts';
import type { Past } from '../plan/past.ts';
import type { RunEvent, RunId } from '../run/event.ts';
import { labPlace, nothingRecalled, pastOf, Recollection, remember } from '../run/recollection.ts';

/** What past runs know, read from the journal: a run that has ended is read once, and what it tells is kept. */

/** Runs since the one whose recollection is kept: more than a few only where none was ever kept. */
const runsLookedAt = { first: 4, most: 100 } as const;

const keptUpTo = (journal: Journal, { run, lastSeq }: RunSummary): Recollection | null => {
  const kept = journal.recalled(run);
  // The run has gone on since.
  if (kept === null || kept.seq !== lastSeq) return null;
  try {
    return Recollection.safeParse(JSON.parse(kept.text)).data ?? null;
  } catch {
    return null;
  }
};

/** The newest recollection that still holds, and the runs after it, oldest first. */
const whereToBegin = (
  journal: Journal,
): { readonly known: Recollection; readonly later: readonly RunId[] } => {
  const look = (count: number) => {
    const later: RunId[] = [];
    for (const summary of journal.runs(count)) {
      const known = keptUpTo(journal, summary);
      if (known !== null) return { known, later };
      later.unshift(summary.run);
    }
    return { known: nothingRecalled, later };
  };
  const near = look(runsLookedAt.first);
  return near.later.length < runsLookedAt.first ? near : look(runsLookedAt.most);
};

const hasEnded = (events: readonly RunEvent[]): boolean => events.at(-1)?.body.kind === 'run-ended';

const keep = (journal: Journal, events: readonly RunEvent[], known: Recollection): void => {
  const last = events.at(-1);
  if (last === undefined) return;
  try {
    journal.keepRecalled(last.run, last.seq, JSON.stringify(known));
  } catch (error) {
    // A copy that cannot be kept is made again next time; what it says was read all the same.
    if (!(error instanceof JournalFailure)) throw error;
  }
};

const readPast = (journal: Journal, place: string): Past => {
  const { known: start, later } = whereToBegin(journal);
  let known = start;
  let toKeep: { readonly events: readonly RunEvent[]; readonly known: Recollection } | null = null;
  let closed = true;
  for (const run of later) {
    const events = journal.eventsOf(run);
    known = remember(known, events);
    closed = closed && hasEnded(events);
    if (closed) toKeep = { events, known };
  }
  if (toKeep !== null) keep(journal, toKeep.events, toKeep.known);
  return pastOf(known, place);
};

/**
 * What the runs of this journal know of the machines of the flake `flake`, named from the folder `cwd`. Failure kind
 * `journal`: it cannot be read.
 */
export const recallPast = (journal: Journal, flake: string, cwd: string): Result<Past> => {
  try {
    return ok(readPast(journal, labPlace(flake, cwd)));
  } catch (error) {
    if (!(error instanceof JournalFailure)) throw error;
    const { message, remedy } = error;
    return fail({ kind: 'journal', machine: null, phase: 'journal', message, remedy });
  }
};
