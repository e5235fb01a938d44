import type { Failure } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Problem } from '../fleet/validate.ts';
import type { Override } from '../plan/override.ts';
import type { Past } from '../plan/past.ts';
import type { Goal } from '../plan/plan.ts';
import type {
  CheckReading,
  Evaluation,
  Generation,
  HealthReport,
  HealthVerdict,
  LockChange,
  Observation,
  Toplevel,
} from '../ports.ts';
import type { RunEvent, RunId, SteerAsk } from '../run/event.ts';
import type { RunState } from '../run/state.ts';
import type { PastRun } from './past-run.ts';
import type { PlanLook } from './session-blockers.ts';
import type { ClosureDiffs } from './session-closures.ts';
import type { InputsPreview, LockedInput } from './session-inputs.ts';

/**
 * What a front end sees of the lab, and what it may ask for. The screen renders snapshots and calls the session; it
 * does no I/O of its own. Snapshots are immutable: unchanged parts keep their identity, so selectors stay cheap.
 */

/** Something read at `at` (ms since the epoch), being read anew while `refreshing`. */
export type Dated<T> = {
  readonly value: T | null;
  readonly at: number | null;
  readonly refreshing: boolean;
  readonly failure: Failure | null;
};

/** How far the run that this session started (or follows) has come. */
export type RunPhase =
  | { readonly kind: 'none' }
  /** Update, evaluation, observation or build under way; nothing touches a machine. */
  | { readonly kind: 'preparing' }
  /** A plan waits for yes or no: `state.plan` is set. */
  | { readonly kind: 'awaiting-approval' }
  | { readonly kind: 'running'; readonly stopRequested: boolean }
  | { readonly kind: 'ended' }
  /** It could not be begun at all: locked by another run, broken journal, problems of the fleet. */
  | { readonly kind: 'refused'; readonly failure: Failure };

/** How far a run has come, as its events tell it. */
export const phaseOf = (state: RunState): RunPhase => {
  if (state.ended !== null) return { kind: 'ended' };
  if (state.plan === null) return { kind: 'preparing' };
  if (state.approvedAt === null) return { kind: 'awaiting-approval' };
  return { kind: 'running', stopRequested: state.stopRequestedBy !== null };
};

/** One probe as it is remembered: what sparklines are drawn from. */
export type HealthSample = {
  readonly at: number;
  readonly verdict: HealthVerdict;
  readonly readings: readonly Pick<CheckReading, 'check' | 'verdict' | 'ms'>[];
};

/** The journal of a machine itself (`journalctl`), as it is being followed. */
export type RemoteLogs = {
  readonly machine: string;
  /** The one unit, or null for all of it. */
  readonly unit: string | null;
  readonly since: number;
  readonly status: 'connecting' | 'following' | 'ended';
  /** Why it ended. */
  readonly message: string;
  /** The newest, oldest first; not sanitised. */
  readonly lines: readonly { readonly at: number; readonly text: string }[];
  /** All that came, those no longer kept included. */
  readonly count: number;
};

/** Follows the journal of a machine until the signal aborts; resolves to why it ended by itself. */
export type FollowLogs = (
  machine: Machine,
  options: {
    readonly unit: string | null;
    readonly signal: AbortSignal;
    readonly onLine: (line: string) => void;
  },
) => Promise<Failure | null>;

/** Has the lab looked at again and again, until the signal aborts; a look that takes long is not begun twice. */
export type LookSchedule = (
  what: 'observe' | 'probe',
  look: () => Promise<void>,
  signal: AbortSignal,
) => void;

