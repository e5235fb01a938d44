import type { MachinePlan, Step } from '../plan/plan.ts';
import { baselineOf } from './baseline.ts';
import { ofMachine, withMachine } from './by-machine.ts';
import { withFirstFailing } from './look-anew.ts';
import { machineState, progressOf } from './progress.ts';
import { type MachineRecords, recordIn, recordsOfMachine, type StepRecord } from './records.ts';
import type { RunState } from './state.ts';

/** What becomes of the machines of a run when somebody has one of them left out, or tried again: pure, from its state. */

const left = (state: RunState, name: string, by: string): RunState['machines'] => {
  const known = ofMachine(state.machines, name);
  if (known === undefined) return state.machines;
  const steer = { ...known.steer, skippedBy: by, retried: null };
  return withMachine(state.machines, name, machineState(known.progress.plan, known.records, steer));
};

/** The first step that is performed again when `current` failed on a machine that has been acted on. */
const lookedAtFrom = (steps: readonly Step[], current: Step, failure: string | undefined): number => {
  const place = steps.indexOf(current);
  const before = (kind: Step['kind'], from: number): number =>
    steps.findLastIndex((step, index) => index <= from && step.kind === kind);
  switch (current.kind) {
    // A machine that has booted again by itself is known by its new boot from then on.
    case 'gate':
      return before('await-boot', place);
    case 'await-boot':
      return failure === 'never-went-down'
        ? lookedAtFrom(steps, steps[before('reboot', place)] ?? current, undefined)
        : place;
    // Others may have been rebooted since, so the delay before it is waited for anew.
    case 'dependencies':
    case 'reboot': {
      const earlier = steps
        .slice(0, place)
        .findLastIndex(({ kind }) => kind !== 'dependencies' && kind !== 'delay');
      return earlier + 1;
    }
    default:
      return place;
  }
};

/** Whether a machine goes through all its steps again: nothing was done to it, or what was done has been taken back. */
const beginsAnew = ({ touched, current }: ReturnType<typeof progressOf>, records: MachineRecords): boolean =>
  !touched ||
  records.some(({ step }) => step.kind === 'restore') ||
  current === null ||
  current.kind === 'preflight' ||
  current.kind === 'copy' ||
  current.kind === 'activate' ||
  current.kind === 'confirm' ||
  (current.kind === 'gate' && current.after === 'activation');

/**
 * The records of a machine that is tried again: what is in doubt is unknown, so it is looked at before it is done, as
 * after the death of a process. What was never attempted was never begun.
 */
const triedAgain = (state: RunState, entry: MachinePlan): MachineRecords => {
  const records = recordsOfMachine(state, entry.machine.name);
  const progress = progressOf(state, entry);
  const { steps, current, failure, touched, status } = progress;
  const from =
    current === null || beginsAnew(progress, records) ? 0 : lookedAtFrom(steps, current, failure?.kind);
  const anew = (record: StepRecord): boolean => {
    const { step } = record;
    // The way back counts until something is live again.
    if (record.status === 'open' || step.kind === 'restore') return false;
    // What it ran before the run is known from before it was touched, or from its return.
    if (step.kind === 'preflight' && touched && status !== 'restored') return false;
    const place = steps.findIndex(({ id }) => id === step.id);
    return place === -1 ? from === 0 : place >= from;
  };
  return records.flatMap((record): MachineRecords => {
    if (!anew(record)) return [record];
    const { endsBoot, firstFailing } = record;
    if (record.outcome?.kind === 'skipped' && endsBoot === undefined && firstFailing === undefined) return [];
    const looked = record.step.kind === 'preflight' && record.outcome?.kind === 'succeeded';
    return [
      {
        ...withFirstFailing(record),
        status: 'unknown',
        endedAt: null,
        outcome: null,
        anew: true,
        // What has come to fail since may be the doing of this run.
        ...(looked ? { firstFailing: baselineOf(state, entry) } : {}),
      },
    ];
  });
};

const wasSkippedFor = (state: RunState, entry: MachinePlan, names: ReadonlySet<string>): boolean => {
  const { status, current, skippedBy } = progressOf(state, entry);
  if (status !== 'skipped' || skippedBy !== null || current === null) return false;
  const outcome = recordIn(recordsOfMachine(state, entry.machine.name), current.id)?.outcome;
  if (outcome?.kind !== 'skipped' || outcome.reason !== 'dependency') return false;
  const users = current.kind === 'dependencies' ? (current.neededBy ?? []) : [];
  return [...entry.machine.dependencies, ...users].some((name) => names.has(name));
};

/** The machine, and with it those that were left alone because of it: what is tried again when it is. */
export const triedAgainWith = (state: RunState, name: string): readonly MachinePlan[] => {
  const entries = state.plan?.machines ?? [];
  const tried = entries.filter(({ machine }) => machine.name === name);
  const names = new Set([name]);
  // Chains of dependents: as many rounds as there are links in the longest.
  for (let found = tried[0]; found !== undefined; ) {
    found = entries.find((entry) => !names.has(entry.machine.name) && wasSkippedFor(state, entry, names));
    if (found === undefined) break;
    names.add(found.machine.name);
    tried.push(found);
  }
  return tried;
};

const again = (state: RunState, name: string): RunState['machines'] => {
  let { machines } = state;
  for (const entry of triedAgainWith(state, name)) {
    const { status, skippedBy } = progressOf(state, entry);
    const failedOnce =
      status === 'failed' ||
      status === 'restored' ||
      (ofMachine(state.machines, entry.machine.name)?.steer.failedOnce ?? false);
    machines = withMachine(
      machines,
      entry.machine.name,
      machineState(entry, triedAgain(state, entry), {
        skippedBy: null,
        retried: status === 'skipped' && skippedBy !== null ? 'taken-in' : 'tried-again',
        failedOnce,
      }),
    );
  }
  return machines;
};

/** The machines of the run once it is so steered. */
export const steered = (
  state: RunState,
  { what, machine, by }: { readonly what: 'skip' | 'retry'; readonly machine: string; readonly by: string },
): RunState['machines'] => (what === 'skip' ? left(state, machine, by) : again(state, machine));
