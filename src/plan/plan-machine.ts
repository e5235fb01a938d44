import type { Machine } from '../fleet/machine.ts';
import type { Draft } from './draft.ts';
import { expectedMsOf } from './expected.ts';
import { type MachinePlan, type Step, stepId } from './plan.ts';
import { activationSteps, dependencySteps, rebootSteps, restoreStep } from './steps.ts';

/** One machine's part of the plan: its draft as steps, with the reasons beside them. */
export const planMachine = (
  machine: Machine,
  draft: Draft,
  place: {
    readonly position: number;
    readonly wave: number;
    readonly first: boolean;
    readonly neededBy: readonly string[];
  },
): MachinePlan => {
  const { name } = machine;
  // Keys in the order of the schema: a plan read back from the journal then has the hash it was approved by.
  const entry = (
    decision: MachinePlan['decision'],
    todo: Pick<MachinePlan, 'activation' | 'reboot' | 'steps' | 'contingent' | 'restore'>,
  ): MachinePlan => ({
    machine,
    position: place.position,
    wave: place.wave,
    local: draft.local,
    decision,
    wanted: draft.wanted,
    prior: draft.prior,
    activation: todo.activation,
    noActivationWhy: draft.noActivationWhy,
    reboot: todo.reboot,
    noRebootWhy: draft.noRebootWhy,
    steps: todo.steps,
    contingent: todo.contingent,
    restore: todo.restore,
    expectedMs: expectedMsOf(todo.steps, draft.durations),
    ...(Object.keys(draft.durations).length === 0 ? {} : { durations: draft.durations }),
    ...(draft.newChecks.length === 0 ? {} : { newChecks: draft.newChecks }),
    ...(draft.owed === null ? {} : { owed: draft.owed }),
  });
  const idle = { activation: null, reboot: null, steps: [], contingent: [], restore: null };
  if (draft.skip !== null) return entry({ kind: 'skip', ...draft.skip }, idle);
  const activation = activationSteps(machine, draft);
  const reboots = draft.rebootWhy.length > 0;
  if (activation.length === 0 && !reboots) return entry({ kind: 'nothing' }, idle);
  const { rebootDelay, rebootDelayIsOwn } = machine.orchestration;
  const delayMs = place.first && !rebootDelayIsOwn ? 0 : rebootDelay * 1_000;
  const restart = rebootSteps(machine, draft, delayMs, place.neededBy);
  const steps: readonly Step[] = [
    { id: stepId(name, 'preflight'), machine: name, kind: 'preflight' },
    // What it returns to is on the machine.
    ...(activation.length > 0 && draft.wanted !== null && draft.generation === null
      ? [{ id: stepId(name, 'copy'), machine: name, kind: 'copy', toplevel: draft.wanted } as const]
      : []),
    ...(activation.length > 0 ? dependencySteps(machine, '', place.neededBy) : []),
    ...activation,
    ...(reboots ? restart : []),
  ];
  return entry(
    { kind: 'act' },
    {
      activation: draft.modes[0] === undefined ? null : { mode: draft.modes[0], why: draft.activationWhy },
      reboot: reboots ? { why: draft.rebootWhy, delayMs } : null,
      steps,
      contingent: !reboots && draft.mayReboot && activation.length > 0 ? restart : [],
      restore: draft.prior === null ? null : restoreStep(machine, draft.prior, draft.modes),
    },
  );
};
