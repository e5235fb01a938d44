import { type MachineProgress, progressOf } from '../../src/run/progress.ts';
import type { RunState } from '../../src/run/state.ts';
import { type SteerRequest, whyNotSteer } from '../../src/run/steer.ts';
import type { VirtualClock } from '../../src/sim/clock.ts';
import type { Scenario } from './scenario.ts';

/** People who steer a simulated run: what they ask of it while it lasts, and what they reopen it for. */

export const askedBy = 'somebody';

export type Askers = {
  /** What was asked since the last time, of whoever drives. */
  readonly take: () => readonly SteerRequest[];
  readonly changed: () => Promise<void>;
  /** What was asked of a process that is gone is heard by nobody. */
  readonly forget: () => void;
};

export const createAskers = (
  { steers = [] }: Scenario,
  time: Pick<VirtualClock, 'now' | 'schedule'>,
): Askers => {
  let asked: SteerRequest[] = [];
  let waiting: (() => void)[] = [];
  for (const { atMs, what, machine } of steers)
    time.schedule(time.now() + atMs, () => {
      asked.push({ what, machine, by: askedBy });
      for (const wake of waiting) wake();
      waiting = [];
    });
  return {
    take: () => {
      const taken = asked;
      asked = [];
      return taken;
    },
    changed: () => new Promise((resolve) => waiting.push(resolve)),
    forget: () => {
      asked = [];
    },
  };
};

const isShort = ({ status, plan }: MachineProgress): boolean =>
  plan.decision.kind === 'act' && (status === 'failed' || status === 'restored' || status === 'skipped');

/** Whom a reopening is about. */
export const meant = (state: RunState, named: string | null): string | null =>
  named ?? state.plan?.machines.find((entry) => isShort(progressOf(state, entry)))?.machine.name ?? null;

export const mayReopen = (state: RunState, what: 'skip' | 'retry', machine: string): boolean =>
  whyNotSteer(state, { what, machine }) === null;
