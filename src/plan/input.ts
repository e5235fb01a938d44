import type { Failure } from '../failure.ts';
import type { Fleet, Machine } from '../fleet/machine.ts';
import type { Observation, Toplevel } from '../ports.ts';
import type { Override } from './override.ts';
import type { Past } from './past.ts';
import type { Goal } from './plan.ts';

/** Everything a plan is made from. */
export type PlanInput = {
  readonly flake: string;
  readonly fleet: Fleet;
  /** Names of the machines chosen. */
  readonly selection: readonly string[];
  readonly goal: Goal;
  readonly observations: ReadonlyMap<string, Observation>;
  /** What the flake wants, by machine; empty for goals that do not ask it. */
  readonly toplevels: ReadonlyMap<string, Toplevel>;
  readonly buildFailures: ReadonlyMap<string, Failure>;
  /** Machines that nothing may be done to, with the reason. */
  readonly blocked: ReadonlyMap<string, { readonly message: string; readonly remedy: string }>;
  /** The machine `lab` itself runs on, or null. It is rebooted only if the run resumes at boot. */
  readonly localMachine: string | null;
  /** Whether a run that reboots `localMachine` is taken up again after its boot. */
  readonly resumesAtBoot: boolean;
  /** Blockers to go ahead in spite of. */
  readonly overrides?: readonly Override[];
  readonly now: number;
  /** What past runs know; absent where nobody asked them. */
  readonly past?: Past;
  /** Only of a rollback. */
  readonly rollback?: RollbackInput;
};

/** What a rollback knows besides: its `toplevels` are those the machines return to, and `blocked` those that cannot. */
export type RollbackInput = {
  /** Where each machine returns to; `words` say it: `generation 40 of 2026-11-18`. */
  readonly returns: ReadonlyMap<string, { readonly generation: number; readonly words: string }>;
  /** The order of the run that is undone, by name; null for that of the fleet. */
  readonly order: readonly string[] | null;
  /** Machines that are not healthy before it: what needs them cannot be proven before they have gone back. */
  readonly unhealthy: ReadonlySet<string>;
  /** Machines that are judged otherwise once they have gone back, by the checks that came with what they return to. */
  readonly judged: ReadonlyMap<string, Machine>;
};
