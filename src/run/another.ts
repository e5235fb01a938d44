import { takenForAnother } from '../plan/identity.ts';
import type { MachinePlan, Step } from '../plan/plan.ts';
import type { Reachable } from '../ports.ts';
import type { StepOutcome } from './event.ts';
import type { RunState } from './state.ts';
import { failed, failureAt } from './step-context.ts';

/** The failure of a machine whose address leads to another one of the plan. Nothing is done there, not even a return. */
export const anotherMachine = 'another-machine';

/** Since the plan was made, or since its last step, an address may have come to lead elsewhere. */
export const anotherIn = (
  { plan }: Pick<RunState, 'plan'>,
  { machine }: Pick<MachinePlan, 'machine'>,
  seen: Pick<Reachable, 'bootId' | 'hostName'>,
): ReturnType<typeof takenForAnother> =>
  takenForAnother(machine, seen, () => [
    ...(plan?.machines ?? []).map(({ machine, prior }) => ({ machine, bootId: prior?.bootId ?? null })),
    ...(plan?.bystanders ?? []).map(({ machine }) => ({ machine, bootId: null })),
  ]);

/** The same as the outcome of a step, or null where the machine is itself. */
export const answersForAnother = (
  step: Step,
  state: Pick<RunState, 'plan'>,
  entry: Pick<MachinePlan, 'machine'>,
  seen: Pick<Reachable, 'bootId' | 'hostName'>,
): StepOutcome | null => {
  const another = anotherIn(state, entry, seen);
  return another === null ? null : failed(failureAt(step, anotherMachine, another.message, another.remedy));
};
