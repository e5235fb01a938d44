import type { Step } from '../plan/plan.ts';
import { activationNotStarted, activationRefused, bringAbout } from './activation.ts';
import { answersForAnother } from './another.ts';
import type { StepOutcome } from './event.ts';
import { claimOf, fenced } from './lease.ts';
import { isEffect, progressOf, unconfirmed } from './progress.ts';
import { recordsOfMachine } from './records.ts';
import {
  actDeadlines,
  away,
  changedSincePlan,
  failed,
  failureAt,
  interrupted,
  type PerformContext,
  recordedPrior,
  restoreIncomplete,
  see,
  succeeded,
  unitName,
  unknown,
} from './step-context.ts';
import { leftAsTheirs, theirsOn } from './theirs.ts';

type Restore = Extract<Step, { kind: 'restore' }>;

/** How the machine came to return, in words. */
const whyRestored = {
  asked: 'its supervisor returned it',
  unconfirmed: 'it returned by itself, for nobody confirmed the activation in time',
  refused: 'it returned by itself, for the activation failed',
  'no-boot-default': 'it returned by itself, for the new generation could not be made the boot default',
} as const;

/**
 * Has the supervisor of an activation that was not confirmed return the machine. It does so by itself too, so a
 * machine that does not answer is asked until it must have done that. Null when nobody on the machine returns it.
 */
const bySupervisor = async (step: Restore, context: PerformContext): Promise<StepOutcome | null> => {
  const { target, entry, state, signal } = context;
  const activation = unconfirmed(state, progressOf(state, entry));
  if (activation?.confirmWithinMs === undefined) return null;
  const settled = await target.settle(
    entry.machine,
    {
      claim: claimOf(state),
      unit: unitName(state.run, `activate-${activation.mode}`),
      verdict: 'restore',
      deadlineMs: activation.confirmWithinMs + actDeadlines.returnMs,
    },
    { signal },
  );
  if (signal.aborted) return interrupted(step);
  switch (settled.kind) {
    case 'restored':
      break;
    case 'spared':
      return leftAsTheirs(step, null, 'not returned to what it ran:');
    // What was confirmed after all, and whatever nobody watches over, is returned like any other activation.
    case 'confirmed':
    case 'gone':
    case 'stuck':
      return null;
    case 'fenced':
      return fenced(step, settled.by, 'not told to return to what it ran', state);
    case 'unknown':
      return unknown(
        failureAt(
          step,
          'restore-unknown',
          `it was to return to what it ran by itself, and whether it did is not known: ${settled.message}`,
          `look at the machine; \`lab status ${step.machine}\` says what it runs once it answers`,
        ),
      );
    default:
      return settled satisfies never;
  }
  const seen = await see(context, actDeadlines.seeAfterMs);
  if (signal.aborted) return interrupted(step);
  // Evidence, not word: where it does not show, the machine is returned the other way.
  if (seen.kind === 'unreachable' || seen.current !== step.current) return null;
  if (step.profile !== null && seen.profile !== step.profile) return null;
  return succeeded(whyRestored[settled.why]);
};

/**
 * Where nothing of this run ever began on the machine there is nothing to take back, and what keeps an activation from
 * starting would keep the return from it, too. Evidence all the same: null unless it shows what was recorded.
 */
const neverLeft = async (step: Restore, context: PerformContext): Promise<StepOutcome | null> => {
  const begun = recordsOfMachine(context.state, context.entry.machine.name).some(
    ({ step: { id }, step: other, outcome }) =>
      id !== step.id &&
      isEffect(other) &&
      !(outcome?.kind === 'failed' && outcome.failure.kind === activationNotStarted),
  );
  if (begun) return null;
  const seen = await see(context, actDeadlines.seeAfterMs);
  if (context.signal.aborted) return interrupted(step);
  return seen.kind === 'reachable' && seen.current === step.current && seen.profile === step.profile
    ? succeeded('nothing had begun: it runs, and would boot, what it did')
    : null;
};

