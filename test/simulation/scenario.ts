import type { Machine } from '../../src/fleet/machine.ts';
import { type Override, overrideWords } from '../../src/plan/override.ts';
import type { Past } from '../../src/plan/past.ts';
import type { Goal, Step } from '../../src/plan/plan.ts';
import type { SteerAsk } from '../../src/run/event.ts';
import { describeFault, type Fault } from '../../src/sim/fault.ts';
import type { MachineStart } from '../../src/sim/machine.ts';
import type { Closure } from '../../src/sim/world.ts';

/** How one engine process of a run ends; the next one resumes `downMs` later. */
export type ProcessEnd = {
  readonly downMs: number;
  /** The clock of those after it differs by so much from its own. */
  readonly skewMs?: number;
} & (
  | { readonly kind: 'killed-at-append'; readonly append: number; readonly when: 'before' | 'after' }
  | { readonly kind: 'killed-at'; readonly ms: number }
  /** The journal refuses every append from this one on, until the next process. */
  | { readonly kind: 'journal-breaks'; readonly append: number }
  | { readonly kind: 'stopped-at'; readonly ms: number }
  | { readonly kind: 'aborted-at'; readonly ms: number }
);

/** What somebody asks of one machine of a run under way, milliseconds from its approval. */
export type Steered = SteerAsk & { readonly atMs: number };

/** What somebody asks of a run that has ended: of the first machine that has not come to its goal, unless one is named. */
export type Reopening = {
  readonly what: SteerAsk['what'];
  readonly machine: string | null;
  readonly afterMs: number;
  /** Whether that machine is seen to before. */
  readonly heals: boolean;
};

/** The process of the engine is stopped, or its computer suspended: milliseconds from the approval, or from the intent of the n-th step of a kind. */
export type Standstill = { readonly forMs: number } & (
  | { readonly atMs: number }
  | { readonly step: Step['kind']; readonly nth: number; readonly laterMs: number }
);

/** Everything that decides a simulated run: the same scenario gives the same run, event for event. */
export type Scenario = {
  readonly seed: number;
  readonly machines: readonly Machine[];
  readonly starts: readonly MachineStart[];
  readonly closures: ReadonlyMap<string, Closure>;
  /** What the flake wants, by machine. */
  readonly wanted: ReadonlyMap<string, string>;
  readonly selection: readonly string[];
  readonly goal: Goal;
  /** Blockers to go ahead in spite of. */
  readonly overrides?: readonly Override[];
  /** The machine that the engine itself runs on: its processes die when that goes down. */
  readonly localMachine: string | null;
  /** Whether a process takes the run up again when that machine has booted. */
  readonly resumesAtBoot: boolean;
  /** What past runs know. */
  readonly past?: Past;
  readonly network: { readonly latencyMs: readonly [number, number]; readonly silenceMs: number };
  /** When somebody, or NTP, sets the clock of the machine that the engine runs on, milliseconds from the approval. */
  readonly clockSteps?: readonly { readonly atMs: number; readonly byMs: number }[];
  readonly standstills?: readonly Standstill[];
  /** When somebody holds the run back, milliseconds from its approval. */
  readonly pauses: readonly { readonly atMs: number; readonly forMs: number }[];
  readonly steers?: readonly Steered[];
  /** Each time the run ends, the next of them. */
  readonly reopenings?: readonly Reopening[];
  /** Processes that do not live to the end, in order; after them one does, unless nobody takes the run up again. */
  readonly ends: readonly ProcessEnd[];
  readonly abandoned?: boolean;
};

const describeEnd = ({ kind, downMs, skewMs = 0, ...rest }: ProcessEnd): string =>
  `${kind} ${Object.values(rest).join(' ')}, resumed after ${downMs / 1_000} s${skewMs === 0 ? '' : ` with a clock off by ${skewMs / 1_000} s`}`;

/** The scenario in a few lines, for people. */
export const describeScenario = (scenario: Scenario): readonly string[] => [
  `goal ${JSON.stringify(scenario.goal)} on ${scenario.selection.join(', ')}${scenario.localMachine === null ? '' : `, from ${scenario.localMachine}${scenario.resumesAtBoot ? ', which resumes at boot' : ''}`}`,
  ...(scenario.overrides ?? []).map((override) => `  overridden: ${overrideWords(override)}`),
  ...scenario.machines.map((machine) => {
    const start = scenario.starts.find(({ name }) => name === machine.name);
    const { deployStrategy, criticalityLevel, rebootDelay } = machine.orchestration;
    const faults: readonly Fault[] = start?.faults ?? [];
    return [
      `  ${machine.name}: ${deployStrategy}, ${criticalityLevel}, ${machine.reboot.policy}, delay ${rebootDelay} s`,
      ...(machine.orchestrator ? ['orchestrator'] : []),
      ...(machine.dependencies.length > 0 ? [`needs ${machine.dependencies.join(' ')}`] : []),
      ...faults.map(describeFault),
    ].join('; ');
  }),
  ...(scenario.clockSteps ?? []).map(
    ({ atMs, byMs }) => `  clock set by ${byMs / 1_000} s at ${atMs / 1_000} s`,
  ),
  ...(scenario.standstills ?? []).map(
    (still) =>
      `  stands still ${'atMs' in still ? `at ${still.atMs / 1_000} s` : `${still.laterMs / 1_000} s into the ${still.step} number ${still.nth}`} for ${still.forMs / 1_000} s`,
  ),
  ...scenario.pauses.map(({ atMs, forMs }) => `  paused at ${atMs / 1_000} s for ${forMs / 1_000} s`),
  ...(scenario.steers ?? []).map(({ what, machine, atMs }) => `  ${what} ${machine} at ${atMs / 1_000} s`),
  ...(scenario.reopenings ?? []).map(
    ({ what, machine, afterMs, heals }) =>
      `  ended, then after ${afterMs / 1_000} s: ${what} ${machine ?? 'whoever is not at its goal'}${heals ? ', seen to before' : ''}`,
  ),
  ...scenario.ends.map((end) => `  process ${describeEnd(end)}`),
  ...(scenario.abandoned === true ? ['  nobody resumes the run'] : []),
];
