import { type Failure, fail, ok, type Result } from '../failure.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../ports.ts';
import type { RunEvent, RunId, SteerAsk } from '../run/event.ts';
import { applyEvent, beginRun, type RunState, replayIfPossible } from '../run/state.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { type ConductDeps, conduct, newRunId, type RunRequest } from './conduct.ts';
import { resume } from './resume.ts';

/**
 * Runs as front ends see them: begun somewhere (a process of their own, or this one), watched and steered through the
 * journal. Whoever watches may go; the run does not notice.
 */
export type Runs = {
  readonly journal: Journal;
  readonly clock: Clock;
  /** Resolves once the first event is in the journal, or with why it could not begin. */
  start(request: RunRequest): Promise<Result<RunId>>;
  /** Goes on with a run whose process is gone or, steered so, with one that has ended. */
  resume(run: RunId, steer?: SteerAsk): Promise<Result<RunId>>;
  /** Whether the process that executes the run is still there. */
  isAlive(state: RunState): boolean;
  /** Why the process of a run gave it up without an end, where that is known: its journal broke. */
  whyDied(run: RunId): Failure | null;
  /** False where this process executes the runs itself: then it must stay until they have ended. */
  readonly detached: boolean;
  /** Who asks, for the record: `amy (cli)`. */
  readonly who: string;
};

/** How often a viewer looks for new events, milliseconds. */
const lookEveryMs = 100;

export type Watched = 'ended' | 'died' | 'left';

/**
 * Tells every event of a run from its first on, with the state after it, until it has ended, its process has died, or
 * the signal aborts. The next event is told once `onEvent` is done with the one before.
 */
export const watch = async (
  runs: Runs,
  run: RunId,
  onEvent: (event: RunEvent, state: RunState) => void | Promise<void>,
  leave: AbortSignal,
): Promise<Watched> => {
  let state: RunState | null = null;
  let lastSeq = 0;
  const read = async (): Promise<void> => {
    for (const event of runs.journal.eventsOf(run, lastSeq)) {
      state = state === null ? beginRun(event) : applyEvent(state, event);
      lastSeq = event.seq;
      const told = onEvent(event, state);
      if (told !== undefined) await told;
    }
  };
  for (;;) {
    await read();
    const seen = state as RunState | null;
    // It has begun, in another file than the one that was opened here: this throws.
    if (seen === null) runs.journal.after(lastSeq, 1);
    if (seen?.ended != null) return 'ended';
    if (leave.aborted) return 'left';
    if (seen !== null && !runs.isAlive(seen)) {
      // Its last words may have come between the two looks.
      await read();
      return (state as RunState | null)?.ended != null ? 'ended' : 'died';
    }
    await runs.clock.sleep(lookEveryMs, leave);
  }
};

/** The latest run that has not ended and whose history can be: alive, or left behind by a process that died. */
export const openRun = (runs: Pick<Runs, 'journal'>): RunState | null => {
  const latest = runs.journal.runs(1)[0];
  if (latest === undefined) return null;
  // Asked every second by the screen: only a run that has not ended is worth reading whole.
  const last = runs.journal.eventsOf(latest.run, latest.lastSeq - 1).at(-1);
  return last?.body.kind === 'run-ended' ? null : replayIfPossible(runs.journal.eventsOf(latest.run));
};

const stackLinesMax = 10;

/** A defect that ended a run in the middle: whoever is told that it began hears of it here alone. */
const brokenBy = (run: RunId, error: unknown): Failure => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const [first = '', ...where] = text.split('\n').slice(0, stackLinesMax);
  return {
    kind: 'died',
    machine: null,
    phase: 'run',
    message: `the process of run ${run} died: ${sanitiseLine(first)}`,
    remedy: `\`lab resume ${run}\` looks at every machine and goes on from there; please report it`,
    detail: where.map((line) => sanitiseLine(line)),
  };
};

/** Runs hosted by this process: for the timer, whose unit is the run, for the demo and for tests. */
export const hostRuns = (
  deps: ConductDeps,
  signals: { readonly stop: AbortSignal; readonly abort: AbortSignal },
): Runs & { readonly finished: () => Promise<void> } => {
  let underWay: Promise<unknown> = Promise.resolve();
  const alive = new Set<RunId>();
  const died = new Map<RunId, Failure>();
  const host = (
    run: RunId,
    work: (onEvent: () => void) => Promise<Result<RunState>>,
  ): Promise<Result<RunId>> => {
    const begun = Promise.withResolvers<Result<RunId>>();
    alive.add(run);
    underWay = work(() => begun.resolve(ok(run)))
      .then((result) => {
        if (!result.ok) died.set(run, result.failure);
        begun.resolve(result.ok ? ok(run) : result);
      })
      .catch((error: unknown) => {
        died.set(run, brokenBy(run, error));
        begun.reject(error);
      })
      .finally(() => alive.delete(run));
    return begun.promise;
  };
  return {
    journal: deps.journal,
    clock: deps.clock,
    who: `${deps.by.user} (${deps.by.via})`,
    start: (request) => {
      const run = newRunId(deps.clock.now());
      return host(run, (onEvent) => conduct(deps, run, request, { onEvent, ...signals }));
    },
    resume: (run, steer) => host(run, (onEvent) => resume(deps, run, { onEvent, ...signals }, steer ?? null)),
    isAlive: ({ run }) => alive.has(run),
    whyDied: (run) => died.get(run) ?? null,
    detached: false,
    finished: async () => {
      await underWay;
    },
  };
};

/** What the process of a run is to do. */
export type RunWork =
  | { readonly kind: 'new'; readonly request: RunRequest }
  | { readonly kind: 'resume'; readonly steer?: SteerAsk };

/** Starts runs in processes of their own. `launch` gives the first line the new process says. */
export const detachedRuns = (parts: {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly who: string;
  readonly launch: (run: RunId, work: RunWork) => Promise<Result<void>>;
  /** Whether the process of a run is still there; of one that nothing can be said of it is not known to be gone. */
  readonly isAlive: (state: RunState) => boolean;
  readonly whyDied: (run: RunId) => Failure | null;
}): Runs => ({
  journal: parts.journal,
  clock: parts.clock,
  who: parts.who,
  start: async (request) => {
    const run = newRunId(parts.clock.now());
    const begun = await parts.launch(run, { kind: 'new', request });
    return begun.ok ? ok(run) : fail(begun.failure);
  },
  resume: async (run, steer) => {
    const begun = await parts.launch(run, { kind: 'resume', ...(steer === undefined ? {} : { steer }) });
    return begun.ok ? ok(run) : fail(begun.failure);
  },
  whyDied: parts.whyDied,
  detached: true,
  isAlive: parts.isAlive,
});
