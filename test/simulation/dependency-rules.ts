import type { MachinePlan } from '../../src/plan/plan.ts';
import { recordsOfMachine, type StepRecord } from '../../src/run/records.ts';
import type { Effect } from '../../src/sim/world.ts';
import type { Known } from './knowledge.ts';
import { failedBeforeToo, progressFor } from './known.ts';

/** What must hold of machines that need each other: what one stands on is done, and was seen well just before. */

/**
 * How old a reading of a dependency may be when its dependent is rebooted or changed, milliseconds: between the two
 * lie a last look at the dependent itself and the tries to reach it. Never from before a resumption or the end of a pause.
 */
const readingAgeMaxMs = 180_000;

/** From when on a reading of the dependencies counts for this effect. */
const readingsCountFrom = (known: Known, machine: string, intended: number): number => {
  const { state, unpaused, resumedAt } = known;
  // A step that was under way already when the pause came acts on what was seen before it; so does one that follows a
  // look which the pause found under way: it was over soon, however long the pause.
  if (unpaused === null || intended <= unpaused.seq) return resumedAt;
  const pauseOver = unpaused.at;
  const lookedAcross = recordsOfMachine(state, machine).find(
    ({ step, intendedAt, endedAt }) =>
      step.kind === 'dependencies' && intendedAt < pauseOver && endedAt !== null && endedAt >= pauseOver,
  );
  return Math.max(resumedAt, lookedAcross?.intendedAt ?? pauseOver);
};

/** Why this should not be done to a machine with these dependencies, or null. */
export const wrongBeneath = (
  known: Known,
  effect: Effect,
  entry: MachinePlan,
  intent: StepRecord,
): string | null => {
  const { world, intents, leftOut, takenIn, touched, resumedAt } = known;
  const begun = intents.get(intent.step.id);
  // One that was taken up again ran what it should when it was looked at, and lost its power before it was asked to.
  const fell = intent.intendedAt < resumedAt && world.look(effect.machine).bootedAt > (begun?.at ?? 0);
  const since = readingsCountFrom(known, effect.machine, begun?.seq ?? 0);
  for (const name of entry.machine.dependencies) {
    const progress = progressFor(known, name);
    const before = progress !== null && progress.plan.position < entry.position;
    // One that was left out untouched is as it was: its dependents look whether it is well.
    const waits = takenIn.has(name) && progress?.status === 'waiting';
    const asItWas = (leftOut.has(name) || waits) && !touched.has(name);
    if (before && progress.status !== 'done' && progress.status !== 'nothing' && !asItWas)
      return `${effect.kind} of ${effect.machine} while its dependency ${name} is ${progress.status}`;
    if (effect.kind === 'activate' && (effect.mode === 'boot' || !effect.changes || fell)) continue;
    const reading = world.lastReading(name);
    if (reading === null || reading.at < since || effect.at - reading.at > readingAgeMaxMs)
      return `${effect.kind} of ${effect.machine} without a look at its dependency ${name}`;
    if (!reading.up || !reading.serves || !failedBeforeToo(known, name, reading.failedUnits))
      return `${effect.kind} of ${effect.machine} though its dependency ${name} was seen unwell`;
  }
  return null;
};

/** Why this should not be done beneath those that need it, or null: a rollback puts nothing old beneath the new. */
export const wrongAbove = (known: Known, effect: Effect, entry: MachinePlan): string | null => {
  if (known.plan.goal.kind !== 'rollback') return null;
  for (const { machine, position } of known.plan.machines) {
    const status = progressFor(known, machine.name)?.status;
    const needs = machine.dependencies.includes(entry.machine.name);
    if (needs && position < entry.position && status !== 'done' && status !== 'nothing')
      return `${effect.kind} of ${effect.machine} while ${machine.name}, which needs it, is ${status}`;
  }
  return null;
};
