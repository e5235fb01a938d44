import { mapBounded } from '../concurrency.ts';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import { type ClosureDiff, diffClosures } from '../plan/closure-diff.ts';
import type { ClosurePath, Closures } from '../ports.ts';

/** Failures that say that a store does not hold the toplevel, in contrast to one that could not be asked. */
const absent: ReadonlySet<string> = new Set(['not-here', 'not-there']);

/** From our own store where it has the toplevel, for that costs no connection; else from that of the machine. */
const closureOf = async (
  closures: Closures,
  machine: Machine,
  toplevel: string,
  signal: AbortSignal,
): Promise<Result<readonly ClosurePath[]>> => {
  const here = await closures.here(toplevel, { signal });
  if (here.ok || here.failure.kind !== 'not-here') return here;
  return closures.on(machine, toplevel, { signal });
};

/** It is on neither side, or on ours not and the other could not be asked: what the flake wants has yet to be built. */
const notBuilt = (machine: Machine): Failure => ({
  kind: 'not-built',
  machine: machine.name,
  phase: 'closure',
  message: `what the flake wants of ${machine.name} is not built yet`,
  remedy: `\`lab diff --build ${machine.name}\` builds it, and so does preparing a run`,
});

/**
 * Compares what a machine runs with what would take its place. Failure kinds: `not-built`, `not-there`, `ssh-*`, and
 * those of a local store that cannot be asked.
 */
export const compareClosures = async (
  closures: Closures,
  machine: Machine,
  { from, to }: { readonly from: string; readonly to: string },
  signal: AbortSignal,
): Promise<Result<ClosureDiff>> => {
  const after = await closureOf(closures, machine, to, signal);
  if (!after.ok)
    return absent.has(after.failure.kind) || after.failure.kind.startsWith('ssh-')
      ? fail(notBuilt(machine))
      : after;
  const before = await closureOf(closures, machine, from, signal);
  if (!before.ok) return before;
  // That the toplevel is another one is why there is a difference, and none of its packages.
  const without = (paths: readonly ClosurePath[], toplevel: string): readonly ClosurePath[] =>
    paths.filter(({ path }) => path !== toplevel);
  return ok(diffClosures(without(before.value, from), without(after.value, to)));
};

/** How many are compared at a time: each closure is some thousands of paths. */
export const readersMax = 4;

/** Does so for each of these machines, and whatever else `work` wants, a few at a time. */
export const compareEach = <Out>(
  machines: readonly Machine[],
  work: (machine: Machine) => Promise<Out>,
): Promise<readonly Out[]> => mapBounded(machines, readersMax, work);