/**
 * A return whose activation says no may have come about all the same, but for its boot loader or for a unit: who comes
 * to help is not told that the machine still runs the new one.
 */
const nearlyBack = async (
  step: Restore,
  outcome: StepOutcome,
  context: PerformContext,
): Promise<StepOutcome> => {
  if (outcome.kind !== 'failed' || outcome.failure.kind !== activationRefused) return outcome;
  const seen = await see(context, actDeadlines.seeAfterMs);
  if (context.signal.aborted) return interrupted(step);
  return seen.kind === 'reachable' && seen.current === step.current && seen.profile === step.profile
    ? failed({
        ...outcome.failure,
        kind: restoreIncomplete,
        message: `it runs what it ran, and its profile leads there; whether it would boot it, and all its units run, is not certain: ${outcome.failure.message}`,
        remedy: `see what the lines name (a boot partition that is read-only or full?), then \`lab deploy ${step.machine}\``,
      })
    : outcome;
};

/**
 * Back to the recorded toplevels: what ran goes live, then what was to be booted becomes the default again. Only over what
 * is seen to be no other's: where only the boot default is theirs, what ran goes live alone.
 */
const byActivation = async (planned: Restore, context: PerformContext): Promise<StepOutcome> => {
  const now = await see(context, actDeadlines.seeAfterMs);
  if (context.signal.aborted) return interrupted(planned);
  if (now.kind === 'unreachable') return away(planned, context, now.error, 'not returned to what it ran');
  // Perhaps that is why it failed: what answered for it did not run what it should.
  const another = answersForAnother(planned, context.state, context.entry, now);
  if (another !== null) return another;
  const theirs = theirsOn(context.state, context.entry, now);
  if (theirs?.what === 'runs') return leftAsTheirs(planned, theirs, 'not returned to what it ran:');
  const step: Restore = theirs === null ? planned : { ...planned, mode: 'test' };
  const back = await bringAbout(step, step.current, step.mode, now.bootId, context, now);
  if (back.kind !== 'succeeded') return back;
  const test = step.mode === 'test';
  if (step.profile !== null && step.profile !== step.current && !test) {
    const bootDefault = await bringAbout(step, step.profile, 'boot', now.bootId, context);
    if (bootDefault.kind !== 'succeeded') return bootDefault;
  }
  if (step.profile !== null && (test || step.profile !== step.current)) {
    const seen = await see(context, actDeadlines.seeAfterMs);
    if (context.signal.aborted) return interrupted(step);
    // A shutdown that came late, or a crash, may have undone the return since it was seen.
    if (!back.facts.needsReboot && seen.kind === 'reachable' && seen.current !== step.current)
      return failed(
        failureAt(
          step,
          'restore-lost',
          `it was returned to what it ran, and rebooted since: it runs ${seen.current ?? 'an unknown toplevel'}`,
          'look at the machine: it runs what it boots',
        ),
      );
    // What somebody else made the boot default meanwhile is theirs, and no return.
    if (seen.kind === 'reachable' && seen.profile !== step.profile)
      return failed(
        failureAt(
          step,
          changedSincePlan,
          `it runs what it ran, and someone else changed what it would boot: ${seen.profile ?? 'unknown'}`,
          'find out who deployed to it, then plan again',
        ),
      );
  }
  return back.facts.needsReboot
    ? failed(
        failureAt(
          step,
          'restore-needs-reboot',
          'what it ran before is the boot default again, but only a reboot makes it live',
          `reboot it when it suits: \`lab reboot ${step.machine}\``,
        ),
      )
    : back;
};

export const restore = async (planned: Restore, context: PerformContext): Promise<StepOutcome> => {
  const prior = recordedPrior(context.state, context.entry);
  const step =
    prior === null || prior.current === null
      ? planned
      : { ...planned, current: prior.current, profile: prior.profile };
  return (
    (await neverLeft(step, context)) ??
    (await bySupervisor(step, context)) ??
    (await nearlyBack(step, await byActivation(step, context), context))
  );
};
