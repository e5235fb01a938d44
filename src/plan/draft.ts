import type { Machine } from '../fleet/machine.ts';
import type { ActivationMode, Observation, Reachable } from '../ports.ts';
import { bootedAtOf, type Debt, owedAfterSeeing, shownBy } from './debt.ts';
import type { Durations } from './durations.ts';
import { type Neighbour, takenForAnother } from './identity.ts';
import type { PlanInput } from './input.ts';
import { modesFor, modesLeft, whyModes } from './modes.ts';
import { newChecksOf } from './new-checks.ts';
import { isByHand, type Prior, type SkipReason } from './plan.ts';
import { rebootReasons } from './reboot-reasons.ts';

/** Why nothing is done to a machine. */
export type Skip = { readonly reason: SkipReason; readonly message: string; readonly remedy: string };
/** What is to become of one machine, before it is put into steps. */
export type Draft = {
  readonly skip: Skip | null;
  readonly prior: Prior | null;
  readonly wanted: string | null;
  /** Of a rollback: the number in the profile that holds it already. */
  readonly generation: number | null;
  readonly modes: readonly ActivationMode[];
  readonly activationWhy: string;
  readonly noActivationWhy: string;
  readonly rebootWhy: readonly string[];
  readonly noRebootWhy: string;
  /** What the machine must have booted after its reboot; null when that cannot be known. */
  readonly bootTarget: string | null;
  readonly mayReboot: boolean;
  readonly local: boolean;
  readonly durations: Durations;
  readonly owed: Debt | null;
  readonly newChecks: readonly number[];
};

const priorOf = (seen: Reachable): Prior => ({
  bootId: seen.bootId,
  booted: seen.booted,
  current: seen.current,
  profile: seen.profile,
  generation: seen.generation,
  failedUnits: seen.failedUnits,
  bootedAt: bootedAtOf(seen),
});

/** Why nothing is activated on a machine that is well. */
const asIs = {
  reboot: 'this goal only reboots',
  run: 'already runs what the flake wants',
  deploy: 'already runs what the flake wants',
  rollback: 'already runs what it would go back to',
} as const satisfies Record<PlanInput['goal']['kind'], string>;

/** What past runs left owed to a machine, less what it shows to have by now. */
const debtOf = ({ past }: PlanInput, name: string, seen: Observation | undefined): Debt | null => {
  const debt = past?.debts.get(name) ?? null;
  return debt === null || seen?.kind !== 'reachable' ? debt : owedAfterSeeing(debt, shownBy(seen));
};

/** Why a machine that was seen is taken for another one of the fleet, or null. */
export const mistakenIn = (
  { fleet, observations }: Pick<PlanInput, 'fleet' | 'observations'>,
  machine: Machine,
): ReturnType<typeof takenForAnother> => {
  const bootIdOf = ({ name }: Machine): string | null => {
    const seen = observations.get(name);
    return seen?.kind === 'reachable' ? seen.bootId : null;
  };
  const seen = observations.get(machine.name);
  if (seen?.kind !== 'reachable') return null;
  return takenForAnother(machine, seen, () =>
    fleet.machines.map((each): Neighbour => ({ machine: each, bootId: bootIdOf(each) })),
  );
};

