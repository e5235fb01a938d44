import { dependencyMap } from './graph.ts';
import type { CriticalityLevel, Machine } from './machine.ts';

const criticalityRank = { low: 0, medium: 1, high: 2, critical: 3 } as const satisfies Record<
  CriticalityLevel,
  number
>;

/** Orchestrator last; then `rebootOrder` (unset last), then criticality (low first: canaries), then name. */
const before = (a: Machine, b: Machine): number =>
  Number(a.orchestrator) - Number(b.orchestrator) ||
  (a.rebootOrder ?? Number.MAX_SAFE_INTEGER) - (b.rebootOrder ?? Number.MAX_SAFE_INTEGER) ||
  criticalityRank[a.orchestration.criticalityLevel] - criticalityRank[b.orchestration.criticalityLevel] ||
  (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/**
 * The machines in reboot order: dependencies first, ties as `before` says. Machines on or behind a dependency
 * cycle have no order and are missing from the result; `validateFleet` names the cycle.
 */
export const rebootOrderOf = (machines: readonly Machine[]): readonly Machine[] => {
  const needs = dependencyMap(machines);
  const dependents = new Map<string, Machine[]>();
  const open = new Map<string, number>();
  for (const machine of machines) {
    const dependencies = needs.get(machine.name) ?? [];
    open.set(machine.name, dependencies.length);
    for (const dependency of dependencies) {
      const list = dependents.get(dependency);
      if (list === undefined) dependents.set(dependency, [machine]);
      else list.push(machine);
    }
  }
  const ready = machines.filter(({ name }) => open.get(name) === 0).sort(before);
  const ordered: Machine[] = [];
  for (let machine = ready.shift(); machine !== undefined; machine = ready.shift()) {
    ordered.push(machine);
    for (const dependent of dependents.get(machine.name) ?? []) {
      const left = (open.get(dependent.name) ?? 1) - 1;
      open.set(dependent.name, left);
      if (left === 0) insertSorted(ready, dependent);
    }
  }
  return ordered;
};

const insertSorted = (ready: Machine[], machine: Machine): void => {
  let low = 0;
  let high = ready.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = ready[middle];
    if (other !== undefined && before(other, machine) < 0) low = middle + 1;
    else high = middle;
  }
  ready.splice(low, 0, machine);
};

/**
 * Cuts the reboot order, or that of a rollback, into waves: machines of one wave do not need each other, directly or through others, so they
 * may proceed together. The order inside and across waves stays the reboot order; the orchestrator is alone in the last.
 */
export const wavesOf = (ordered: readonly Machine[]): readonly (readonly Machine[])[] => {
  const needs = dependencyMap(ordered);
  const waves: Machine[][] = [];
  let current: Machine[] = [];
  let members = new Set<string>();
  for (const machine of ordered) {
    const related =
      (needs.get(machine.name) ?? []).some((dependency) => members.has(dependency)) ||
      current.some(({ name }) => needs.get(name)?.includes(machine.name));
    if (current.length > 0 && (related || machine.orchestrator)) {
      waves.push(current);
      current = [];
      members = new Set();
    }
    current.push(machine);
    members.add(machine.name);
  }
  if (current.length > 0) waves.push(current);
  return waves;
};
