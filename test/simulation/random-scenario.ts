import type { Machine } from '../../src/fleet/machine.ts';
import { blockerKinds } from '../../src/plan/blocker-kinds.ts';
import type { Override } from '../../src/plan/override.ts';
import type { Goal } from '../../src/plan/plan.ts';
import type { Fault } from '../../src/sim/fault.ts';
import type { MachineStart, Nature } from '../../src/sim/machine.ts';
import { createRandom, type Random } from '../../src/sim/random.ts';
import type { Closure } from '../../src/sim/world.ts';
import { faultMakers } from './fault-makers.ts';
import { closureWith, machineNamed, toplevelOf } from './fleet.ts';
import type { ProcessEnd, Scenario } from './scenario.ts';

/** Scenarios by seed: fleets, goals, faults and process deaths, as they come. */

const machinesMax = 6;

const goals: readonly Goal[] = [
  { kind: 'run', update: false },
  { kind: 'run', update: true },
  { kind: 'run', update: false },
  { kind: 'run', update: false },
  { kind: 'run', update: false },
  { kind: 'run', update: false },
  { kind: 'run', update: false },
  { kind: 'run', update: false },
  { kind: 'deploy', mode: 'strategy' },
  { kind: 'deploy', mode: 'switch' },
  { kind: 'deploy', mode: 'boot' },
  { kind: 'deploy', mode: 'test' },
  { kind: 'deploy', mode: 'dry-activate' },
  { kind: 'reboot', which: 'all' },
  { kind: 'reboot', which: 'needed' },
  { kind: 'rollback', to: { kind: 'previous' }, reboot: true },
  { kind: 'rollback', to: { kind: 'previous' }, reboot: true },
  { kind: 'rollback', to: { kind: 'previous' }, reboot: false },
];

const randomMachine = (
  random: Random,
  index: number,
  names: readonly string[],
  orchestrator: boolean,
): Machine => {
  const own = random.chance(0.7);
  return machineNamed(names[index] ?? 'm', {
    orchestrator,
    dependencies: names.slice(0, index).filter(() => random.chance(0.3)),
    // Rising with the index, so that it never contradicts a dependency.
    rebootOrder: random.chance(0.4) ? index * 10 : null,
    strategy: random.pick(['rolling', 'rolling', 'blue-green', 'recreate']),
    criticality: random.pick(['low', 'low', 'medium', 'medium', 'high', 'critical']),
    delay: own ? random.pick([0, 0, 15, 60]) : 600,
    delayIsOwn: own,
    policy: random.pick(['when-needed', 'when-needed', 'always', 'never']),
    deadlines: {
      down: random.between(20, 90),
      up: random.between(60, 300),
      healthy: random.between(40, 180),
    },
    stable: random.pick([0, 5, 30]),
  });
};

const natureOf = (random: Random): Nature => ({
  copyMs: random.between(100, 30_000),
  activationMs: random.between(1_000, 30_000),
  restartMs: random.between(0, 8_000),
  shutdownMs: random.between(500, 10_000),
  bootMs: random.between(3_000, 40_000),
  startupMs: random.between(0, 10_000),
  servicesMs: random.between(0, 20_000),
});

/** Booted, current and profile against what is wanted: behind, as wanted, half way, or in need of a reboot. */
const versions = [
  ...Array.from({ length: 8 }, () => ['old', 'old', 'old'] as const),
  ['new', 'new', 'new'],
  ['old', 'old', 'new'],
  ['old', 'new', 'old'],
  ['old', 'new', 'new'],
] as const;
const startOf = (random: Random, name: string, faults: readonly Fault[]): MachineStart => {
  const [booted, current, profile] = random.pick(versions);
  return {
    name,
    nature: natureOf(random),
    faults,
    booted: toplevelOf(name, booted),
    current: toplevelOf(name, current),
    profile: toplevelOf(name, profile),
    earlier: [toplevelOf(name, 'new')],
    failedUnits: random.chance(0.15) ? ['flaky-timer.service'] : [],
  };
};

const randomEnd = (random: Random): ProcessEnd => {
  const downMs = random.pick([0, 500, 5_000, 90_000, 3_600_000]);
  const append = random.between(1, 80);
  const ms = random.between(0, 600_000);
  // A machine without a battery for its clock, or one that was set right in between.
  const skewMs = random.pick([0, 0, 0, 0, 0, 3_600_000, -3_600_000, 90_000, -90_000]);
  const end = random.pick<ProcessEnd>([
    { kind: 'killed-at-append', append, when: 'before', downMs },
    { kind: 'killed-at-append', append, when: 'after', downMs },
    { kind: 'killed-at', ms, downMs },
    { kind: 'journal-breaks', append, downMs },
    { kind: 'stopped-at', ms, downMs },
    { kind: 'aborted-at', ms, downMs },
  ]);
  return skewMs === 0 ? end : { ...end, skewMs };
};

/** Some blockers, for all machines or for one. */
const overridesFor = (random: Random, names: readonly string[]): readonly Override[] =>
  Array.from({ length: random.between(1, 4) }, () => ({
    blocker: random.pick(blockerKinds),
    machine: random.chance(0.5) ? null : random.pick(names.length === 0 ? ['none'] : names),
  }));

/** People who have machines left out or tried again, in the middle and after the end; most runs are left alone. */
const steeringFor = (random: Random, names: readonly string[]): Pick<Scenario, 'steers' | 'reopenings'> => {
  if (names.length === 0 || random.chance(0.6)) return {};
  const what = (): 'skip' | 'retry' => random.pick(['skip', 'retry', 'retry']);
  return {
    steers: Array.from({ length: random.pick([0, 1, 2, 5]) }, () => ({
      what: what(),
      machine: random.pick(names),
      atMs: random.between(0, 600_000),
    })),
    reopenings: Array.from({ length: random.pick([0, 1, 1, 3]) }, () => ({
      what: what(),
      machine: random.chance(0.7) ? null : random.pick(names),
      afterMs: random.pick([500, 60_000, 3_600_000]),
      heals: random.chance(0.7),
    })),
  };
};

