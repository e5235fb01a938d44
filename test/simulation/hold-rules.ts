import type { BlockerKind } from '../../src/plan/blocker-kinds.ts';
import { isOverridden } from '../../src/plan/override.ts';
import { goesBack, type MachinePlan, type Plan } from '../../src/plan/plan.ts';
import type { MachineProgress } from '../../src/run/progress.ts';
import { recordOfKind } from '../../src/run/records.ts';
import type { RunState } from '../../src/run/state.ts';
import type { Occupant } from '../../src/sim/machine.ts';
import type { Effect, World } from '../../src/sim/world.ts';

/** What must hold of what holds a machine back: nothing is done in the teeth of what nobody overrode. */

const blockersOf = {
  user: ['users-logged-in'],
  inhibitor: ['inhibited'],
  activation: ['activation-in-progress'],
  silence: ['inhibitors-unknown', 'users-unknown'],
} as const satisfies Record<Occupant, readonly BlockerKind[]>;

/** Between the last look at a machine and its reboot lie a few tries to reach it, milliseconds. */
const lastLookAgeMaxMs = 60_000;

const overridesOf = ({ overrides = [] }: Plan) => overrides;

/** Why this reboot should not have been, or null. Whoever came after the last look could not be seen. */
export const wrongReboot = (plan: Plan, world: World, { machine, at }: Effect): string | null => {
  const truth = world.look(machine);
  const named = (kind: Parameters<typeof isOverridden>[2]): boolean =>
    isOverridden(overridesOf(plan), machine, kind);
  for (const [by, since] of truth.occupied)
    if (at - since > lastLookAgeMaxMs && !blockersOf[by].every(named))
      return `${machine} was rebooted in spite of ${by}, there since ${at - since} ms`;
  const busy = [...truth.units.values()].some(
    ({ outcome, watch }) => outcome === null || (watch !== null && watch.end === null),
  );
  if (busy && !named('activation-in-progress'))
    return `${machine} was rebooted in the middle of an activation`;
  const held = truth.faults.some(({ kind }) => kind === 'inhibited');
  if (held && !named('inhibited')) return `${machine} was rebooted in spite of an inhibitor`;
  const entry = plan.machines.find((each) => each.machine.name === machine);
  // What a rollback returns to is worth a reboot minutes after another.
  const minUptime = entry === undefined || goesBack(entry) ? 0 : entry.machine.reboot.minUptime;
  const upSeconds = (at - truth.bootedAt) / 1_000;
  return upSeconds < minUptime && !named('just-booted')
    ? `${machine} was rebooted ${upSeconds} s after its boot`
    : null;
};

/** Between the last look at a machine and its activation lie more tries, milliseconds. */
const lookBeforeActivationMaxMs = 180_000;

/** Why what somebody else deployed should not have been overwritten, or null. */
export const wrongOverwrite = (plan: Plan, world: World, { kind, machine, at }: Effect): string | null => {
  const truth = world.look(machine);
  const theirs = truth.generations.find(
    ({ number, toplevel, at: made }) =>
      number === truth.generation &&
      made > plan.madeAt &&
      truth.faults.some((fault) => fault.kind === 'foreign-deploy' && fault.toplevel === toplevel),
  );
  return theirs !== undefined &&
    at - theirs.at > lookBeforeActivationMaxMs &&
    !isOverridden(overridesOf(plan), machine, 'changed-since-plan')
    ? `${kind} of ${machine} over what somebody else deployed ${at - theirs.at} ms before`
    : null;
};

/** Why this machine should not have been skipped, or null: what is overridden skips nobody. */
export const wrongSkip = (plan: Plan, { plan: entry, status, failure }: MachineProgress): string | null => {
  const { name } = entry.machine;
  const named = overridesOf(plan).find(
    ({ blocker, machine }) => blocker === failure?.kind && (machine === null || machine === name),
  );
  // It may be overridden only where the plan leads to its goal from whatever is there.
  return status === 'skipped' && named !== undefined && named.blocker !== 'changed-since-plan'
    ? `${name} was skipped for ${named.blocker}, which was overridden`
    : null;
};

/**
 * What the machine had before the run, and must have again after a restore: as planned, or, where somebody chose to go
 * ahead in spite of a change, as its preflight found it.
 */
export const startOf = (
  plan: Plan,
  state: RunState,
  { machine, prior }: MachinePlan,
): { readonly current: string | null; readonly profile: string | null } => {
  const outcome = recordOfKind(state, machine.name, 'preflight')?.outcome;
  return outcome?.kind === 'succeeded' &&
    outcome.facts.current !== null &&
    isOverridden(overridesOf(plan), machine.name, 'changed-since-plan')
    ? { current: outcome.facts.current, profile: outcome.facts.profile }
    : { current: prior?.current ?? null, profile: prior?.profile ?? null };
};
