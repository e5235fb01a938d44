import type { MachinePlan } from '../../src/plan/plan.ts';
import { pollPause } from '../../src/run/await.ts';
import { progressOf } from '../../src/run/progress.ts';
import { recordOfKind, recordsOfMachine, type StepRecord } from '../../src/run/records.ts';
import type { Known } from './knowledge.ts';
import {
  crashedSinceSeen,
  deployedSinceRead,
  differs,
  entryOf,
  failedBeforeToo,
  isBelieved,
  startFor,
  targetFor,
} from './known.ts';
import { withoutLease } from './lease-rules.ts';

/** What must hold when a step counts as succeeded: it is so in truth. */

type StepOf<K extends StepRecord['step']['kind']> = Extract<StepRecord['step'], { readonly kind: K }>;

/** What passes a gate was seen well, or no worse than before. */
const wrongHealth = (
  known: Known,
  { id, machine, stableMs }: StepOf<'gate'>,
  { intendedAt, endedAt }: StepRecord,
): string | null => {
  const { world, illBefore, everIllBefore } = known;
  const reading = world.lastReading(machine);
  if (reading === null || reading.at < intendedAt) return `the gate ${id} passed without a reading`;
  if (
    !reading.up ||
    (!reading.serves && !illBefore.has(machine)) ||
    !failedBeforeToo(known, machine, reading.failedUnits)
  )
    return `the gate ${id} passed though the machine was not well`;
  const truth = world.look(machine);
  const excused = everIllBefore.has(machine) || truth.failedUnits.length > 0;
  // An illness that is over before the next look cannot be seen by looking.
  const unseen = truth.faults.some(
    (fault) => fault.kind === 'falls-ill' && fault.forMs !== null && fault.forMs <= pollPause.mostMs + 1_000,
  );
  const steadyMs = (endedAt ?? 0) - (truth.wellSince ?? 0);
  return truth.wellSince !== null &&
    !excused &&
    !unseen &&
    !deployedSinceRead(known, machine) &&
    steadyMs < stableMs
    ? `the gate ${id} passed after ${steadyMs} ms of good health`
    : null;
};

/** What passes a gate runs what it should, in the boot that was waited for. */
const wrongRunning = (known: Known, { machine, current, after }: StepOf<'gate'>): string | null => {
  const { state, world } = known;
  if (deployedSinceRead(known, machine)) return null;
  const target = targetFor(known, machine, current);
  const wrong = differs(known, machine, 'running toplevel', world.look(machine).current, target);
  if (wrong !== null) return wrong;
  const boot = recordOfKind(state, machine, 'await-boot')?.outcome;
  return after === 'reboot' && boot?.kind === 'succeeded'
    ? differs(known, machine, 'boot', world.look(machine).bootId, boot.facts.bootId)
    : null;
};

const wrongReturn = (known: Known, step: StepOf<'restore'>): string | null => {
  const { machine } = step;
  const truth = known.world.look(machine);
  const { current, profile } = startFor(known, machine) ?? step;
  if (truth.current !== current && truth.power === 'up' && !crashedSinceSeen(known, machine))
    return `${machine} counts as restored and runs ${truth.current}`;
  return profile !== null && truth.profile !== profile
    ? `${machine} counts as restored and would boot ${truth.profile}`
    : null;
};

const wrongStep = (known: Known, record: StepRecord): string | null => {
  const { step } = record;
  const { machine } = step;
  switch (step.kind) {
    case 'await-boot':
      return differs(
        known,
        machine,
        'booted toplevel',
        known.world.look(machine).booted,
        targetFor(known, machine, step.booted),
      );
    case 'delay': {
      const { at, stoodMs } = known.intents.get(step.id) ?? { at: 0, stoodMs: 0 };
      // Who stands still does not wait: it is longer then, and never shorter.
      const waitedMs = (record.endedAt ?? 0) - at - (known.stood() - stoodMs);
      return waitedMs > step.delayMs ? `${step.id} lasted ${waitedMs} ms of ${step.delayMs}` : null;
    }
    case 'preflight':
      return withoutLease(known.world, known.state.run, machine, record.endedAt ?? 0);
    case 'gate':
      return wrongHealth(known, step, record) ?? wrongRunning(known, step);
    case 'restore':
      return wrongReturn(known, step);
    default:
      return null;
  }
};

/** Asked when the journal says of a machine that it has come to its goal. */
const wrongDone = (known: Known, entry: MachinePlan): string | null => {
  const { name } = entry.machine;
  const truth = known.world.look(name);
  const { steps } = progressOf(known.state, entry);
  const modes = steps.flatMap((step) => (step.kind === 'activate' ? [step.mode] : []));
  const boot = steps.find((step) => step.kind === 'await-boot');
  if (boot !== undefined) {
    const target = targetFor(known, name, boot.booted);
    const wrong =
      differs(known, name, 'booted toplevel', truth.booted, target) ??
      differs(known, name, 'running toplevel', truth.current, target);
    if (wrong !== null) return wrong;
    if (truth.boots === 0 && !isBelieved(known, name)) return `${name} counts as rebooted and was not`;
  }
  // What somebody else made the boot default after that was looked at, or what a gate after it has warned of.
  const theirs =
    truth.profile !== truth.current &&
    ((truth.foreignAt ?? 0) > (known.world.lastLookAt(name) ?? 0) ||
      recordsOfMachine(known.state, name).some(({ notes }) =>
        notes.some(({ note, warning }) => warning === true && note.includes(truth.profile)),
      ));
  const boots = !theirs && (modes.includes('switch') || modes.includes('boot'));
  const runs = modes.includes('switch') || modes.includes('test');
  return (
    (boots ? differs(known, name, 'profile', truth.profile, entry.wanted) : null) ??
    (runs ? differs(known, name, 'running toplevel', truth.current, entry.wanted) : null)
  );
};

/** Why this step should not count as succeeded, or its machine as done with it; or null. */
export const wrongProof = (known: Known, record: StepRecord): string | null => {
  const wrong = wrongStep(known, record);
  if (wrong !== null) return wrong;
  const entry = entryOf(known, record.step.machine);
  return entry !== null && progressOf(known.state, entry).status === 'done' ? wrongDone(known, entry) : null;
};
