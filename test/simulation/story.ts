import type { Durations } from '../../src/plan/durations.ts';
import type { Override } from '../../src/plan/override.ts';
import { noPast } from '../../src/plan/past.ts';
import type { Goal } from '../../src/plan/plan.ts';
import { progressOf } from '../../src/run/progress.ts';
import type { Fault } from '../../src/sim/fault.ts';
import type { MachineStart, Nature } from '../../src/sim/machine.ts';
import { closureWith, type MachineTraits, machineNamed, toplevelOf } from './fleet.ts';
import type { ProcessEnd, Reopening, Scenario, Steered } from './scenario.ts';
import { type Simulated, simulate } from './simulate.ts';

/** Told runs: a small fleet, what ails it, and what became of it. Every rule of the simulation holds in them too. */

export type Character = MachineTraits & {
  readonly faults?: readonly Fault[];
  /** What it runs at the start: `old` unless said. */
  readonly runs?: Partial<Record<'booted' | 'current' | 'profile', 'old' | 'new'>>;
  readonly failedUnits?: readonly string[];
};

export type Plot = {
  readonly goal?: Goal;
  readonly overrides?: readonly Override[];
  /** Only these are chosen; all unless said. */
  readonly selection?: readonly string[];
  /** The new toplevel has the kernel of the old one, so nothing needs a reboot. */
  readonly sameKernel?: boolean;
  readonly localMachine?: string;
  readonly resumesAtBoot?: boolean;
  readonly pauses?: Scenario['pauses'];
  readonly ends?: readonly ProcessEnd[];
  readonly standstills?: NonNullable<Scenario['standstills']>;
  readonly clockSteps?: NonNullable<Scenario['clockSteps']>;
  readonly steers?: readonly Steered[];
  readonly reopenings?: readonly Reopening[];
  /** After the last of `ends` nobody resumes the run. */
  readonly abandoned?: boolean;
  readonly silenceMs?: number;
  /** What past runs have measured, by machine. */
  readonly durations?: Readonly<Record<string, Durations>>;
  /** What the checks of a machine looked at when a run last brought it to its goal. */
  readonly checks?: Readonly<Record<string, readonly string[]>>;
};

const nature: Nature = {
  copyMs: 5_000,
  activationMs: 10_000,
  restartMs: 1_000,
  shutdownMs: 3_000,
  bootMs: 15_000,
  startupMs: 2_000,
  servicesMs: 4_000,
};

export type Told = Simulated & {
  /** `done`, or why not: `failed: never-went-down`. */
  readonly became: Readonly<Record<string, string>>;
  readonly result: string;
  readonly reason: string;
  /** What was done to machines, in order: `box switch new`, `box reboot`. */
  readonly done: readonly string[];
  /** Seconds into the run at which the n-th reboot of the fleet was triggered. */
  readonly rebootsAt: readonly number[];
};

export const tell = async (cast: Readonly<Record<string, Character>>, plot: Plot = {}): Promise<Told> => {
  const names = Object.keys(cast);
  const machines = Object.entries(cast).map(([name, traits]) =>
    machineNamed(name, { deadlines: { down: 30, up: 60, healthy: 60 }, delay: 0, ...traits }),
  );
  const scenario: Scenario = {
    seed: 1,
    machines,
    starts: Object.entries(cast).map(([name, { faults, runs, failedUnits }]): MachineStart => {
      const at = (place: 'booted' | 'current' | 'profile'): string =>
        toplevelOf(name, runs?.[place] ?? 'old');
      return {
        name,
        nature,
        faults: faults ?? [],
        booted: at('booted'),
        current: at('current'),
        profile: at('profile'),
        earlier: [toplevelOf(name, 'new')],
        failedUnits: failedUnits ?? [],
      };
    }),
    closures: new Map(
      names.flatMap((name) => [
        [toplevelOf(name, 'old'), closureWith('6.12.10')] as const,
        [toplevelOf(name, 'new'), closureWith(plot.sameKernel === true ? '6.12.10' : '6.12.11')] as const,
      ]),
    ),
    wanted: new Map(names.map((name) => [name, toplevelOf(name, 'new')])),
    selection: plot.selection ?? names,
    goal: plot.goal ?? { kind: 'run', update: false },
    overrides: plot.overrides ?? [],
    localMachine: plot.localMachine ?? null,
    resumesAtBoot: plot.resumesAtBoot ?? false,
    network: { latencyMs: [20, 80], silenceMs: plot.silenceMs ?? 3_000 },
    pauses: plot.pauses ?? [],
    ends: plot.ends ?? [],
    clockSteps: plot.clockSteps ?? [],
    standstills: plot.standstills ?? [],
    steers: plot.steers ?? [],
    reopenings: plot.reopenings ?? [],
    abandoned: plot.abandoned ?? false,
    past: {
      ...noPast,
      durations: new Map(Object.entries(plot.durations ?? {})),
      checks: new Map(Object.entries(plot.checks ?? {})),
    },
  };
  const simulated = await simulate(scenario);
  const { plan, state, world, startedAt } = simulated;
  const short = (toplevel: string): string => /-(old|new|foreign)$/u.exec(toplevel)?.[1] ?? toplevel;
  return {
    ...simulated,
    became: Object.fromEntries(
      plan.machines.map((entry) => {
        const { status, failure } = progressOf(state, entry);
        return [entry.machine.name, failure === null ? status : `${status}: ${failure.kind}`];
      }),
    ),
    result: state.ended?.result ?? 'none',
    reason: state.ended?.reason ?? '',
    done: world.effects.flatMap((effect) => {
      switch (effect.kind) {
        case 'reboot':
          return [`${effect.machine} reboot`];
        case 'activate':
          return [`${effect.machine} ${effect.mode} ${short(effect.toplevel)}`];
        case 'settle':
          // What is confirmed goes without saying.
          return effect.verdict === 'restore' ? [`${effect.machine} returns`] : [];
        default:
          return effect satisfies never;
      }
    }),
    rebootsAt: world.effects
      .filter(({ kind }) => kind === 'reboot')
      .map(({ at }) => Math.round((at - startedAt) / 1_000)),
  };
};
