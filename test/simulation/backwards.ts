import { ok } from '../../src/failure.ts';
import { dependentsOf } from '../../src/fleet/graph.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import { prepare } from '../../src/flow/prepare.ts';
import type { planHash } from '../../src/plan/make-plan.ts';
import { noPast } from '../../src/plan/past.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Clock, Target } from '../../src/ports.ts';
import type { Scenario } from './scenario.ts';

/** What is different about a rollback in a simulated world. */

/** A rollback is prepared by the production flow: where machines return to is what the world says. */
export const prepareBack = async (
  scenario: Scenario,
  target: Target,
  clock: Clock,
  hashOf: typeof planHash,
): Promise<Plan> => {
  const never = async () => {
    throw new TypeError('a rollback asks nothing of Nix but the machines');
  };
  const prepared = await prepare(
    {
      flake: 'sim',
      nix: {
        evaluate: async () => ok({ fleet: { machines: scenario.machines, failed: [] }, discrepancies: [] }),
        proposeUpdate: never,
        writeLock: never,
        restoreLock: never,
        lockHolds: never,
        toplevels: never,
        build: never,
      },
      target,
      clock,
      hostName: scenario.localMachine ?? 'elsewhere',
      resumesAtBoot: scenario.resumesAtBoot,
      past: () => ok(scenario.past ?? noPast),
      earlier: { runOf: () => never() as never, plans: () => [] },
      introduce: async () => ok(undefined),
      hashOf,
    },
    {
      goal: scenario.goal,
      selectors: scenario.selection.length === 0 ? ['*'] : scenario.selection,
      dryRun: false,
      overrides: (scenario.overrides ?? []).filter(
        ({ machine }) => machine === null || scenario.selection.includes(machine),
      ),
    },
    () => {},
    new AbortController().signal,
  );
  if (!prepared.ok) throw new TypeError(prepared.failure.message);
  return prepared.value.plan;
};

/** In a rollback trouble goes both ways: to what needs a machine, and to what it needs. */
export const relatedTo = (machines: readonly Machine[], names: readonly string[]): ReadonlySet<string> => {
  const related = new Set(names);
  for (let before = -1; before !== related.size; ) {
    before = related.size;
    for (const name of dependentsOf(machines, [...related])) related.add(name);
    for (const { name, dependencies } of machines)
      if (related.has(name)) for (const dependency of dependencies) related.add(dependency);
  }
  return related;
};
