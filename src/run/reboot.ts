import type { Step } from '../plan/plan.ts';
import { dependencies } from './dependencies.ts';
import type { StepOutcome } from './event.ts';
import {
  actDeadlines,
  away,
  changedSincePlan,
  factsOf,
  failed,
  failureAt,
  interrupted,
  type PerformContext,
  see,
  succeeded,
  unitName,
} from './step-context.ts';

/** The trigger's timer fires after a second; by then a machine shows that it is shutting down. */
const triggerShowsMs = 3_000;

/**
 * What is known of a reboot that a process which is gone may have triggered: an outcome, or null when the machine
 * still runs the old boot, shows no sign of shutting down, and may be rebooted now. Its dependencies were looked at
 * by the other process, perhaps long ago, so they are looked at again.
 */
const foundUnderWay = async (
  step: Step,
  bootId: string,
  context: PerformContext,
): Promise<StepOutcome | null> => {
  const { target, entry, clock, signal } = context;
  await clock.sleep(triggerShowsMs, signal);
  const seen = await target.observe(entry.machine, {
    deadlineMs: actDeadlines.observeMs,
    signal,
    fresh: true,
  });
  if (signal.aborted) return interrupted(step);
  if (seen.kind === 'unreachable')
    return succeeded(`probably triggered before lab was interrupted: ${seen.error.message}`, { bootId });
  if (seen.state === 'stopping') return succeeded('it is shutting down already', { bootId });
  if (seen.bootId !== bootId) return null;
  const { dependencies: needs } = entry.machine;
  const healthy = await dependencies(step, needs, context);
  return healthy.kind === 'succeeded' ? null : healthy;
};

/** Why a reboot would not lead where the plan says, or null: better seen before it than after. */
const wouldBootAnother = async (step: Step, context: PerformContext): Promise<StepOutcome | null> => {
  const { entry, signal } = context;
  const expected = [...entry.steps, ...entry.contingent].find(({ kind }) => kind === 'await-boot');
  if (expected?.kind !== 'await-boot' || expected.booted === null) return null;
  const seen = await see(context, actDeadlines.seeBeforeMs);
  if (signal.aborted) return interrupted(step);
  if (seen.kind === 'unreachable') return away(step, context, seen.error, 'not rebooted');
  if (seen.profile === expected.booted) return null;
  return failed(
    failureAt(
      step,
      changedSincePlan,
      `it would boot ${seen.profile ?? 'an unknown toplevel'} instead of ${expected.booted}: someone else changed its profile`,
      'find out who deployed to it, then plan again',
    ),
  );
};

export const reboot = async (step: Step, context: PerformContext): Promise<StepOutcome> => {
  const { target, entry, signal, state } = context;
  const bootId = factsOf(state, entry, 'preflight')?.bootId ?? entry.prior?.bootId ?? null;
  if (bootId === null)
    return failed(
      failureAt(step, 'no-boot-id', 'its boot id is not known, so a reboot could not be proven', 'run again'),
    );
  if (context.again) {
    const found = await foundUnderWay(step, bootId, context);
    if (found !== null) return found;
  }
  const wrong = await wouldBootAnother(step, context);
  if (wrong !== null) return wrong;
  const outcome = await target.triggerReboot(
    entry.machine,
    { bootId, unit: unitName(state.run, 'reboot'), deadlineMs: actDeadlines.triggerMs },
    { signal },
  );
  switch (outcome.kind) {
    case 'triggered':
      return succeeded('reboot triggered', { bootId });
    case 'probably-triggered':
      return succeeded(`probably triggered: ${outcome.message}`, { bootId });
    case 'already-rebooted':
      return succeeded(`it has rebooted since the run looked at it (boot id ${outcome.bootId})`, { bootId });
    case 'refused':
      return failed(
        failureAt(
          step,
          'reboot-refused',
          `it refused to reboot: ${outcome.message}`,
          'reboot it by hand to see why',
        ),
      );
    default:
      return outcome satisfies never;
  }
};
