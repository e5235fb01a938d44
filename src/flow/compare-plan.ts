import { mapBounded } from '../concurrency.ts';
import { type Failure, fail, type Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { ClosureDiff } from '../plan/closure-diff.ts';
import type { Plan } from '../plan/plan.ts';
import type { Clock, Closures } from '../ports.ts';
import { compareClosures, readersMax } from './compare-closures.ts';

/** What the packages of its machines become, by machine: of those that the plan gives another toplevel. */
export type PlanPackages = ReadonlyMap<string, Result<ClosureDiff>>;

/** A plan is told after so long, whatever is known by then: most of it lies in the store beside it. */
const compareWithinMs = 3_000;

const late = (machine: string): Failure => ({
  kind: 'timeout',
  machine,
  phase: 'closure',
  message: `the packages of ${machine} were not compared within ${compareWithinMs / 1_000} s`,
  remedy: `\`lab diff ${machine}\` takes its time`,
});

type Pair = { readonly machine: Machine; readonly from: string; readonly to: string };

const pairsOf = ({ machines }: Plan): readonly Pair[] =>
  machines.flatMap(({ machine, decision, activation, prior, wanted }) => {
    const from = prior?.current ?? null;
    return decision.kind === 'act' &&
      activation !== null &&
      from !== null &&
      wanted !== null &&
      from !== wanted
      ? [{ machine, from, to: wanted }]
      : [];
  });

/**
 * Compares what is there already: what has yet to be built is not looked for on the machine (failure kind `not-built`).
 * All of it within one deadline (`timeout`).
 */
export const comparePlan = async (
  { closures, clock }: { readonly closures: Closures; readonly clock: Clock },
  plan: Plan,
  signal: AbortSignal,
): Promise<PlanPackages> => {
  const pairs = pairsOf(plan);
  const known = new Map<string, Result<ClosureDiff>>();
  const over = new AbortController();
  const own = AbortSignal.any([signal, over.signal]);
  const compared = mapBounded(pairs, readersMax, async ({ machine, from, to }) => {
    if (own.aborted) return;
    const near: Closures = {
      here: closures.here,
      on: (asked, toplevel, options) =>
        toplevel === to ? closures.here(toplevel, options) : closures.on(asked, toplevel, options),
    };
    const result = await compareClosures(near, machine, { from, to }, own);
    if (!own.aborted) known.set(machine.name, result);
  });
  await Promise.race([compared, clock.sleep(compareWithinMs, own)]);
  over.abort();
  // What is still on its way ends with the signal, and nobody waits for it.
  compared.catch(() => {});
  return new Map(pairs.map(({ machine: { name } }) => [name, known.get(name) ?? fail(late(name))]));
};
