import { type Failure, ok, type Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import { validateFleet } from '../fleet/validate.ts';
import { type ControlKind, JournalFailure } from '../journal/journal.ts';
import type { Toplevel } from '../ports.ts';
import type { RunEvent, RunId } from '../run/event.ts';
import type { RunState } from '../run/state.ts';
import { observeAll, probeAll } from './observe.ts';
import type { LabDeps } from './prepare.ts';
import { openRun, type Runs, watch } from './runs.ts';
import type { LabSnapshot, RunPhase, Session } from './session.ts';

/** Changes are told at most this often, milliseconds: every commit of the screen costs a frame. */
const tellPauseMs = 100;
const eventsKept = 2_000;
const messagesKept = 500;
/** How old observations may grow before they are read anew while nothing else happens. */
const observeEveryMs = 30_000;
const probeEveryMs = 60_000;
const noticeRunsEveryMs = 1_000;

export type LiveSessionDeps = {
  readonly lab: LabDeps;
  readonly runs: Runs;
  readonly demo: boolean;
  readonly sshArgv: (machine: Machine) => readonly string[] | Failure;
};

/** What ended the following of a run: its journal, or a defect. */
const failureOfThrown = (error: unknown): Failure => ({
  kind: error instanceof JournalFailure ? 'journal' : 'bug',
  machine: null,
  phase: 'run',
  message: error instanceof Error ? error.message : String(error),
  remedy: error instanceof JournalFailure ? error.remedy : 'this is a defect of lab: please report it',
});

/**
 * The session over real adapters (or the simulated world): keeps one immutable snapshot, refreshes what it shows in
 * the background, and follows at most one run: its own, or one that somebody else started.
 */
export const openSession = (deps: LiveSessionDeps): Session => {
  const { lab } = deps;
  const { clock } = lab;
  const closing = new AbortController();
  const listeners = new Set<() => void>();
  /** The run on show while it lasts; `id` is null until it has begun. */
  let following: { id: RunId | null; readonly ended: Promise<void> } | null = null;
  let pending: NodeJS.Timeout | null = null;
  let evaluatedOnce = false;
  let snapshot: LabSnapshot = {
    flake: lab.flake,
    demo: deps.demo,
    now: clock.now(),
    evaluation: { value: null, at: null, refreshing: false, failure: null },
    problems: [],
    observations: new Map(),
    observing: new Set(),
    health: new Map(),
    probing: new Set(),
    toplevels: new Map(),
    phase: { kind: 'none' },
    run: null,
    lockChanges: [],
    events: [],
    messages: [],
  };

  const change = (part: Partial<LabSnapshot>): void => {
    snapshot = { ...snapshot, ...part, now: clock.now() };
    if (pending !== null || listeners.size === 0) return;
    pending = setTimeout(() => {
      pending = null;
      for (const listener of listeners) listener();
    }, tellPauseMs);
  };
  const say = (level: 'info' | 'warning' | 'error', text: string): void =>
    change({ messages: [...snapshot.messages, { at: clock.now(), level, text }].slice(-messagesKept) });
  const without = (set: ReadonlySet<string>, name: string): ReadonlySet<string> =>
    new Set([...set].filter((other) => other !== name));
  const machines = (): readonly Machine[] => snapshot.evaluation.value?.fleet.machines ?? [];

  const observe = async (wanted: readonly Machine[]): Promise<void> => {
    const due = wanted.filter(({ name }) => !snapshot.observing.has(name));
    change({ observing: new Set([...snapshot.observing, ...due.map(({ name }) => name)]) });
    await observeAll(lab.target, due, closing.signal, (observation) =>
      change({
        observations: new Map(snapshot.observations).set(observation.machine, observation),
        observing: without(snapshot.observing, observation.machine),
      }),
    );
  };

  const probe = async (wanted: readonly Machine[]): Promise<void> => {
    const due = wanted.filter(({ name }) => !snapshot.probing.has(name));
    change({ probing: new Set([...snapshot.probing, ...due.map(({ name }) => name)]) });
    await probeAll(lab.target, due, closing.signal, (report) =>
      change({
        health: new Map(snapshot.health).set(report.machine, report),
        probing: without(snapshot.probing, report.machine),
      }),
    );
  };

  const evaluateToplevels = async (): Promise<void> => {
    const report = await lab.nix.toplevels(
      machines().map(({ name }) => name),
      { signal: closing.signal },
    );
    const toplevels = new Map<string, Toplevel>(report.built.map((toplevel) => [toplevel.machine, toplevel]));
    change({ toplevels });
    for (const failure of report.failed) say('warning', `${failure.machine ?? 'flake'}: ${failure.message}`);
  };

  const evaluate = async (): Promise<void> => {
    if (snapshot.evaluation.refreshing) return;
    change({ evaluation: { ...snapshot.evaluation, refreshing: true } });
    const evaluated = await lab.nix.evaluate({ signal: closing.signal });
    if (closing.signal.aborted) return;
    const at = clock.now();
    if (evaluated.ok)
      change({
        evaluation: { value: evaluated.value, at, refreshing: false, failure: null },
        problems: validateFleet(evaluated.value.fleet),
      });
    else change({ evaluation: { ...snapshot.evaluation, refreshing: false, failure: evaluated.failure } });
  };

  const refreshAll = async (): Promise<void> => {
    await evaluate();
    evaluatedOnce = true;
    await Promise.all([observe(machines()), probe(machines()), evaluateToplevels()]);
  };

  const inBackground = (work: Promise<void>): void => {
    work.catch((error: unknown) => {
      say(
        'error',
        `a background task failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    });
  };

  const every = async (periodMs: number, work: () => Promise<void>): Promise<void> => {
    while (!closing.signal.aborted) {
      await clock.sleep(periodMs, closing.signal);
      if (!closing.signal.aborted && evaluatedOnce) await work();
    }
  };

  const phaseOf = (state: RunState): RunPhase => {
    if (state.ended !== null) return { kind: 'ended' };
    if (state.plan === null) return { kind: 'preparing' };
    if (state.approvedAt === null) return { kind: 'awaiting-approval' };
    return { kind: 'running', stopRequested: state.stopRequestedBy !== null };
  };

  const onEvent = (event: RunEvent, state: RunState): void => {
    change({
      run: state,
      phase: phaseOf(state),
      lockChanges: state.lock?.changes ?? [],
      events: [...snapshot.events, event].slice(-eventsKept),
    });
    if (event.body.kind === 'plan-made') inBackground(evaluate());
    if (event.body.kind !== 'step-ended') return;
    const name = event.body.step.slice(0, event.body.step.indexOf('/'));
    const machine = machines().find((candidate) => candidate.name === name);
    if (machine === undefined) return;
    inBackground(observe([machine]));
    inBackground(probe([machine]));
  };

  const refused = (failure: Failure): void => change({ phase: { kind: 'refused', failure } });

  const followRun = async (begin: () => Promise<Result<RunId>>): Promise<void> => {
    const begun = await begin();
    if (!begun.ok) return refused(begun.failure);
    if (following !== null) following.id = begun.value;
    const how = await watch(deps.runs, begun.value, onEvent, closing.signal);
    if (how === 'died')
      refused(
        deps.runs.whyDied(begun.value) ?? {
          kind: 'died',
          machine: null,
          phase: 'run',
          message: `the process of run ${begun.value} died before it could end`,
          remedy: `\`lab resume ${begun.value}\` looks at every machine and goes on from there`,
        },
      );
    if (how !== 'left')
      inBackground(Promise.all([observe(machines()), probe(machines()), evaluateToplevels()]).then(() => {}));
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
  const noticeRuns = async (): Promise<void> => {
    if (following !== null || snapshot.run !== null) return;
    const state = openRun(deps.runs);
    if (state === null || !deps.runs.isAlive(state)) return;
    change({ events: [] });
    say('info', `run ${state.run} is under way, started by ${state.by.user} (${state.by.via})`);
    follow(async () => ok(state.run));
  };

  const askOfRun = (kind: ControlKind): void => {
    try {
      if (following?.id != null) deps.runs.journal.ask(following.id, kind, deps.runs.who);
    } catch (error) {
      const { message, remedy } = failureOfThrown(error);
      say('error', `not asked: ${message}; ${remedy}`);
    }
  };

  inBackground(refreshAll());
  inBackground(every(observeEveryMs, () => observe(machines())));
  inBackground(every(probeEveryMs, () => probe(machines())));
  inBackground(every(noticeRunsEveryMs, noticeRuns));

  return {
    snapshot: () => snapshot,
    now: () => clock.now(),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh: () => inBackground(refreshAll()),
    probe: (names) => inBackground(probe(machines().filter(({ name }) => names.includes(name)))),
    prepare: (goal, names) => {
      if (following !== null) {
        say('warning', 'a run is under way: let it end first');
        return;
      }
      change({ phase: { kind: 'preparing' }, run: null, events: [], lockChanges: [] });
      follow(() => deps.runs.start({ goal, selectors: names, consent: { kind: 'ask' } }));
    },
    approve: () => askOfRun('approve'),
    decline: () => askOfRun('decline'),
    stop: () => {
      askOfRun('stop');
      if (snapshot.phase.kind === 'running') change({ phase: { kind: 'running', stopRequested: true } });
    },
    dismiss: () => {
      if (following === null) change({ phase: { kind: 'none' }, run: null, events: [], lockChanges: [] });
    },
    sshArgv: (name) => {
      const machine = machines().find((candidate) => candidate.name === name);
      return machine === undefined
        ? {
            kind: 'unknown-machine',
            machine: name,
            phase: 'ssh',
            message: `${name} is not evaluated`,
            remedy: 'refresh first',
          }
        : deps.sshArgv(machine);
    },
    finished: async () => {
      if (snapshot.phase.kind === 'awaiting-approval') askOfRun('decline');
      await following?.ended;
    },
    close: async () => {
      if (snapshot.phase.kind === 'awaiting-approval') askOfRun('decline');
      closing.abort();
      await following?.ended;
      if (pending !== null) clearTimeout(pending);
      listeners.clear();
    },
  };
};
