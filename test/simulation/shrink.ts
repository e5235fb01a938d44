import type { Scenario } from './scenario.ts';

/** The scenario without one machine, or null where something needs it. */
const without = (scenario: Scenario, name: string): Scenario | null =>
  scenario.machines.length < 2 || scenario.localMachine === name
    ? null
    : {
        ...scenario,
        machines: scenario.machines
          .filter((machine) => machine.name !== name)
          .map((machine) => ({
            ...machine,
            dependencies: machine.dependencies.filter((needed) => needed !== name),
          })),
        starts: scenario.starts.filter((start) => start.name !== name),
        selection: scenario.selection.filter((chosen) => chosen !== name),
        wanted: new Map([...scenario.wanted].filter(([machine]) => machine !== name)),
      };

const dropped = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  items.map((_, index) => items.filter((_each, other) => other !== index));

/** Everything that is one thing simpler. */
const simpler = (scenario: Scenario): readonly Scenario[] => [
  ...scenario.machines.flatMap(({ name }) => without(scenario, name) ?? []),
  ...dropped(scenario.ends).map((ends) => ({
    ...scenario,
    ends,
    abandoned: ends.length > 0 && scenario.abandoned === true,
  })),
  ...dropped(scenario.clockSteps ?? []).map((clockSteps) => ({ ...scenario, clockSteps })),
  ...dropped(scenario.standstills ?? []).map((standstills) => ({ ...scenario, standstills })),
  ...dropped(scenario.steers ?? []).map((steers) => ({ ...scenario, steers })),
  ...dropped(scenario.reopenings ?? []).map((reopenings) => ({ ...scenario, reopenings })),
  ...dropped(scenario.pauses).map((pauses) => ({ ...scenario, pauses })),
  ...scenario.starts.flatMap((start) =>
    dropped(start.faults ?? []).map((faults) => ({
      ...scenario,
      starts: scenario.starts.map((other) => (other === start ? { ...start, faults } : other)),
    })),
  ),
];

const triesMax = 500;

/** The simplest scenario found that still breaks: machines, faults, pauses and process ends taken away one by one. */
export const shrink = async (
  scenario: Scenario,
  breaks: (tried: Scenario) => Promise<boolean>,
): Promise<Scenario> => {
  let smallest = scenario;
  for (let tries = 0; tries < triesMax; ) {
    let found: Scenario | null = null;
    for (const tried of simpler(smallest)) {
      tries += 1;
      if (!(await breaks(tried))) continue;
      found = tried;
      break;
    }
    if (found === null) return smallest;
    smallest = found;
  }
  return smallest;
};
