import type { Failure } from '../failure.ts';
import type { Fleet } from '../fleet/machine.ts';
import type { Observation, Toplevel } from '../ports.ts';
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
  readonly now: number;
};
