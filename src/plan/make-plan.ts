import { hash } from 'node:crypto';
import type { Machine } from '../fleet/machine.ts';
import { draftFor, mistakenIn, orderlessDraft, type Skip } from './draft.ts';
import type { PlanInput } from './input.ts';
import { type MachinePlan, type Plan, sentenceMax } from './plan.ts';
import { planMachine } from './plan-machine.ts';
import { planOrderOf } from './plan-order.ts';

/** Hash of a plan: equal plans have equal hashes, whatever process made them. */
export const planHash = (plan: Omit<Plan, 'hash'>): string =>
  hash('sha256', JSON.stringify(plan), 'hex').slice(0, 16);

/** What the record has cut to its bound, so that no hash can fit any more. */
const isCut = (text: unknown): boolean =>
  typeof text === 'string' && text.length === sentenceMax && text.endsWith('…');

/** Whether a plan that was read back is the one that its hash was made of, as far as that can be told. */
export const isAsHashed = ({ hash, ...plan }: Plan): boolean => {
  if (planHash(plan) === hash) return true;
  let cut = false;
  JSON.stringify(plan, (_key, value: unknown) => {
    cut ||= isCut(value);
    return value;
  });
  return cut;
};

/** Of the machines before it in a rollback, those that need it. */
const usersOf = ({ name }: Machine, before: readonly Machine[]): readonly string[] =>
  before.filter(({ dependencies }) => dependencies.includes(name)).map((user) => user.name);

/** Why a machine must not go without others that this plan leaves out, or null. */
const lossOf = (
  { name, dependencies }: Machine,
  users: readonly string[],
  leftOut: ReadonlySet<string>,
): Skip | null => {
  const needs = dependencies.filter((other) => leftOut.has(other));
  if (needs.length > 0)
    return {
      reason: 'dependency',
      message: `it depends on ${needs.join(' and ')}, which this plan leaves out`,
      remedy: `bring ${needs.join(' and ')} back first`,
    };
  const stay = users.filter((user) => leftOut.has(user));
  if (stay.length === 0) return null;
  return {
    reason: 'dependency',
    message: `${stay.join(' and ')}, which needs it, does not go back in this plan`,
    remedy: `bring ${stay.join(' and ')} back first, or name ${name} alone`,
  };
};

/** Why a machine must not go with what it needs, outside this plan: something else answers for that, or null. */
const strangerNeededBy = (
  { dependencies }: Machine,
  strangers: readonly Machine[],
  input: PlanInput,
): Skip | null => {
  for (const needed of strangers) {
    if (!dependencies.includes(needed.name)) continue;
    const other = mistakenIn(input, needed);
    if (other !== null)
      return {
        reason: 'dependency',
        message: `whether what it needs is well cannot be told: ${other.message}`,
        remedy: other.remedy,
      };
  }
  return null;
};

/**
 * The plan for a goal: pure, complete, in reboot order. Machines that cannot be acted on are in it too, as skipped
 * with their reason, and so are the dependents of a machine that is skipped: they must not go without it. A rollback goes
 * backwards, and there a machine must not go before those that need it. `hashOf` is for who makes plans by the million and
 * keeps none.
 */
export const makePlan = (input: PlanInput, hashOf: typeof planHash = planHash): Plan => {
  const { fleet, now } = input;
  const chosen = new Set(input.selection);
  const strangers = fleet.machines.filter(({ name }) => !chosen.has(name));
  const { members, ordered, waves } = planOrderOf(input);
  const drafts = new Map(
    members.map((machine) => [
      machine.name,
      ordered.has(machine.name) ? draftFor(input, machine) : orderlessDraft(input, machine),
    ]),
  );
  // In the order of the plan, so that what a machine needs is decided before it. A machine that has nothing to do
  // holds nobody up: whether it is healthy is probed when its dependents' turn comes.
  const leftOut = new Set<string>();
  let rebootsBefore = 0;
  const machines = members.flatMap((machine, position): MachinePlan[] => {
    const draft = drafts.get(machine.name);
    if (draft === undefined) return [];
    const users = input.rollback === undefined ? [] : usersOf(machine, members.slice(0, position));
    const place = {
      position,
      wave: waves.get(machine.name) ?? 0,
      first: rebootsBefore === 0,
      neededBy: users,
    };
    const judged = input.rollback?.judged.get(machine.name) ?? machine;
    const planned = planMachine(judged, draft, place);
    const lost =
      planned.decision.kind === 'act'
        ? (lossOf(machine, users, leftOut) ?? strangerNeededBy(machine, strangers, input))
        : null;
    if (lost !== null) {
      leftOut.add(machine.name);
      return [planMachine(judged, { ...draft, skip: lost }, place)];
    }
    if (planned.decision.kind === 'skip') leftOut.add(machine.name);
    if (planned.reboot !== null) rebootsBefore += 1;
    return [planned];
  });

  const needed = new Set(
    machines.filter(({ decision }) => decision.kind === 'act').flatMap(({ machine }) => machine.dependencies),
  );
  const bystanders = fleet.machines
    // A machine that is judged otherwise once it has gone back is until then what it is now.
    .filter(({ name }) => needed.has(name) && (!chosen.has(name) || input.rollback?.judged.has(name)))
    .map((machine) => {
      const seen = input.observations.get(machine.name);
      return { machine, failedUnits: seen?.kind === 'reachable' ? seen.failedUnits : [] };
    });
  const told = new Set([...members, ...bystanders.map(({ machine }) => machine)].map(({ name }) => name));
  const others = fleet.machines
    .filter(({ name }) => !told.has(name))
    .map(({ name, hostName }) => {
      const seen = input.observations.get(name);
      return { name, hostName, bootId: seen?.kind === 'reachable' ? seen.bootId : null };
    });
  const body = {
    schema: 1 as const,
    flake: input.flake,
    goal: input.goal,
    madeAt: now,
    machines,
    leftOut: fleet.failed
      .filter(({ name }) => chosen.has(name))
      .map(({ name, message, remedy }) => ({ name, message, remedy })),
    bystanders,
    expectedMs: machines.reduce((sum, { expectedMs }) => sum + expectedMs, 0),
    ...(others.length === 0 ? {} : { others }),
    ...((input.overrides ?? []).length === 0 ? {} : { overrides: input.overrides ?? [] }),
  };
  return { ...body, hash: hashOf(body) };
};