export type LabSnapshot = {
  readonly flake: string;
  /** True for the simulated lab: shown plainly. */
  readonly demo: boolean;
  readonly now: number;
  readonly evaluation: Dated<Evaluation>;
  readonly problems: readonly Problem[];
  /** Whole-fleet sequence is derived from the evaluation by the views. By machine name: */
  readonly observations: ReadonlyMap<string, Observation>;
  readonly observing: ReadonlySet<string>;
  readonly health: ReadonlyMap<string, HealthReport>;
  readonly probing: ReadonlySet<string>;
  /** Probes of this session, oldest first, bounded. */
  readonly samples: ReadonlyMap<string, readonly HealthSample[]>;
  /** When a machine that does not answer was first found so. */
  readonly awaySince: ReadonlyMap<string, number>;
  /** What the flake wants, where it was evaluated. */
  readonly toplevels: ReadonlyMap<string, Toplevel>;
  readonly phase: RunPhase;
  readonly run: RunState | null;
  /** What the lock update of this run moved. */
  readonly lockChanges: readonly LockChange[];
  /** Events of the run on show, the newest last, bounded. */
  readonly events: readonly RunEvent[];
  /** What would hold machines back if the plan that waits were begun now; null while none waits. */
  readonly planLook: PlanLook | null;
  /** What differs between closures that were compared, by `closureKey`: bounded. */
  readonly closureDiffs: ClosureDiffs;
  /** Generations of the machines that were asked for them. */
  readonly generations: ReadonlyMap<string, Dated<readonly Generation[]>>;
  /** What flake.lock pins, and what an update would move, or why that is not known. */
  readonly inputs: Dated<readonly LockedInput[]>;
  readonly inputsPreview: InputsPreview | null;
  /** When the schedule of this machine starts its next run, ms since the epoch; null for no schedule. */
  readonly nextScheduled: number | null;
  /** What past runs left owed, and how long things took: by machine. */
  readonly recalled: Past;
  /** Runs of the journal, newest first, bounded; null until they were read. */
  readonly past: readonly PastRun[] | null;
  /** The past run that was opened last, whole. */
  readonly opened: {
    readonly run: RunId;
    readonly events: readonly RunEvent[];
    readonly problem: string | null;
  } | null;
  /** The machine's own journal that is being followed, or was last. */
  readonly logs: RemoteLogs | null;
  /** Messages of the session for the log pane, newest last, bounded. */
  readonly messages: readonly {
    readonly at: number;
    readonly level: 'info' | 'warning' | 'error';
    readonly text: string;
  }[];
};

export type Session = {
  snapshot(): LabSnapshot;
  /** The session's clock at this moment, ms since the epoch: what is under way goes on between two snapshots. */
  now(): number;
  /** Called after a change, at most every 100 ms. Returns the way to stop. */
  subscribe(listener: () => void): () => void;
  /** Evaluates, observes and probes anew. */
  refresh(): void;
  /** Probes the health of these machines anew. */
  probe(machines: readonly string[]): void;
  /** Prepares a run up to its plan, which then waits for approval. Refused while one is under way. */
  prepare(goal: Goal, machines: readonly string[]): void;
  /** Discards the plan that waits, or takes the run that has ended, and prepares it anew going ahead in spite of these. */
  replan(overrides: readonly Override[]): void;
  approve(): void;
  decline(): void;
  /** Graceful: the steps under way end, no other begins. */
  stop(): void;
  /** Ends the run at once: the step under way is left as it is. */
  abort(): void;
  /** No further step begins until `unpause`. */
  pause(): void;
  unpause(): void;
  /** Takes up a run that was interrupted or died, from where it is. Only the latest can be. */
  resume(run: RunId): void;
  /** Has a machine of the run on show left out, or tried again; one that has ended is taken up again for it. */
  steer(ask: SteerAsk): void;
  /** Reads a past run whole, into `opened`. */
  openPast(run: RunId): void;
  /** Reads flake.lock anew. */
  readInputs(): void;
  /** Asks what an update of these inputs (none: all) would move, into `inputsPreview`. */
  previewInputs(inputs: readonly string[]): void;
  /** Moves them in flake.lock; no machine is touched. */
  updateInputs(inputs: readonly string[]): void;
  /** Compares what a machine runs with what the flake wants, into `closureDiffs`, as soon as both are known. */
  lookAtClosure(machine: string): void;
  /** What is being compared for its sake is given up. */
  leaveClosure(): void;
  /** Reads the generations of a machine anew. */
  lookAtGenerations(machine: string): void;
  /** Follows the journal of a machine, or of one unit on it, in place of what was followed before. */
  followLogs(machine: string, unit: string | null): void;
  leaveLogs(): void;
  /** Puts the run on show away once it has ended. */
  dismiss(): void;
  /** argv of an interactive ssh to the machine, or why there is none (the demo has no machines). */
  sshArgv(machine: string): readonly string[] | Failure;
  /** argv of an editor on the configuration of the machine, or why there is none. */
  editArgv(machine: string): readonly string[] | Failure;
  /** Resolves when no run is under way: a plan that still waits for its answer is declined first. */
  finished(): Promise<void>;
  /** Ends all background work. A run under way goes on without this viewer, and a plan waits on; in a demo it is declined. */
  close(): Promise<void>;
};
