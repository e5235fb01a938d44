import type { Machine } from '../fleet/machine.ts';
import type { Step } from '../plan/plan.ts';
import { healthOfItself } from './another.ts';
import { baselineOf } from './baseline.ts';
import { noFailing, type StepOutcome } from './event.ts';
import { judgeHealth } from './gate.ts';
import { progressOf } from './progress.ts';
import { actDeadlines, failureAt, type PerformContext, succeeded } from './step-context.ts';

/**
 * Every machine that this one needs must have come to its goal in this run and be healthy at this moment. A check that
 * fails counts, also where it failed before the run: that nobody is to blame for it does not make it serve. Units that
 * had failed before do not, for it is the checks that say what a machine is there for.
 */
export const dependencies = async (
  step: Step,
  needs: readonly string[],
  context: PerformContext,
): Promise<StepOutcome> => {
  const { state, target, signal } = context;
  const { plan } = state;
  const skip = (name: string, message: string): StepOutcome => ({
    kind: 'skipped',
    reason: 'dependency',
    failure: failureAt(step, 'dependency', message, `bring ${name} back to health, then run again`),
  });
  for (const name of needs) {
    const member = plan?.machines.find(({ machine }) => machine.name === name);
    const bystander = plan?.bystanders.find(({ machine }) => machine.name === name);
    // In a rollback what is needed has its turn later, mostly: then it only has to be healthy.
    if (member !== undefined && member.position < context.entry.position) {
      const { status, failure, skippedBy, retried, touched } = progressOf(state, member);
      // One that a person had left out is like one outside the plan: it has to be well, and need not be new. So is one
      // that is taken in again, as long as nothing was done to it.
      const leftOut = (status === 'skipped' && skippedBy !== null) || (retried === 'taken-in' && !touched);
      if (status !== 'done' && status !== 'nothing' && !leftOut)
        return skip(
          name,
          retried !== null
            ? `its dependency ${name} had failed, and is still to be tried again`
            : `its dependency ${name} ${status === 'skipped' ? 'was skipped' : 'failed'}: ${failure?.message ?? status}`,
        );
    }
    const later = member !== undefined && member.position > context.entry.position;
    const machine: Machine | undefined =
      (later ? bystander?.machine : undefined) ?? member?.machine ?? bystander?.machine;
    if (machine === undefined) return skip(name, `its dependency ${name} is not known to this plan`);
    const before =
      member === undefined
        ? { ...noFailing, units: bystander?.failedUnits ?? [] }
        : baselineOf(state, member);
    const report = healthOfItself(
      state,
      { machine },
      await target.health(machine, { deadlineMs: actDeadlines.healthMs, signal }),
    );
    const verdict = judgeHealth(report, { ...before, checks: [] });
    if (verdict.kind !== 'passed') {
      const old = judgeHealth(report, before).kind === 'passed' ? ', as it was before the run' : '';
      return skip(name, `its dependency ${name} is not healthy${old}: ${verdict.why}`);
    }
    context.note(`${name}: ${verdict.why}`);
  }
  const users = step.kind === 'dependencies' ? (step.neededBy ?? []) : [];
  return succeeded(
    [
      ...(needs.length === 0 ? [] : [`healthy: ${needs.join(', ')}`]),
      ...(users.length === 0 ? [] : [`back already, which need it: ${users.join(', ')}`]),
    ].join('; '),
  );
};

/** Before a machine of a rollback: what needs it and was to go back first has done so. Null when that holds. */
export const stillNeeded = (
  step: Step,
  neededBy: readonly string[],
  { state }: PerformContext,
): StepOutcome | null => {
  for (const name of neededBy) {
    const user = state.plan?.machines.find(({ machine }) => machine.name === name);
    const status = user === undefined ? 'unknown' : progressOf(state, user).status;
    if (status === 'done' || status === 'nothing') continue;
    return {
      kind: 'skipped',
      reason: 'dependency',
      failure: failureAt(
        step,
        'dependency',
        `${name}, which needs it, did not go back: it would run on what it was not made for`,
        `bring ${name} back, then run again; to return ${step.machine} all the same, name it alone`,
      ),
    };
  }
  return null;
};
