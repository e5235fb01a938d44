import type { MachinePlan, Plan } from '../../src/plan/plan.ts';
import type { LookMoment, RunEvent, Seen } from '../../src/run/event.ts';
import { progressOf } from '../../src/run/progress.ts';
import type { RunState } from '../../src/run/state.ts';
import type { World } from '../../src/sim/world.ts';
import type { Known } from './knowledge.ts';
import {
  bootedAgain,
  crashedSinceSeen,
  deployedSinceRead,
  differs,
  failedBeforeToo,
  isMisled,
  progressFor,
  startFor,
  targetFor,
} from './known.ts';

/** What must hold of looks at machines that nothing is being done to: the report of a run is true when it is written. */

/** How machines were before anything was done to them. */
type Before = {
  /** Its services did not answer, and nothing has shown since that they can. */
  readonly wasIll: (name: string) => boolean;
  /** All of these units had failed. */
  readonly hadFailed: (name: string, units: readonly string[]) => boolean;
  /** It fell over after its reboot, and came back. */
  readonly bootedAgain: (name: string) => boolean;
  /** What the run was to leave on it; null where it had no say in that. */
  readonly target: (entry: MachinePlan) => string | null;
};

type Looked = Extract<RunEvent['body'], { kind: 'looked' }>;

const lookable = ({ decision }: MachinePlan, moment: LookMoment): boolean =>
  decision.kind === 'nothing' || (moment === 'end' && decision.kind === 'act');

const idle = ({ machines }: Plan): boolean => machines.every(({ decision }) => decision.kind !== 'act');

/** Why this machine was not seen as it is, or null. `since` is when the look began. */
const wrongSeen = (
  world: World,
  plan: Plan,
  moment: LookMoment,
  { machine, verdict }: Seen,
  since: number,
  before: Before,
): string | null => {
  const reading = world.lastReading(machine);
  const fresh = reading !== null && reading.at > since;
  const fine = fresh && reading.up && reading.serves && reading.failedUnits.length === 0;
  switch (verdict) {
    case 'well':
      return fine ? null : `${machine} was seen well and was not`;
    case 'as-before': {
      if (!fresh || !reading.up) return `${machine} was not seen, and counts as no worse than before`;
      if (fine) return `${machine} was well, and counts as unwell`;
      if (moment === 'start' || idle(plan)) return null;
      return (reading.serves || before.wasIll(machine)) && before.hadFailed(machine, reading.failedUnits)
        ? null
        : `${machine} counts as no worse than before, and is`;
    }
    case 'worse': {
      if (moment === 'start') return `${machine} counts as worse than before the run, before the run`;
      const entry = plan.machines.find(({ machine: { name } }) => name === machine);
      const runs = entry === undefined ? null : before.target(entry);
      return fine && (runs === null || world.look(machine).current === runs) && !before.bootedAgain(machine)
        ? `${machine} counts as unwell and was seen well`
        : null;
    }
    case 'unknown':
      // Another one's answer to this look, and this one's to a look at another.
      return fine && !isMisled({ world }, machine) ? `${machine} was seen well, and counts as unknown` : null;
    default:
      return verdict satisfies never;
  }
};

/** All that were due were seen, and as they are. */
const wrongSight = (known: Known, { moment, seen }: Looked): string | null => {
  const { world, plan, lookBegunAt, illBefore } = known;
  const before: Before = {
    wasIll: (name) => illBefore.has(name),
    hadFailed: (name, units) => failedBeforeToo(known, name, units),
    bootedAgain: (name) => bootedAgain(known, name),
    target: ({ machine, wanted }) => wanted ?? startFor(known, machine.name)?.profile ?? null,
  };
  const due = plan.machines.filter((entry) => lookable(entry, moment)).map(({ machine }) => machine.name);
  if (JSON.stringify(seen.map(({ machine }) => machine)) !== JSON.stringify(due))
    return `the look at the ${moment} left machines out`;
  for (const each of seen) {
    const wrong = wrongSeen(world, plan, moment, each, lookBegunAt[moment], before);
    if (wrong !== null) return wrong;
  }
  return null;
};

/** What is well at the end, or no worse than before, runs what its gate passed; unless somebody else deployed since. */
const wrongAtEnd = (known: Known, { machine, verdict }: Seen): string | null => {
  const { world } = known;
  const progress = progressFor(known, machine);
  const gate = progress?.steps.findLast(({ kind }) => kind === 'gate');
  const theirs = deployedSinceRead(known, machine);
  if (progress?.status !== 'done' || gate?.kind !== 'gate') return null;
  if (verdict !== 'well' && verdict !== 'as-before') return null;
  const lies = world.look(machine).faults.some(({ kind }) => kind === 'boot-id-lies');
  if (bootedAgain(known, machine) && !lies && !crashedSinceSeen(known, machine))
    return `${machine} is in another boot than the one that passed its gate, and counts as ${verdict}`;
  return theirs
    ? null
    : differs(
        known,
        machine,
        'toplevel at the end',
        world.look(machine).current,
        targetFor(known, machine, gate.current),
      );
};

/** Why this look is not what it should be, or null. */
export const wrongLook = (known: Known, looked: Looked): string | null => {
  const wrong = wrongSight(known, looked);
  if (wrong !== null) return wrong;
  if (looked.moment === 'start')
    return known.touched.size > 0
      ? 'machines with nothing to do were looked at after others had been touched'
      : null;
  for (const seen of looked.seen) {
    const fallen = wrongAtEnd(known, seen);
    if (fallen !== null) return fallen;
  }
  return null;
};

/** Those of which the run says that they are as planned, and which are not known to be well at its end. */
export const fallenAtEnd = (plan: Plan, state: RunState): readonly MachinePlan[] => {
  const { end } = state.looks;
  const seen = end === null || end === 'begun' ? [] : end;
  return plan.machines.filter((entry) => {
    const { status } = progressOf(state, entry);
    const verdict = seen.find(({ machine }) => machine === entry.machine.name)?.verdict;
    return (
      (status === 'done' || status === 'nothing') &&
      verdict !== undefined &&
      /^(?:worse|unknown)$/u.test(verdict)
    );
  });
};

/** Whether the run ended without the look that makes its report true. */
export const endedBlind = (plan: Plan, { looks, ended }: RunState): boolean =>
  ended?.result !== 'interrupted' &&
  (looks.end === null || looks.end === 'begun') &&
  plan.machines.some((entry) => lookable(entry, 'end'));
