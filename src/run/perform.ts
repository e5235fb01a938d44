import type { Step } from '../plan/plan.ts';
import { activate } from './activation.ts';
import { awaitBoot, passGate } from './await.ts';
import { confirm } from './confirm.ts';
import { copy } from './copy.ts';
import { dependencies, stillNeeded } from './dependencies.ts';
import type { StepOutcome } from './event.ts';
import { underLease } from './lease.ts';
import { preflight } from './preflight.ts';
import { reboot } from './reboot.ts';
import { allRecords } from './records.ts';
import { restore } from './restore.ts';
import type { RunState } from './state.ts';
import { bootTarget, factsOf, interrupted, type PerformContext, succeeded } from './step-context.ts';

/** When this step's reboot delay is over: counted from the latest gate that another machine passed in this run. */
export const delayEndsAt = (state: RunState, step: Extract<Step, { kind: 'delay' }>): number => {
  const gates = allRecords(state).filter(
    ({ step: other, status }) =>
      other.kind === 'gate' && other.machine !== step.machine && status === 'succeeded',
  );
  const from = gates.reduce(
    (latest, { endedAt }) => Math.max(latest, endedAt ?? 0),
    state.approvedAt ?? state.startedAt,
  );
  return from + step.delayMs;
};

const delay = async (
  step: Extract<Step, { kind: 'delay' }>,
  context: PerformContext,
): Promise<StepOutcome> => {
  const { state, clock, signal } = context;
  // Never more than the whole of it, though the journal be dated by a clock that was ahead.
  const leftMs = Math.min(step.delayMs, delayEndsAt(state, step) - clock.now());
  if (leftMs > 0) await clock.sleep(leftMs, signal);
  if (signal.aborted) return interrupted(step);
  return succeeded(`waited as configured (rebootDelay ${step.delayMs / 1_000} s)`);
};

const lookAtDependencies = async (
  step: Extract<Step, { kind: 'dependencies' }>,
  context: PerformContext,
): Promise<StepOutcome> => {
  const needed = stillNeeded(step, step.neededBy ?? [], context);
  if (needed !== null) return needed;
  for (;;) {
    const outcome = await dependencies(step, step.needs, context);
    // The pause that a standstill comes to may have been written down already: this success would count as seen since.
    if (outcome.kind !== 'succeeded' || !context.stoodStill()) return outcome;
  }
};

/** Performs one step to its outcome. Expected failures are outcomes; anything thrown is a bug or a broken journal. */
export const perform = (step: Step, context: PerformContext): Promise<StepOutcome> => {
  switch (step.kind) {
    case 'preflight':
      return underLease(step, context, () => preflight(step, context));
    case 'copy':
      return copy(step, context);
    case 'dependencies':
      return lookAtDependencies(step, context);
    case 'activate':
      return activate(step, context);
    case 'gate':
      return passGate(
        { ...step, current: bootTarget(context.state, context.entry, step.current) },
        context,
        factsOf(context.state, context.entry, 'await-boot')?.bootId ?? null,
      );
    case 'confirm':
      return confirm(step, context);
    case 'delay':
      return delay(step, context);
    case 'reboot':
      return reboot(step, context);
    case 'await-boot':
      return awaitBoot(
        { ...step, booted: bootTarget(context.state, context.entry, step.booted) },
        context,
        factsOf(context.state, context.entry, 'reboot')?.bootId ?? null,
      );
    case 'restore':
      return restore(step, context);
    default:
      return step satisfies never;
  }
};
