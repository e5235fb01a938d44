import type { Step } from '../plan/plan.ts';
import { ofMachine } from './by-machine.ts';
import type { StepOutcome } from './event.ts';
import { skippedByPerson } from './progress.ts';
import type { RunState } from './state.ts';
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

/** Who tells the steps under way that they are given up: all of them, the delays, or those of a machine left out. */
type HeardBySteps = {
  /** What this step hears; `own` is what all steps of its kind hear. */
  readonly by: (step: Step, own: AbortSignal) => AbortSignal;
  readonly giveUp: (reason: unknown) => void;
  readonly stop: (reason: unknown) => void;
  readonly leaveOut: (state: RunState) => void;
};

export const heardBySteps = (): HeardBySteps => {
  /** Of each machine, for the latest of its steps that may be given up: there is one at a time. */
  const latest = new Map<string, { readonly step: Step; readonly alone: AbortController }>();
  const abortWhere = (which: (step: Step) => boolean, reason: unknown): void => {
    for (const { step, alone } of latest.values()) if (which(step)) alone.abort(reason);
  };
  return {
    by: (step, own) => {
      if (!doesNothing(step)) return own;
      // A signal is dear to make and free to share: the steps of a machine hear one, unless it has been used up.
      const before = latest.get(step.machine)?.alone;
      const alone = before === undefined || before.signal.aborted ? new AbortController() : before;
      latest.set(step.machine, { step, alone });
      if (own.aborted) alone.abort(own.reason);
      return alone.signal;
    },
    giveUp: (reason) => abortWhere(() => true, reason),
    stop: (reason) => abortWhere(({ kind }) => kind === 'delay', reason),
    leaveOut: (state) =>
      abortWhere(
        ({ machine }) => ofMachine(state.machines, machine)?.steer.skippedBy != null,
        'its machine is left out',
      ),
  };
};
