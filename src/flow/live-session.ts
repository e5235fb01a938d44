import type { Failure, Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import { validateFleet } from '../fleet/validate.ts';
import type { Goal } from '../plan/plan.ts';
import type { Toplevel } from '../ports.ts';
import type { RunEvent } from '../run/event.ts';
import { type Approval, type ConductDeps, conduct } from './conduct.ts';
import { observeAll, probeAll } from './observe.ts';
import type { LabDeps } from './prepare.ts';
import type { LabSnapshot, Session } from './session.ts';

/** Changes are told at most this often, milliseconds: every commit of the screen costs a frame. */
const tellPauseMs = 100;
const eventsKept = 2_000;
const messagesKept = 500;
/** How old observations may grow before they are read anew while nothing else happens. */
const observeEveryMs = 30_000;
const probeEveryMs = 60_000;

export type LiveSessionDeps = {
  readonly lab: LabDeps;
  readonly conductDeps: () => Result<ConductDeps>;
  readonly demo: boolean;
  readonly sshArgv: (machine: Machine) => readonly string[] | Failure;
};

/**
 * The session over real adapters (or the simulated world): keeps one immutable snapshot, refreshes what it shows in
 * the background, and conducts at most one run at a time in this process.
 */
export const openSession = (deps: LiveSessionDeps): Session => {
  const { lab } = deps;
  const { clock } = lab;
  const closing = new AbortController();
  const listeners = new Set<() => void>();
  let run: {
    readonly stop: AbortController;
    readonly abort: AbortController;
    readonly ended: Promise<void>;
  } | null = null;
  let answer: ((approval: Approval | null) => void) | null = null;
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

  const onEvent = (event: RunEvent, state: NonNullable<LabSnapshot['run']>): void => {
    change({ run: state, events: [...snapshot.events, event].slice(-eventsKept) });
    if (event.body.kind === 'step-ended') {
      const name = event.body.step.slice(0, event.body.step.indexOf('/'));
      const machine = machines().find((candidate) => candidate.name === name);
      if (machine !== undefined) {
        inBackground(observe([machine]));
        inBackground(probe([machine]));
      }
    }
  };

  const conductRun = async (
    goal: Goal,
    names: readonly string[],
    stop: AbortController,
    abort: AbortController,
  ): Promise<void> => {
    const opened = deps.conductDeps();
    if (!opened.ok) return change({ phase: { kind: 'refused', failure: opened.failure } });
    const result = await conduct(opened.value, {
      goal,
      selectors: names,
      stop: stop.signal,
      abort: abort.signal,
      onEvent,
      approve: (prepared) => {
        change({
          phase: { kind: 'awaiting-approval' },
          lockChanges: prepared.lockChanges,
          evaluation: { value: prepared.evaluation, at: clock.now(), refreshing: false, failure: null },
          problems: prepared.problems,
        });
        return new Promise<Approval | null>((resolve) => {
          const settle = (approval: Approval | null): void => {
            answer = null;
            if (approval !== null) change({ phase: { kind: 'running', stopRequested: false } });
            resolve(approval);
          };
          answer = settle;
          stop.signal.addEventListener('abort', () => settle(null), { once: true });
        });
      },
    });
    change({ phase: result.ok ? { kind: 'ended' } : { kind: 'refused', failure: result.failure } });
    inBackground(Promise.all([observe(machines()), probe(machines()), evaluateToplevels()]).then(() => {}));
  };

  inBackground(refreshAll());
  inBackground(every(observeEveryMs, () => observe(machines())));
  inBackground(every(probeEveryMs, () => probe(machines())));

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
      if (run !== null) return say('warning', 'a run is under way: let it end first');
      const stop = new AbortController();
      const abort = new AbortController();
      change({ phase: { kind: 'preparing' }, run: null, events: [], lockChanges: [] });
      const ended = conductRun(goal, names, stop, abort)
        .catch((error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          change({
            phase: {
              kind: 'refused',
              failure: {
                kind: 'bug',
                machine: null,
                phase: 'run',
                message,
                remedy: 'this is a defect of lab: please report it',
              },
            },
          });
        })
        .finally(() => {
          run = null;
        });
      run = { stop, abort, ended };
    },
    approve: () => answer?.('answered'),
    decline: () => answer?.(null),
    stop: () => {
      if (run === null) return;
      run.stop.abort('the screen');
      if (snapshot.phase.kind === 'running') change({ phase: { kind: 'running', stopRequested: true } });
    },
    dismiss: () => {
      if (run === null) change({ phase: { kind: 'none' }, run: null, events: [], lockChanges: [] });
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
      answer?.(null);
      await run?.ended;
    },
    close: async () => {
      run?.stop.abort('the screen');
      await run?.ended;
      closing.abort();
      if (pending !== null) clearTimeout(pending);
      listeners.clear();
    },
  };
};
