import { type MachineProgress, progressOf } from '../../src/run/progress.ts';
import { recordOfKind, type StepRecord } from '../../src/run/records.ts';
import type { Effect } from '../../src/sim/world.ts';
import type { Known } from './knowledge.ts';
import { isGrave, isOver } from './known.ts';

/** What must hold of all the others while something is done to one: one at a time, and nothing after a grave failure. */

/** One that failed in its reboot and is to be tried again waits for its turn. */
const countsAsDown = ({ status }: MachineProgress): boolean => !isOver(status) && status !== 'waiting';

const wrongBesideOne = (
  known: Known,
  effect: Effect,
  intent: StepRecord,
  progress: MachineProgress,
): string | null => {
  const { state, world, rebooted, intents, failedAtSeq, leftOut } = known;
  const { machine } = progress.plan;
  const { name } = machine;
  if (progress.touched && progress.status === 'active')
    return `${effect.kind} of ${effect.machine} while ${name} is still on its way`;
  if (rebooted.has(name) && countsAsDown(progress) && world.look(name).rebooting)
    return `${effect.kind} of ${effect.machine} while ${name} is down by our doing`;
  // What is known to have come to nothing was waited for: nobody counts as up because it said that it would not go.
  if (
    rebooted.has(name) &&
    world.look(name).rebooting &&
    recordOfKind(state, name, 'await-boot') === undefined
  )
    return `${effect.kind} of ${effect.machine} while ${name} goes down and nobody waits for it`;
  // What was under way when the other failed is finished, and may still have to be put back, or proven and confirmed.
  const begunBefore = (intents.get(intent.step.id)?.seq ?? 0) < (failedAtSeq.get(name) ?? 0);
  return intent.step.kind !== 'restore' &&
    !begunBefore &&
    effect.kind !== 'settle' &&
    !leftOut.has(name) &&
    isGrave(progress.plan) &&
    (progress.status === 'failed' || progress.status === 'restored')
    ? `${effect.kind} of ${effect.machine} after ${name} (${machine.orchestration.criticalityLevel}) had failed`
    : null;
};

/** Why this should not be done while the other machines are as they are, or null. */
export const wrongBeside = (known: Known, effect: Effect, intent: StepRecord): string | null => {
  for (const other of known.plan.machines) {
    if (other.machine.name === effect.machine) continue;
    const wrong = wrongBesideOne(known, effect, intent, progressOf(known.state, other));
    if (wrong !== null) return wrong;
  }
  return null;
};