/** What is to become of a machine that has its place in the order. */
export const draftFor = (input: PlanInput, machine: Machine): Draft => {
  const { goal } = input;
  const seen = input.observations.get(machine.name);
  const toplevel = input.toplevels.get(machine.name);
  const wanted = goal.kind === 'reboot' ? null : (toplevel?.outPath ?? null);
  const debt = debtOf(input, machine.name, seen);
  const empty = {
    prior: seen?.kind === 'reachable' ? priorOf(seen) : null,
    wanted,
    generation: null,
    modes: [],
    activationWhy: '',
    noActivationWhy: 'skipped',
    rebootWhy: [],
    noRebootWhy: 'skipped',
    bootTarget: null,
    mayReboot: false,
    local: false,
    durations: input.past?.durations.get(machine.name) ?? {},
    owed: debt,
    newChecks:
      wanted === null || goal.kind === 'rollback'
        ? []
        : newChecksOf(machine, input.past?.checks.get(machine.name)),
  };
  const skip = (reason: SkipReason, message: string, remedy: string): Draft => ({
    ...empty,
    skip: { reason, message, remedy },
  });

  const blocked = input.blocked.get(machine.name);
  if (blocked !== undefined) return skip('blocked', blocked.message, blocked.remedy);
  const buildFailure = input.buildFailures.get(machine.name);
  if (buildFailure !== undefined) return skip('not-built', buildFailure.message, buildFailure.remedy);
  if (seen === undefined)
    return skip(
      'unreachable',
      `${machine.name} was not observed`,
      'run `lab status` to see whether it answers',
    );
  if (seen.kind === 'unreachable') return skip('unreachable', seen.error.message, seen.error.remedy);
  const another = mistakenIn(input, machine);
  if (another !== null) return skip('unknown-state', another.message, another.remedy);
  if (goal.kind !== 'reboot' && wanted === null)
    return skip('not-built', `no toplevel of ${machine.name} is known`, `run \`lab check ${machine.name}\``);
  if (goal.kind !== 'reboot' && (seen.current === null || seen.profile === null))
    return skip(
      'unknown-state',
      `what ${machine.name} runs could not be read: /run/current-system or its system profile is missing`,
      'check that it is a NixOS machine; lab changes nothing that it could not put back',
    );

  const modes = wanted === null ? [] : modesLeft(modesFor(goal, machine), seen, wanted);
  const changes = wanted !== null && seen.profile !== wanted;
  const takesReboots = goal.kind === 'run' || (goal.kind === 'rollback' && goal.reboot);
  const intoNew =
    takesReboots &&
    wanted !== null &&
    seen.booted !== wanted &&
    seen.current !== wanted &&
    modesFor(goal, machine).at(0) === 'boot';
  const next =
    goal.kind === 'reboot' ? seen.profileParts : (toplevel?.parts ?? (changes ? null : seen.profileParts));
  const reasons = rebootReasons(goal, machine, seen, next, intoNew, debt);
  const underFoot = input.localMachine === machine.name && !input.resumesAtBoot;
  const local = underFoot && reasons.why.length > 0;
  // By hand a critical machine is rebooted by whoever gives its name, and for what may become necessary nobody is asked.
  const unnamed = isByHand(goal) && machine.orchestration.criticalityLevel === 'critical';
  const back = input.rollback?.returns.get(machine.name) ?? null;
  return {
    ...empty,
    skip: null,
    generation: back?.generation ?? null,
    modes,
    activationWhy: back === null ? whyModes(modes) : `back to ${back.words}: ${whyModes(modes)}`,
    noActivationWhy: modes.length > 0 ? '' : asIs[goal.kind],
    rebootWhy: local ? [] : reasons.why,
    noRebootWhy: local
      ? `lab runs on this machine: reboot it yourself once the run is done (${reasons.why.join(', ')})`
      : reasons.whyNot,
    bootTarget: wanted ?? seen.profile,
    mayReboot: takesReboots && machine.reboot.policy !== 'never' && !underFoot && !unnamed,
    local: input.localMachine === machine.name,
  };
};

/** A machine on a dependency cycle, or behind one, has no place in any order: nothing is done to it, and it is said. */
export const orderlessDraft = (input: PlanInput, machine: Machine): Draft => {
  const blocked = {
    message: 'it is on a dependency cycle or behind one, so it has no place in the order',
    remedy: 'run `lab check`, which names the path, and remove a dependency',
    ...input.blocked.get(machine.name),
  };
  return draftFor({ ...input, blocked: new Map([[machine.name, blocked]]) }, machine);
};
