import type { Step } from '../plan/plan.ts';
import type { StepOutcome } from './event.ts';
import { skippedByPerson } from './progress.ts';
import { failureAt } from './step-context.ts';

/** Steps under way on a machine that somebody has left out: what does nothing to it is given up, all else never. */

/**
 * Whether a step leaves its machine as it was, wherever it is given up: looks, waiting, and a copy, of which only paths
 * that have arrived whole are kept.
 */
export const doesNothing = ({ kind }: Pick<Step, 'kind'>): boolean => {
  switch (kind) {
    case 'preflight':
    case 'copy':
    case 'dependencies':
    case 'delay':
      return true;
    case 'activate':
    case 'gate':
    case 'confirm':
    case 'reboot':
    case 'await-boot':
    case 'restore':
      return false;
    default:
      return kind satisfies never;
  }
};

/** What becomes of a step that was given up because its machine is left out: should it be taken in again, it begins anew. */
export const leftToItself = (step: Step): StepOutcome => ({
  kind: 'skipped',
  reason: 'blocked',
  failure: failureAt(
    step,
    skippedByPerson,
    'not waited for to its end: its machine is left out',
    `\`lab run ${step.machine}\` when it suits`,
  ),
});
