import { both } from './baseline.ts';
import { mapMachines } from './by-machine.ts';
import { noFailing } from './event.ts';
import { looksByAnother } from './looks.ts';
import { isEffect, machineState, progressOf, unconfirmed } from './progress.ts';
import { recordOfStep, type StepRecord } from './records.ts';
import type { RunState } from './state.ts';

/** Which steps of a run are performed again because somebody waited, or died, in between: pure, from its state. */

/**
 * Whether what a step saw is too old to act on once a run is resumed or its pause is over: hours may lie between. A
 * preflight while nothing was done to its machine; a look at the dependencies while what it was for has not begun.
 */
const isOutdated = (state: RunState, { step, status }: StepRecord): boolean => {
  if (status !== 'succeeded') return false;
  const entry = state.plan?.machines.find(({ machine }) => machine.name === step.machine);
  if (entry === undefined) return false;
  const { steps, touched, status: place } = progressOf(state, entry);
  // Nobody acts any more on what was seen of a machine that has failed or was skipped.
  if (place !== 'waiting' && place !== 'active') return false;
  if (step.kind === 'preflight') return !touched;
  if (step.kind !== 'dependencies') return false;
  const follower = steps[steps.findIndex(({ id }) => id === step.id) + 1];
  return follower !== undefined && recordOfStep(state, follower) === undefined;
};

/**
 * Whether a step belongs to an activation that was live and not confirmed when its process died: the machine may have
 * taken it back since, so it is asked for again, and so is its gate.
 */
const isUnconfirmed = (state: RunState, { step, status }: StepRecord): boolean => {
  if (status !== 'succeeded') return false;
  if (step.kind !== 'activate' && (step.kind !== 'gate' || step.after !== 'activation')) return false;
  const entry = state.plan?.machines.find(({ machine }) => machine.name === step.machine);
  if (entry === undefined) return false;
  const progress = progressOf(state, entry);
  return progress.status === 'active' && unconfirmed(state, progress) !== null;
};

/**
 * What failed at the first look stays the measure: what has begun to fail since may be the doing of this run. And what has
 * passed a gate has to go on passing.
 */
export const withFirstFailing = (record: StepRecord): StepRecord => {
  const { step, outcome, firstFailing } = record;
  if (outcome?.kind !== 'succeeded') return record;
  const { failing = step.kind === 'gate' ? noFailing : undefined } = outcome.facts;
  return failing === undefined || (firstFailing !== undefined && step.kind !== 'gate')
    ? record
    : { ...record, firstFailing: both(failing, firstFailing) };
};

/** The machines, with the records that `which` chooses unknown, so that their steps are begun again. */
const lookedAtAnew = (state: RunState, which: (record: StepRecord) => boolean): RunState['machines'] =>
  mapMachines(state.machines, (known) => {
    if (!known.records.some(which)) return known;
    const records = known.records.map(
      (record): StepRecord =>
        which(record)
          ? {
              ...withFirstFailing(record),
              status: 'unknown',
              endedAt: null,
              outcome: null,
              // Nobody worked at a look while the run waited.
              ...(isEffect(record.step) ? {} : { anew: true }),
            }
          : record,
    );
    return machineState(known.progress.plan, records, known.steer);
  });

/** Once a pause is over. */
export const lookedAtAnewAfterPause = (state: RunState): RunState['machines'] =>
  lookedAtAnew(state, (record) => isOutdated(state, record));

/** The run once another process has taken it over: what the one before it had under way is unknown. */
export const takenOver = (state: RunState, pid: number): RunState => ({
  ...state,
  ended: null,
  stopRequestedBy: null,
  pausedBy: null,
  by: { ...state.by, pid },
  takeovers: state.takeovers + 1,
  machines: lookedAtAnew(
    state,
    (record) => record.status === 'open' || isOutdated(state, record) || isUnconfirmed(state, record),
  ),
  looks: looksByAnother(state.looks),
});