/** Clocks that are set while the run goes on: by NTP after a boot without a battery, or by a person. */
const clockStepsFor = (random: Random): NonNullable<Scenario['clockSteps']> =>
  random.chance(0.85)
    ? []
    : Array.from({ length: random.pick([1, 1, 3]) }, () => ({
        atMs: random.between(0, 300_000),
        byMs: random.pick([
          -86_400_000, -3_600_000, -45_000, 45_000, 3_600_000, 86_400_000, 1_700_000_000_000,
        ]),
      }));

/** Mostly in the middle of a step: for a moment, longer than anything may take, or than a lease lasts. */
const standstillsFor = (random: Random): NonNullable<Scenario['standstills']> =>
  random.chance(0.88)
    ? []
    : Array.from({ length: random.pick([1, 1, 2]) }, () => ({
        ...(random.chance(0.3)
          ? { atMs: random.between(0, 300_000) }
          : {
              step: random.pick([
                'preflight',
                'dependencies',
                'dependencies',
                'activate',
                'activate',
                'activate',
                'reboot',
                'gate',
              ]),
              nth: random.pick([1, 2, 2, 3, 4]),
              laterMs: random.between(0, 700),
            }),
        forMs: random.pick([4_000, 15_000, 90_000, 700_000, 3_600_000, 3_600_000]),
      }));

/** Addresses that come to lead to another machine, which shows the same host key: one, or two that change places. */
const misledIn = (random: Random, names: readonly string[]): ReadonlyMap<string, Fault> => {
  if (names.length < 2 || random.chance(0.93)) return new Map();
  const one = random.pick(names);
  const other = random.pick(names.filter((name) => name !== one));
  const when = {
    atMs: random.between(0, random.pick([60_000, 400_000])),
    forMs: random.chance(0.3) ? null : random.between(1_000, 200_000),
  };
  const leads = (to: string): Fault => ({ kind: 'leads-elsewhere', to, ...when });
  return new Map([[one, leads(other)], ...(random.chance(0.4) ? [[other, leads(one)] as const] : [])]);
};

/** The scenario of a seed. `size` machines, if given, instead of as many as the seed says. */
export const randomScenario = (seed: number, size?: number): Scenario => {
  const random = createRandom(seed);
  const drawn = random.pick([1, 2, 3, 4, 5, machinesMax, machinesMax]);
  const names = Array.from({ length: size ?? drawn }, (_, index) => `m${index}`);
  const hasOrchestrator = random.chance(0.5);
  const machines = names.map((_, index) =>
    randomMachine(random, index, names, hasOrchestrator && index === names.length - 1),
  );
  // Swarms: some worlds are sound, some have one trouble, some are full of them.
  const troubles = random.pick([0, 0.15, 0.4, 0.8]);
  const misled = misledIn(random.fork('addresses'), names);
  const starts = machines.map(({ name }) => {
    const faults = random.chance(troubles)
      ? Array.from({ length: random.pick([1, 1, 2, 3]) }, () => random.pick(faultMakers)(random, name))
      : [];
    // Who deploys is in the way of a return only where something fails besides.
    const fails = faults.some(({ kind }) => kind === 'foreign-deploy') && random.chance(0.5);
    const illness = (): Fault => ({
      kind: 'unhealthy-after',
      cause: random.pick(['activation', 'reboot']),
      forMs: null,
    });
    const elsewhere = misled.get(name);
    return startOf(random, name, [
      ...faults,
      ...(fails ? [illness()] : []),
      ...(elsewhere === undefined ? [] : [elsewhere]),
    ]);
  });
  const selection = random.chance(0.85) ? names : names.filter(() => random.chance(0.6));
  const ends = random.chance(0.5)
    ? []
    : Array.from({ length: random.pick([1, 1, 2, 4]) }, () => randomEnd(random));
  const pauses = random.chance(0.15)
    ? [{ atMs: random.between(0, 300_000), forMs: random.pick([1_000, 60_000, 3_600_000]) }]
    : [];
  const local = hasOrchestrator && random.chance(0.5) ? (machines.at(-1)?.name ?? null) : null;
  const sameKernel = random.chance(0.3);
  const closures = new Map<string, Closure>();
  for (const name of names) {
    closures.set(toplevelOf(name, 'old'), closureWith('6.12.10'));
    const kernel = sameKernel || random.chance(0.3) ? '6.12.10' : '6.12.11';
    closures.set(toplevelOf(name, 'new'), closureWith(kernel));
    closures.set(toplevelOf(name, 'foreign'), closureWith('6.12.9'));
  }
  return {
    seed,
    machines,
    starts,
    closures,
    wanted: new Map(machines.map(({ name }) => [name, toplevelOf(name, 'new')])),
    selection,
    goal: random.pick(goals),
    localMachine: local,
    resumesAtBoot: local !== null && random.chance(0.7),
    network: {
      latencyMs: random.pick([
        [5, 50],
        [20, 400],
      ]),
      silenceMs: random.pick([0, 3_000, 10_000]),
    },
    pauses,
    ends,
    // Where somebody left it for good, machines are on their own.
    abandoned: ends.length > 0 && random.chance(0.3),
    overrides: random.chance(0.3) ? overridesFor(random, selection) : [],
    ...steeringFor(random.fork('steering'), selection),
    clockSteps: clockStepsFor(random.fork('clock')),
    standstills: standstillsFor(random.fork('standstill')),
  };
};
