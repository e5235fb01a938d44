import type { Fault } from '../../src/sim/fault.ts';
import type { Nature } from '../../src/sim/machine.ts';
import { createRandom } from '../../src/sim/random.ts';
import { faultMakers } from './fault-makers.ts';
import { closureWith, machineNamed, toplevelOf } from './fleet.ts';
import type { Scenario } from './scenario.ts';

/**
 * A small fleet in which everything happens (all three strategies, a chain of dependencies, a delay, the
 * orchestrator), for runs whose process dies at every append, with every kind of fault on one of its machines.
 */

const nature: Nature = {
  copyMs: 2_000,
  activationMs: 6_000,
  restartMs: 1_000,
  shutdownMs: 2_000,
  bootMs: 8_000,
  startupMs: 2_000,
  servicesMs: 3_000,
};
const deadlines = { down: 30, up: 60, healthy: 40 };

const machines = [
  machineNamed('nas', { criticality: 'medium', deadlines, stable: 3, delay: 0 }),
  machineNamed('app', {
    dependencies: ['nas'],
    strategy: 'blue-green',
    criticality: 'critical',
    deadlines,
    stable: 3,
    delay: 20,
  }),
  machineNamed('desk', {
    orchestrator: true,
    strategy: 'recreate',
    criticality: 'low',
    deadlines,
    stable: 0,
    delay: 0,
  }),
];

export type CrashPoint = {
  readonly append: number;
  readonly when: 'before' | 'after';
  /** Milliseconds until the next process takes over; null when none ever does. */
  readonly downMs: number | null;
};

export type CrashCase = {
  /** Index into `crashFaults`; null for none. */
  readonly fault: number | null;
  readonly machine: 'nas' | 'app';
  readonly crash: CrashPoint | null;
  /** A rollback in place of a run. */
  readonly back?: true;
};

const random = createRandom(11);
/** Times that fall into the run of so small a fleet; every kind of the catalogue once. */
export const crashFaults: readonly Fault[] = faultMakers.map((make) => {
  const fault = make(random, 'any');
  switch (fault.kind) {
    case 'away':
      return { ...fault, atMs: 12_000, forMs: 30_000 };
    case 'falls-ill':
      return { ...fault, atMs: 15_000, forMs: 40_000 };
    case 'sudo-breaks':
      return { ...fault, atMs: 9_000, forMs: 40_000 };
    case 'crash':
      return { ...fault, atMs: 20_000 };
    case 'foreign-deploy':
      return {
        ...fault,
        atMs: fault.since === undefined ? 9_000 : 2_000,
        toplevel: toplevelOf('any', 'foreign'),
      };
    case 'flaky':
      return { ...fault, chance: 0.1 };
    case 'unhealthy-after':
    case 'unit-fails-after':
      return { ...fault, cause: 'reboot' };
    default:
      return fault;
  }
});

export const crashScenario = ({ fault, machine, crash, back }: CrashCase): Scenario => {
  const suffered = fault === null ? undefined : crashFaults[fault];
  return {
    seed: 1,
    machines,
    starts: machines.map(({ name }) => ({
      name,
      nature,
      faults: name === machine && suffered !== undefined ? [suffered] : [],
      booted: toplevelOf(name, 'old'),
      current: toplevelOf(name, 'old'),
      profile: toplevelOf(name, 'old'),
      earlier: [toplevelOf(name, 'new')],
    })),
    closures: new Map(
      machines.flatMap(({ name }) => [
        [toplevelOf(name, 'old'), closureWith('6.12.10')] as const,
        [toplevelOf(name, 'new'), closureWith('6.12.11')] as const,
      ]),
    ),
    wanted: new Map(machines.map(({ name }) => [name, toplevelOf(name, 'new')])),
    selection: machines.map(({ name }) => name),
    goal:
      back === true
        ? { kind: 'rollback', to: { kind: 'previous' }, reboot: true }
        : { kind: 'run', update: false },
    localMachine: null,
    resumesAtBoot: false,
    network: { latencyMs: [20, 60], silenceMs: 3_000 },
    pauses: [],
    ends: crash === null ? [] : [{ kind: 'killed-at-append', ...crash, downMs: crash.downMs ?? 0 }],
    abandoned: crash !== null && crash.downMs === null,
  };
};

/** `app/7/after/31/500`, and `back/app/7…` of a rollback: how a case is named where it fails, and given to `npm run sim -- --crash`. */
export const nameOfCase = ({ fault, machine, crash, back }: CrashCase): string =>
  [
    ...(back === true ? ['back'] : []),
    machine,
    fault ?? 'none',
    ...(crash === null ? [] : [crash.when, crash.append, crash.downMs ?? 'never']),
  ].join('/');

export const caseNamed = (name: string): CrashCase | null => {
  const match = /^(back\/)?(nas|app)\/(none|\d+)(?:\/(before|after)\/(\d+)\/(\d+|never))?$/u.exec(name);
  if (match === null) return null;
  const [, back, machine, fault, when, append, downMs] = match;
  return {
    ...(back === undefined ? {} : { back: true as const }),
    machine: machine === 'nas' ? 'nas' : 'app',
    fault: fault === undefined || fault === 'none' ? null : Number(fault),
    crash:
      when === undefined
        ? null
        : {
            when: when === 'before' ? 'before' : 'after',
            append: Number(append),
            downMs: downMs === 'never' ? null : Number(downMs),
          },
  };
};
