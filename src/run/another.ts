import { takenForAnother } from '../plan/identity.ts';
import type { MachinePlan, Step } from '../plan/plan.ts';
import type { HealthReport, Observation, Reachable } from '../ports.ts';
import type { StepOutcome } from './event.ts';
import type { RunState } from './state.ts';
import { failed, failureAt } from './step-context.ts';

/** The failure of a machine whose address leads to another one of the lab. Nothing is done there, not even a return. */
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
    ...(plan?.others ?? []).map(({ name, hostName, bootId }) => ({ machine: { name, hostName }, bootId })),
  ]);

/**
 * What was seen of the machine. Where another one answered it is as if nobody had: how that one is, and which boot it is in,
 * says nothing of this one.
 */
export const seenAsItself = (
  state: Pick<RunState, 'plan'>,
  entry: Pick<MachinePlan, 'machine'>,
  seen: Observation,
): Observation => {
  const another = seen.kind === 'reachable' ? anotherIn(state, entry, seen) : null;
  if (another === null) return seen;
  const { machine, at } = seen;
  return {
    kind: 'unreachable',
    machine,
    at,
    error: {
      kind: 'unreachable',
      host: machine,
      phase: 'exec',
      retryable: true,
      dispatched: false,
      ...another,
    },
  };
};

/** The same for its health: not known where it is another’s. */
export const healthOfItself = (
  state: Pick<RunState, 'plan'>,
  entry: Pick<MachinePlan, 'machine'>,
  report: HealthReport,
): HealthReport => {
  const another = report.runs === undefined ? null : anotherIn(state, entry, report.runs);
  if (another === null) return report;
  const { runs: _, ...rest } = report;
  return {
    ...rest,
    verdict: 'unknown',
    state: 'unknown',
    failedUnits: [],
    readings: report.readings.map((reading) => ({ ...reading, verdict: 'unknown' as const })),
    summary: another.message,
    remedy: another.remedy,
  };
};

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
