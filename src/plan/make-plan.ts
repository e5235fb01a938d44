import { hash } from 'node:crypto';
import { rebootOrderOf, wavesOf } from '../fleet/order.ts';
import { draftFor, orderlessDraft } from './draft.ts';
import type { PlanInput } from './input.ts';
import type { MachinePlan, Plan } from './plan.ts';
import { planMachine } from './plan-machine.ts';

/** Hash of a plan: equal plans have equal hashes, whatever process made them. */
export const planHash = (plan: Omit<Plan, 'hash'>): string =>
  hash('sha256', JSON.stringify(plan), 'hex').slice(0, 16);

/**
 * The plan for a goal: pure, complete, in reboot order. Machines that cannot be acted on are in it too, as skipped
 * with their reason, and so are the dependents of a machine that is skipped: they must not go without it.
 */
export const makePlan = (input: PlanInput): Plan => {
  const { fleet, now } = input;
  const chosen = new Set(input.selection);
  const order = rebootOrderOf(fleet.machines);
  const ordered = new Set(order.map(({ name }) => name));
  const orderless = fleet.machines.filter(({ name }) => !ordered.has(name));
  const members = [...order, ...orderless].filter(({ name }) => chosen.has(name));
  const waves = [...wavesOf(order), ...(orderless.length > 0 ? [orderless] : [])];
  const waveNumbers = new Map(
    waves
      .map((wave) => wave.filter(({ name }) => chosen.has(name)))
      .filter((wave) => wave.length > 0)
      .flatMap((wave, index) => wave.map(({ name }) => [name, index] as const)),
  );
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
    const place = { position, wave: waveNumbers.get(machine.name) ?? 0, first: rebootsBefore === 0 };
    const lost = machine.dependencies.filter((name) => leftOut.has(name));
    const planned = planMachine(machine, draft, place);
    if (planned.decision.kind === 'act' && lost.length > 0) {
      leftOut.add(machine.name);
      const message = `it depends on ${lost.join(' and ')}, which this plan leaves out`;
      const skip = {
        reason: 'dependency',
        message,
        remedy: `bring ${lost.join(' and ')} back first`,
      } as const;
      return [planMachine(machine, { ...draft, skip }, place)];
    }
    if (planned.decision.kind === 'skip') leftOut.add(machine.name);
    if (planned.reboot !== null) rebootsBefore += 1;
    return [planned];
  });

  const needed = new Set(
    machines.filter(({ decision }) => decision.kind === 'act').flatMap(({ machine }) => machine.dependencies),
  );
  const bystanders = fleet.machines
    .filter(({ name }) => needed.has(name) && !chosen.has(name))
    .map((machine) => {
      const seen = input.observations.get(machine.name);
      return { machine, failedUnits: seen?.kind === 'reachable' ? seen.failedUnits : [] };
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
  };
  return { ...body, hash: planHash(body) };
};
