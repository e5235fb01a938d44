import { fail, ok, type Result } from '../failure.ts';
import type { Fleet, Machine } from '../fleet/machine.ts';
import { type Problem, validateFleet } from '../fleet/validate.ts';
import { isSameHost } from '../plan/identity.ts';
import type { Evaluation, Nix, Observation, Target } from '../ports.ts';
import { count } from '../text/words.ts';
import { observeAll } from './observe.ts';
import { type Prepare, preparationFailure } from './preparation.ts';

/** The first pieces of work of every preparation: which machines there are, and what they run. */

/** Problems that leave no order to be trusted: nothing may be changed before they are repaired. */
const checkFleet = (problems: readonly Problem[]): Result<void> => {
  const grave = problems.filter(
    ({ severity, kind }) =>
      severity === 'error' && kind !== 'not-evaluated' && kind !== 'dependency-not-evaluated',
  );
  if (grave.length === 0) return ok(undefined);
  return fail(
    preparationFailure(
      'fleet-problems',
      'check',
      `the fleet has ${grave.length === 1 ? 'a problem that leaves' : `${grave.length} problems that leave`} no safe order: ${grave[0]?.message}`,
      'repair what `lab check` lists, then run again',
      grave.map(({ message, remedy }) => `${message}. ${remedy}`),
    ),
  );
};

/** The fleet as the flake describes it; fails where it cannot be evaluated or leaves no safe order. */
export const evaluate = async (nix: Nix, prepare: Prepare): Promise<Result<Evaluation>> => {
  const evaluated = await prepare('evaluate', async (options) => {
    const result = await nix.evaluate(options);
    if (!result.ok) return result;
    const { machines, failed } = result.value.fleet;
    const note = `${count(machines.length, 'machine')}${failed.length > 0 ? `, ${failed.length} could not be evaluated` : ''}`;
    return ok({ value: result.value, note });
  });
  if (!evaluated.ok) return evaluated;
  const sound = checkFleet(validateFleet(evaluated.value.fleet));
  return sound.ok ? evaluated : sound;
};

/** Looks at all of them, as one piece of work. */
export const look = (
  target: Target,
  prepare: Prepare,
  machines: readonly Machine[],
  signal: AbortSignal,
): Promise<Result<ReadonlyMap<string, Observation>>> =>
  prepare('observe', async () => {
    const seen = await observeAll(target, machines, signal);
    const away = [...seen.values()]
      .filter(({ kind }) => kind === 'unreachable')
      .map(({ machine }) => machine);
    return ok({
      value: seen,
      note: away.length === 0 ? 'all reachable' : `not reachable: ${away.join(', ')}`,
    });
  });

export const byMachine = <T>(
  items: readonly T[],
  nameOf: (item: T) => string | null,
): ReadonlyMap<string, T> =>
  new Map(
    items.flatMap((item) => {
      const name = nameOf(item);
      return name === null ? [] : [[name, item] as const];
    }),
  );

/** The machine that this process runs on: how it is called now, and in which boot it is. */
type Here = { readonly hostName: string; readonly bootId?: string };

/**
 * The machine `lab` itself runs on, by name, or null. One of the same name in another domain may be taken for it: all that
 * follows is that its reboot is planned as ours would be, while it is still reached by its address. An orchestrator that
 * the flake calls otherwise than it is called yet shows by its boot: to reboot it ends this process all the same.
 */
export const localMachineOf = (
  { machines }: Fleet,
  here: Here,
  observations: ReadonlyMap<string, Observation>,
): string | null => {
  const isOurBoot = (name: string): boolean => {
    const seen = observations.get(name);
    return here.bootId !== undefined && seen?.kind === 'reachable' && seen.bootId === here.bootId;
  };
  const ours = machines.filter(({ orchestrator }) => orchestrator);
  const found =
    ours.find(({ hostName }) => isSameHost(hostName, here.hostName)) ??
    ours.find(({ name }) => isOurBoot(name));
  return found?.name ?? null;
};
