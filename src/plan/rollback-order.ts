import type { Machine } from '../fleet/machine.ts';

/**
 * The order of a rollback: that of a run backwards, so a machine goes back before what it needs: what was new last is
 * old first, and no machine runs the new with something old beneath it. Two things go before that:
 *
 * - A machine that is not healthy goes before those that need it: nobody could tell whether they are well.
 * - The machine `lab` runs on stays the last one: its reboot ends the process.
 */
export const rollbackOrderOf = (
  forward: readonly Machine[],
  unhealthy: ReadonlySet<string>,
): readonly Machine[] => {
  const members = new Map(forward.map((machine) => [machine.name, machine]));
  const placed = new Set<string>();
  const order: Machine[] = [];
  const place = (machine: Machine): void => {
    if (placed.has(machine.name)) return;
    placed.add(machine.name);
    for (const name of machine.dependencies) {
      const dependency = members.get(name);
      if (dependency !== undefined && unhealthy.has(name)) place(dependency);
    }
    order.push(machine);
  };
  for (const machine of [...forward].reverse()) if (!machine.orchestrator) place(machine);
  for (const machine of forward) if (machine.orchestrator) place(machine);
  return order;
};
