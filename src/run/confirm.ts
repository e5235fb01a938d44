import type { Step } from '../plan/plan.ts';
import type { StepOutcome } from './event.ts';
import { lacksEvidence } from './evidence.ts';
import { claimOf, fenced } from './lease.ts';
import {
  actDeadlines,
  failed,
  failureAt,
  interrupted,
  type PerformContext,
  succeeded,
  unitName,
  unknown,
} from './step-context.ts';
import { leftAsTheirs } from './theirs.ts';

/** What of a confirmation is not enough to go on with, by how the supervision ended. */
const whyNot = {
  asked: 'it was told to return to what it ran',
  unconfirmed: 'the confirmation came too late: it had returned to what it ran',
  refused: 'its activation failed, and it had returned to what it ran',
  'no-boot-default': 'the new generation could not be made the boot default, so it returned to what it ran',
} as const;

/**
 * The gate has passed: tells the machine, over a new connection, that its activation stays. Whether it does is read
 * from the machine itself.
 */
export const confirm = async (
  step: Extract<Step, { kind: 'confirm' }>,
  context: PerformContext,
): Promise<StepOutcome> => {
  const { target, entry, state, signal } = context;
  const settled = await target.settle(
    entry.machine,
    {
      claim: claimOf(state),
      unit: unitName(state.run, `activate-${step.mode}`),
      verdict: 'confirm',
      deadlineMs: actDeadlines.confirmMs,
    },
    { signal },
  );
  if (signal.aborted) return interrupted(step);
  const remedy = 'look at the machine and its journal';
  switch (settled.kind) {
    case 'confirmed':
      break;
    case 'restored':
      return failed(
        failureAt(
          step,
          'not-confirmed',
          `${whyNot[settled.why]}${settled.said === undefined ? '' : `: ${settled.said}`}`,
          remedy,
        ),
      );
    case 'spared':
      return leftAsTheirs(step, null, 'not confirmed:');
    case 'stuck':
      return failed(failureAt(step, 'not-confirmed', settled.message, remedy));
    case 'gone':
      return failed(
        failureAt(
          step,
          'not-confirmed',
          'nobody on it watches over the activation any more: it was rebooted, or someone stopped the unit',
          remedy,
        ),
      );
    case 'fenced':
      return fenced(step, settled.by, 'not confirmed', state);
    case 'unknown':
      return unknown(
        failureAt(
          step,
          'confirmation-unknown',
          `whether the confirmation reached it is not known: ${settled.message}`,
          remedy,
        ),
      );
    default:
      return settled satisfies never;
  }
  const claim = {
    toplevel: step.toplevel,
    mode: step.mode,
    did: 'confirmed',
    said: 'it took the confirmation',
    unseen: 'confirmation-unknown',
  };
  return (
    (await lacksEvidence(step, claim, context)) ??
    succeeded(step.mode === 'switch' ? 'it stays, and is the boot default' : 'it stays')
  );
};
