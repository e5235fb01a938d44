import type { Failure } from '../failure.ts';
import { lookMostMs } from '../plan/longest-look.ts';
import type { MachinePlan, Step } from '../plan/plan.ts';
import type { Clock, Observation, Reachable, SshError, Target } from '../ports.ts';
import { noFacts, type RunId, type StepFacts, type StepOutcome } from './event.ts';
import { isEffect } from './progress.ts';
import { recordsOfMachine } from './records.ts';
import { standstills } from './standstill.ts';
import type { RunState } from './state.ts';

/** Hard limits of single acts, in milliseconds; gates have their own deadlines in the plan. */
export const actDeadlines = {
  observeMs: 20_000,
  generationsMs: 30_000,
  preflightMs: 30_000,
  healthMs: lookMostMs,
  copyMs: 4 * 3_600_000,
  activateMs: 30 * 60_000,
  triggerMs: 30_000,
  /** For a confirmed machine to make its generation the boot default. */
  confirmMs: 5 * 60_000,
  /** For a machine to return to what it ran, from when it was told to or told itself. */
  returnMs: 5 * 60_000,
  /** For a machine to be seen before something is done to it. */
  seeBeforeMs: 30_000,
  /** For a machine to be seen after an activation, which may have restarted its network. */
  seeAfterMs: 120_000,
} as const;

/** Between two looks at a machine that has not told all that was asked. */
export const lookAgainMs = 3_000;

export type PerformContext = {
  readonly state: RunState;
  readonly entry: MachinePlan;
  readonly target: Target;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Durable note on the step, for people. */
  readonly note: (text: string) => void;
  /** The same, with the boot that is about to be ended: who resumes the run then knows that it may have been. */
  readonly ends: (bootId: string) => void;
  /** The same for what is worth a person's eye: shown as a warning, and kept in the report. */
  readonly warn: (text: string) => void;
  /** The same for lines that may come by the thousand: what comes too soon after the last one is left out. */
  readonly progress: (text: string) => void;
  /** Whether this process has stood still since the step began, or since this was last asked: what was seen before is old. */
  readonly stoodStill: () => boolean;
  /** The step was intended before by a process that is gone: look before acting. */
  readonly again: boolean;
  /** Whether a run is known to be executed by nobody any more: what it held may be taken. Absent: nothing is known. */
  readonly isOver?: (run: string) => boolean;
};

export const succeeded = (note: string, facts: Partial<StepFacts> = {}): StepOutcome => ({
  kind: 'succeeded',
  facts: { ...noFacts, note, ...facts },
});
export const failed = (failure: Failure, facts: Partial<StepFacts> = {}): StepOutcome => ({
  kind: 'failed',
  failure,
  facts: { ...noFacts, ...facts },
});
export const unknown = (failure: Failure): StepOutcome => ({ kind: 'unknown', failure, facts: noFacts });

export const failureAt = (
  step: Step,
  kind: string,
  message: string,
  remedy: string,
  detail?: readonly string[],
): Failure => ({
  kind,
  machine: step.machine,
  phase: step.kind,
  message,
  remedy,
  ...(detail === undefined || detail.length === 0 ? {} : { detail }),
});

/** What becomes of a step that was given up in its middle: the journal keeps it open, so that a resume looks again. */
export const interrupted = (step: Step): StepOutcome =>
  unknown(
    failureAt(
      step,
      'interrupted',
      'lab was told to stop in the middle of this step',
      'look at the machine, then run again',
    ),
  );

/** Name of the transient unit of one step of one run: a repeat finds the first one instead of starting a second. */
export const unitName = (run: RunId, what: string): string => `lab-${what}-${run}`;

/** What the first step of this kind that succeeded on the machine learnt. */
export const factsOf = (state: RunState, entry: MachinePlan, kind: Step['kind']): StepFacts | null => {
  for (const { step, outcome } of recordsOfMachine(state, entry.machine.name))
    if (step.kind === kind && outcome?.kind === 'succeeded') return outcome.facts;
  return null;
};

