import type { Machine } from '../fleet/machine.ts';
import { rebootOrderOf, wavesOf } from '../fleet/order.ts';
import type { PlanInput, RollbackInput } from './input.ts';
import { rollbackOrderOf } from './rollback-order.ts';

/** The chosen machines in the order of the plan, and the wave of each. */
type PlanOrder = {
  readonly members: readonly Machine[];
  /** Names of those that have a place in the order: not on a dependency cycle or behind one. */
  readonly ordered: ReadonlySet<string>;
  readonly waves: ReadonlyMap<string, number>;
};

const numbered = (waves: readonly (readonly Machine[])[]): ReadonlyMap<string, number> =>
  new Map(
    waves
      .filter((wave) => wave.length > 0)
      .flatMap((wave, index) => wave.map(({ name }) => [name, index] as const)),
  );

const namesOf = (machines: readonly Machine[]): ReadonlySet<string> =>
  new Set(machines.map(({ name }) => name));

const backwards = (chosen: readonly Machine[], rollback: RollbackInput): PlanOrder => {
  const recorded = new Map((rollback.order ?? []).map((name, index) => [name, index]));
  const placeOf = ({ name }: Machine): number => recorded.get(name) ?? recorded.size;
  const forward = rollback.order === null ? chosen : chosen.toSorted((a, b) => placeOf(a) - placeOf(b));
  const members = rollbackOrderOf(forward, rollback.unhealthy);
  return { members, ordered: namesOf(members), waves: numbered(wavesOf(members)) };
};

export const planOrderOf = ({ fleet, selection, rollback }: PlanInput): PlanOrder => {
  const chosen = new Set(selection);
  const isChosen = ({ name }: Machine): boolean => chosen.has(name);
  if (rollback !== undefined && rollback.order !== null)
    return backwards(fleet.machines.filter(isChosen), rollback);
  const order = rebootOrderOf(fleet.machines);
  const ordered = namesOf(order);
  const orderless = fleet.machines.filter(({ name }) => !ordered.has(name));
  if (rollback !== undefined) {
    const { members, waves } = backwards(order.filter(isChosen), rollback);
    const stranded = orderless.filter(isChosen);
    const last = new Set(waves.values()).size;
    return {
      members: [...members, ...stranded],
      ordered,
      waves: new Map([...waves, ...stranded.map(({ name }) => [name, last] as const)]),
    };
  }
  const waves = [...wavesOf(order), ...(orderless.length > 0 ? [orderless] : [])];
  return {
    members: [...order, ...orderless].filter(isChosen),
    ordered,
    waves: numbered(waves.map((wave) => wave.filter(isChosen))),
  };
};
