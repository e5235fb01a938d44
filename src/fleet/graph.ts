import type { Machine } from './machine.ts';

/** Dependencies that exist among the given machines, by name; unknown names and self-dependencies left out. */
export const dependencyMap = (machines: readonly Machine[]): ReadonlyMap<string, readonly string[]> => {
  const known = new Set(machines.map(({ name }) => name));
  return new Map(
    machines.map(({ name, dependencies }) => [
      name,
      [...new Set(dependencies)].filter((dependency) => known.has(dependency) && dependency !== name),
    ]),
  );
};

/** Every machine that needs one of `names`, directly or through others (without `names` themselves). */
export const dependentsOf = (machines: readonly Machine[], names: readonly string[]): ReadonlySet<string> => {
  const dependents = new Map<string, string[]>();
  for (const { name, dependencies } of machines)
    for (const dependency of dependencies) {
      const list = dependents.get(dependency);
      if (list === undefined) dependents.set(dependency, [name]);
      else list.push(name);
    }
  const reached = new Set(names);
  // A set gives out what is added while it is gone through.
  for (const name of reached) for (const dependent of dependents.get(name) ?? []) reached.add(dependent);
  for (const name of names) reached.delete(name);
  return reached;
};

/** One path per dependency cycle, first name repeated at its end: `a → b → a`. Linear in machines and edges. */
export const findCycles = (machines: readonly Machine[]): readonly (readonly string[])[] => {
  const edges = dependencyMap(machines);
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[][] = [];
  for (const start of [...edges.keys()].sort()) {
    if (state.has(start)) continue;
    // Depth first with a stack of our own: a chain of 500 machines must not depend on the engine's.
    const path: { name: string; rest: string[] }[] = [
      { name: start, rest: [...(edges.get(start) ?? [])].sort() },
    ];
    state.set(start, 'open');
    while (path.length > 0) {
      const top = path.at(-1);
      const next = top?.rest.shift();
      if (top === undefined) break;
      if (next === undefined) {
        state.set(top.name, 'done');
        path.pop();
      } else if (state.get(next) === 'open') {
        const from = path.findIndex(({ name }) => name === next);
        cycles.push([...path.slice(from).map(({ name }) => name), next]);
      } else if (!state.has(next)) {
        state.set(next, 'open');
        path.push({ name: next, rest: [...(edges.get(next) ?? [])].sort() });
      }
    }
  }
  return cycles;
};