/** The failure of a machine that somebody else deployed to since the plan was made. It is left as they made it. */
export const changedSincePlan = 'changed-since-plan';
/** The failure of a return that shows, though its activation said no. */
export const restoreIncomplete = 'restore-incomplete';

/**
 * What the machine ran before the run did anything to it: what its preflight saw. That is what the plan saw too, unless
 * somebody chose to go ahead (override `changed-since-plan`): then a way back must lead to what was there really.
 */
export const recordedPrior = (state: RunState, entry: MachinePlan): MachinePlan['prior'] => {
  const { prior } = entry;
  const facts = factsOf(state, entry, 'preflight');
  if (prior === null || facts === null || facts.current === null) return prior;
  return { ...prior, current: facts.current, profile: facts.profile };
};

/** What the machine must boot: what the plan wants, or, where it wants nothing of its own, what its profile names. */
export const bootTarget = (state: RunState, entry: MachinePlan, planned: string | null): string | null =>
  entry.wanted === null && planned !== null
    ? (factsOf(state, entry, 'preflight')?.profile ?? planned)
    : planned;

/** What somebody else made of the machine since its preflight, in words, or null: it has only what it had, or gets. */
export const foreignChange = (
  state: RunState,
  entry: MachinePlan,
  seen: { readonly current: string | null; readonly profile: string | null },
): string | null => {
  const { wanted } = entry;
  const prior = recordedPrior(state, entry);
  if (prior === null) return null;
  if (seen.profile !== prior.profile && seen.profile !== wanted)
    return seen.profile === null
      ? 'what it would boot cannot be read any more'
      : `someone else changed what it would boot since the plan was made: ${seen.profile}`;
  if (seen.current !== prior.current && seen.current !== wanted)
    return seen.current === null
      ? 'what it runs cannot be read any more'
      : `someone else changed what it runs since the plan was made: ${seen.current}`;
  return null;
};

/** One that goes down answers until its file systems are gone: what cannot be read then is not what somebody changed. */
const inPart = ({ current, profile }: Reachable): boolean => current === null || profile === null;

/**
 * Looks over a new connection until the machine answers in full, cannot be expected to, or `forMs` are over. An answer that
 * was read after a standstill is as old as that was long: it counts for nothing.
 */
export const see = async (
  { target, entry, clock, signal }: PerformContext,
  forMs: number,
): Promise<Observation> => {
  const until = clock.elapsed() + forMs;
  const stands = standstills(clock);
  for (;;) {
    const seen = await target.observe(entry.machine, {
      deadlineMs: actDeadlines.observeMs,
      signal,
      fresh: true,
    });
    if (stands.take() !== null && !signal.aborted) continue;
    const final = seen.kind === 'reachable' ? !inPart(seen) : !seen.error.retryable;
    if (final || signal.aborted || clock.elapsed() >= until) return seen;
    await clock.sleep(lookAgainMs, signal);
  }
};

/**
 * What becomes of an act whose machine did not answer a last look before it. Nothing was done to it in this run: it is
 * skipped like every machine that is away. Else the run has left it half way, or cannot know.
 */
export const away = (
  step: Step,
  context: PerformContext,
  error: Pick<SshError, 'message' | 'remedy' | 'retryable'> & { readonly kind: string },
  undone: string,
): StepOutcome => {
  const failure = failureAt(
    step,
    error.kind,
    `${undone}, for it does not answer: ${error.message}`,
    error.remedy,
  );
  if (context.again) return unknown(failure);
  const begun = recordsOfMachine(context.state, step.machine).some(
    (record) => record.step.id !== step.id && isEffect(record.step),
  );
  return begun || !error.retryable ? failed(failure) : { kind: 'skipped', reason: 'unreachable', failure };
};
