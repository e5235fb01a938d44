import type { Result } from '../failure.ts';
import { JournalFailure } from '../journal/journal.ts';
import type { Past } from '../plan/past.ts';
import type { RunId } from '../run/event.ts';
import { replayIfPossible } from '../run/state.ts';
import { type PastRun, pastRunOf } from './past-run.ts';
import type { Runs } from './runs.ts';
import type { SessionStore } from './session-store.ts';

/** Runs of the journal that a session tells of. */
const runsShown = 60;

export type PastRuns = {
  /** Reads anew what has changed since the last time. */
  readonly load: () => Promise<void>;
  readonly open: (run: RunId) => void;
};

export const createPastRuns = (runs: Runs, recall: () => Result<Past>, store: SessionStore): PastRuns => {
  const known = new Map<RunId, { readonly lastSeq: number; readonly past: PastRun }>();
  let loading: Promise<void> | null = null;

  const read = async (): Promise<void> => {
    const past: PastRun[] = [];
    for (const { run, lastSeq } of runs.journal.runs(runsShown)) {
      if (store.closing.aborted) return;
      const before = known.get(run);
      if (before?.lastSeq !== lastSeq) {
        // A run at a time: reading one that planned for hundreds of machines takes milliseconds.
        await runs.clock.sleep(0, store.closing);
        const state = replayIfPossible(runs.journal.eventsOf(run));
        if (state !== null) known.set(run, { lastSeq, past: pastRunOf(state) });
      }
      const entry = known.get(run);
      if (entry !== undefined) past.push(entry.past);
    }
    const recalled = recall();
    if (!recalled.ok) store.say('warning', `past runs: ${recalled.failure.message}`);
    store.change({ past, ...(recalled.ok ? { recalled: recalled.value } : {}) });
  };

  const load = (): Promise<void> => {
    loading ??= read()
      .catch((error: unknown) => {
        store.say('warning', `past runs: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => {
        loading = null;
      });
    return loading;
  };

  return {
    load,
    open: (run) => {
      try {
        const events = runs.journal.eventsOf(run);
        store.change({ opened: { run, events, problem: events.length === 0 ? `no run ${run}` : null } });
      } catch (error) {
        if (!(error instanceof JournalFailure)) throw error;
        store.change({ opened: { run, events: [], problem: `${error.message}; ${error.remedy}` } });
      }
    },
  };
};
