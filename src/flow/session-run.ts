import { type Failure, ok, type Result } from '../failure.ts';
import { type ControlKind, JournalFailure } from '../journal/journal.ts';
import type { Override } from '../plan/override.ts';
import type { Goal } from '../plan/plan.ts';
import type { RunEvent, RunId, SteerAsk } from '../run/event.ts';
import type { RunState } from '../run/state.ts';
import { openRun, type Runs, watch } from './runs.ts';
import { phaseOf } from './session.ts';
import { withOverrides } from './session-blockers.ts';
import type { Looks } from './session-looks.ts';
import type { SessionStore } from './session-store.ts';

/** The run that a session follows: its own, or one that somebody else started. */

const eventsKept = 2_000;
const noticeRunsEveryMs = 1_000;
/** How long the process of a declined run is waited for before its place is taken. */
const replanWithinMs = 15_000;
const replanLookEveryMs = 50;

/** What ended the following of a run: its journal, or a defect. */
const failureOfThrown = (error: unknown): Failure => ({
  kind: error instanceof JournalFailure ? 'journal' : 'bug',
  machine: null,
  phase: 'run',
  message: error instanceof Error ? error.message : String(error),
  remedy: error instanceof JournalFailure ? error.remedy : 'this is a defect of lab: please report it',
});

export type FollowedRun = {
  readonly prepare: (goal: Goal, machines: readonly string[]) => void;
  /** Prepares the run on show anew, with its overrides and these; a plan of it that waits is declined first. */
  readonly replan: (overrides: readonly Override[]) => void;
  readonly resume: (run: RunId) => void;
  /** Asks a run under way, or takes one that has ended up again. */
  readonly steer: (ask: SteerAsk) => void;
  readonly ask: (kind: ControlKind) => void;
  readonly dismiss: () => void;
  /** Resolves when the run followed has ended; at once when there is none. */
  readonly ended: () => Promise<void>;
  readonly noticeRuns: () => Promise<void>;
};

export const createFollowedRun = (
  runs: Runs,
  looks: Looks,
  store: SessionStore,
  onEnded: () => void,
): FollowedRun => {
  const { change, say, snapshot, closing, inBackground } = store;
  /** The run on show while it lasts; `id` is null until it has begun. */
  let following: { id: RunId | null; readonly ended: Promise<void> } | null = null;

  const onEvent = (event: RunEvent, state: RunState): void => {
    change({
      run: state,
      phase: phaseOf(state),
      lockChanges: state.lock?.changes ?? [],
      events: [...snapshot().events, event].slice(-eventsKept),
    });
    if (event.body.kind === 'plan-made') inBackground(looks.evaluate());
    if (event.body.kind !== 'step-ended') return;
    const name = event.body.step.slice(0, event.body.step.indexOf('/'));
    const machine = looks.machines().find((candidate) => candidate.name === name);
    if (machine === undefined) return;
    inBackground(looks.observe([machine]));
    inBackground(looks.probe([machine]));
  };

  const refused = (failure: Failure): void => change({ phase: { kind: 'refused', failure } });

  const followRun = async (begin: () => Promise<Result<RunId>>): Promise<void> => {
    const begun = await begin();
    if (!begun.ok) return refused(begun.failure);
    if (following !== null) following.id = begun.value;
    const how = await watch(runs, begun.value, onEvent, closing);
    if (how === 'died')
      refused(
        runs.whyDied(begun.value) ?? {
          kind: 'died',
          machine: null,
          phase: 'run',
          message: `the process of run ${begun.value} died before it could end`,
          remedy: `\`lab resume ${begun.value}\` looks at every machine and goes on from there`,
        },
      );
    if (how === 'left') return;
    onEnded();
    const machines = looks.machines();
    inBackground(Promise.all([looks.observe(machines), looks.probe(machines), looks.evaluateToplevels()]));
  };

  const follow = (begin: () => Promise<Result<RunId>>): void => {
    const ended = followRun(begin)
      .catch((error: unknown) => refused(failureOfThrown(error)))
      .finally(() => {
        following = null;
      });
    following = { id: null, ended };
  };

  /** A run that somebody else started appears by itself. */
  const look = (): void => {
    if (following !== null || !['none', 'ended', 'refused'].includes(snapshot().phase.kind)) return;
    const state = openRun(runs);
    // An update of flake.lock touches no machine: there is nothing to follow.
    if (state === null || state.goal.kind === 'update' || !runs.isAlive(state)) return;
    change({ events: [] });
    say('info', `run ${state.run} is under way, started by ${state.by.user} (${state.by.via})`);
    follow(async () => ok(state.run));
  };

  const begin = (work: () => Promise<Result<RunId>>): void => {
    if (following !== null) {
      say('warning', 'a run is under way: let it end first');
      return;
    }
    change({ phase: { kind: 'preparing' }, run: null, events: [], lockChanges: [] });
    follow(work);
  };

  /** The process of a run that has said its last word still gives back what it holds. */
  const gone = async (state: RunState): Promise<void> => {
    const until = runs.clock.elapsed() + replanWithinMs;
    while (runs.isAlive(state) && runs.clock.elapsed() < until && !closing.aborted)
      await runs.clock.sleep(replanLookEveryMs, closing);
  };

  const replan = async (overrides: readonly Override[]): Promise<void> => {
    const { run: state, phase } = snapshot();
    // An update of flake.lock acts on no machine that anything could hold back.
    if (state === null || state.goal.kind === 'update') return;
    const { goal, selectors, plan } = state;
    if (phase.kind === 'awaiting-approval') {
      ask('decline');
      await following?.ended;
      await gone(state);
    }
    if (closing.aborted) return;
    begin(() =>
      runs.start({
        goal,
        selectors,
        consent: { kind: 'ask' },
        overrides: withOverrides(plan, overrides),
      }),
    );
  };

  const ask = (kind: ControlKind, machine?: string): void => {
    try {
      if (following?.id != null) runs.journal.ask(following.id, kind, runs.who, machine);
      if (kind === 'stop' && snapshot().phase.kind === 'running')
        change({ phase: { kind: 'running', stopRequested: true } });
    } catch (error) {
      const { message, remedy } = failureOfThrown(error);
      say('error', `not asked: ${message}; ${remedy}`);
    }
  };

  const steer = (what: SteerAsk): void => {
    const { run: state, phase } = snapshot();
    if (state === null) return;
    if (phase.kind === 'running') ask(what.what, what.machine);
    else
      begin(async () => {
        await gone(state);
        return runs.resume(state.run, what);
      });
  };

  return {
    steer,
    replan: (overrides) => inBackground(replan(overrides)),
    prepare: (goal, selectors) => begin(() => runs.start({ goal, selectors, consent: { kind: 'ask' } })),
    resume: (run) => begin(() => runs.resume(run)),
    ask,
    dismiss: () => {
      if (following === null) change({ phase: { kind: 'none' }, run: null, events: [], lockChanges: [] });
    },
    ended: async () => {
      await following?.ended;
    },
    noticeRuns: async () => {
      let said = '';
      while (!closing.aborted) {
        await runs.clock.sleep(noticeRunsEveryMs, closing);
        try {
          if (!closing.aborted) look();
          said = '';
        } catch (error) {
          // Another program may hold it for a while; who looks for runs goes on looking.
          if (!(error instanceof JournalFailure)) throw error;
          if (error.message !== said) say('warning', `${error.message}; ${error.remedy}`);
          said = error.message;
        }
      }
    },
  };
};
