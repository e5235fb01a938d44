import type { Machine } from '../../src/fleet/machine.ts';
import type { PlanInput } from '../../src/plan/input.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import type { Goal, MachinePlan, Plan } from '../../src/plan/plan.ts';
import type { Observation, Reachable, Toplevel } from '../../src/ports.ts';
import { bootIdOf } from '../../src/sim/random.ts';
import { partsWith, toplevelOf } from '../simulation/fleet.ts';

/** What the planner is given, with everything ordinary: every machine runs `old`, the flake wants `new`. */

export const kernels = { old: '6.12.10', new: '6.12.11' } as const;
export type Version = keyof typeof kernels;

export const seen = (
  name: string,
  runs: Partial<Record<'booted' | 'current' | 'profile', Version>> = {},
  more: Partial<Reachable> = {},
): Reachable => ({
  kind: 'reachable',
  machine: name,
  at: 0,
  bootId: bootIdOf(name, 0),
  uptimeSeconds: 86_400,
  state: 'running',
  failedUnits: [],
  booted: toplevelOf(name, runs.booted ?? 'old'),
  current: toplevelOf(name, runs.current ?? 'old'),
  profile: toplevelOf(name, runs.profile ?? 'old'),
  generation: 7,
  kernelRelease: kernels[runs.booted ?? 'old'],
  nixosVersion: null,
  bootedParts: partsWith(kernels[runs.booted ?? 'old']),
  profileParts: partsWith(kernels[runs.profile ?? 'old']),
  ...more,
});

export const notSeen = (name: string): Observation => ({
  kind: 'unreachable',
  machine: name,
  at: 0,
  error: {
    kind: 'timeout',
    host: name,
    phase: 'tcp',
    retryable: true,
    dispatched: false,
    message: `${name} does not answer`,
    remedy: 'switch it on',
  },
});

export type PlanTraits = {
  readonly goal?: Goal;
  readonly selection?: readonly string[];
  readonly observations?: Readonly<Record<string, Observation>>;
  /** The kernel of what the flake wants; null: its parts are not known before it is built. */
  readonly wantedKernel?: string | null;
  readonly more?: Partial<PlanInput>;
};

export const planFor = (machines: readonly Machine[], traits: PlanTraits = {}): Plan =>
  makePlan({
    flake: '/lab',
    fleet: { machines, failed: [] },
    selection: traits.selection ?? machines.map(({ name }) => name),
    goal: traits.goal ?? { kind: 'run', update: false },
    observations: new Map(
      machines.map(({ name }): [string, Observation] => [name, traits.observations?.[name] ?? seen(name)]),
    ),
    toplevels:
      traits.goal?.kind === 'reboot'
        ? new Map()
        : new Map(
            machines.map(({ name }): [string, Toplevel] => [
              name,
              {
                machine: name,
                drvPath: `${toplevelOf(name, 'new')}.drv`,
                outPath: toplevelOf(name, 'new'),
                parts: traits.wantedKernel === null ? null : partsWith(traits.wantedKernel ?? kernels.new),
              },
            ]),
          ),
    buildFailures: new Map(),
    blocked: new Map(),
    localMachine: null,
    resumesAtBoot: false,
    now: 1_000,
    ...traits.more,
  });

export const entryOf = (plan: Plan, name: string): MachinePlan => {
  const entry = plan.machines.find(({ machine }) => machine.name === name);
  if (entry === undefined) throw new Error(`${name} is not in the plan`);
  return entry;
};

/** `activate-switch`, `gate-after-reboot` …: the steps without the machine's name. */
export const stepsOf = (plan: Plan, name: string): readonly string[] =>
  entryOf(plan, name).steps.map(({ id }) => id.slice(name.length + 1));
