import { leaseTimes } from '../../src/run/lease.ts';
import { createRandom, type Random } from '../../src/sim/random.ts';
import { crashScenario } from './crash-scenarios.ts';
import { closureWith, toplevelOf } from './fleet.ts';
import { randomScenario } from './random-scenario.ts';
import { describeScenario, type Scenario } from './scenario.ts';
import type { Death, Orchestrator, TwoScenario } from './two-orchestrators.ts';

/** Scenarios for two orchestrators: random ones by seed, and the small fleet of the crash points. */

const newer = ({ machines }: Scenario): Scenario['wanted'] =>
  new Map(machines.map(({ name }) => [name, toplevelOf(name, 'newer')]));

const withNewer = (base: Scenario): Scenario['closures'] =>
  new Map([
    ...base.closures,
    ...[...newer(base).values()].map((path) => [path, closureWith('6.12.12')] as const),
  ]);

const deathsOf = (random: Random): readonly Death[] =>
  random.pick<readonly Death[]>([
    [],
    [
      {
        at: random.chance(0.5) ? { append: random.between(1, 80) } : { ms: random.between(0, 600_000) },
        // Within the time of a lease, and beyond it.
        downMs: random.pick([0, 5_000, 90_000, 590_000, 700_000, 3_600_000, null]),
      },
    ],
  ]);

/** Two runs of one random fleet, with its faults, begun close to each other or while the other one is at work. */
export const randomTwo = (seed: number): TwoScenario => {
  const base = randomScenario(seed);
  const random = createRandom(seed).fork('two');
  const orchestrator = (name: string, startsAtMs: number, deaths: readonly Death[]): Orchestrator => ({
    name,
    startsAtMs,
    goal: random.pick([base.goal, base.goal, { kind: 'reboot', which: 'all' }]),
    wanted: random.chance(0.5) ? base.wanted : newer(base),
    deaths,
  });
  const fleet = { ...base, closures: withNewer(base), localMachine: null, resumesAtBoot: false };
  // Half of them as leases are made for: one dies, its leases run out, and it comes back when the other has taken over.
  if (random.chance(0.5)) {
    const { ttlMs } = leaseTimes;
    const death = { at: { append: random.between(4, 70) }, downMs: ttlMs + random.between(0, 900_000) };
    const begins = random.between(0, 120_000) + ttlMs + random.between(0, 400_000);
    return { fleet, orchestrators: [orchestrator('alice', 0, [death]), orchestrator('bob', begins, [])] };
  }
  const begins = random.pick([0, 50, 2_000, random.between(0, 600_000), 1_500_000]);
  return {
    fleet,
    orchestrators: [
      orchestrator('alice', 0, deathsOf(random)),
      orchestrator('bob', begins, deathsOf(random)),
    ],
  };
};

/** Alice dies at an append, or not; Bob wants something newer, or the same, and begins when he does. */
export const smallTwo = (
  alice: readonly Death[],
  bobStartsAtMs: number,
  bobWants: 'the same' | 'newer' = 'newer',
): TwoScenario => {
  const base = crashScenario({ fault: null, machine: 'app', crash: null });
  const { goal, wanted } = base;
  return {
    fleet: { ...base, closures: withNewer(base) },
    orchestrators: [
      { name: 'alice', startsAtMs: 0, goal, wanted, deaths: alice },
      {
        name: 'bob',
        startsAtMs: bobStartsAtMs,
        goal,
        wanted: bobWants === 'newer' ? newer(base) : wanted,
        deaths: [],
      },
    ],
  };
};

/** The scenario in a few lines, for people. */
export const describeTwo = ({ fleet, orchestrators }: TwoScenario): readonly string[] => [
  ...describeScenario({
    ...fleet,
    goal: orchestrators[0].goal,
    wanted: new Map(),
    ends: [],
    pauses: [],
  }).slice(1),
  ...orchestrators.map(
    ({ name, startsAtMs, goal, deaths }) =>
      `  ${name}: from ${startsAtMs / 1_000} s, goal ${JSON.stringify(goal)}${deaths
        .map(
          ({ at, downMs }) =>
            `; dies at ${'append' in at ? `append ${at.append}` : `${at.ms / 1_000} s`}, ${downMs === null ? 'for good' : `back after ${downMs / 1_000} s`}`,
        )
        .join('')}`,
  ),
];
