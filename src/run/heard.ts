import type { Step } from '../plan/plan.ts';
import { ofMachine } from './by-machine.ts';
import { doesNothing } from './left-out.ts';
import type { RunState } from './state.ts';

/** What one step hears. */
export type HeardByStep = {
  /** With all steps of its kind: the run is given up, or stopped where the step only waits. */
  readonly own: AbortSignal;
  /** The same, or that its machine was left out. */
  readonly alone: AbortSignal;
};

/**
 * Who tells what is under way that it is given up: everything, what a stop cuts short because nothing is half done in
 * it (delays and looks), or what leaves a machine as it was that somebody has left out.
 */
export type Heard = {
  readonly all: AbortSignal;
  readonly looks: AbortSignal;
  readonly by: (step: Step) => HeardByStep;
  readonly giveUp: (reason: unknown) => void;
  readonly stop: (reason: unknown) => void;
  readonly leaveOut: (state: RunState) => void;
};

export const createHeard = (): Heard => {
  const [all, looks] = [new AbortController(), new AbortController()];
  /** Of each machine, for the latest of its steps that may be given up: there is one at a time. */
  const latest = new Map<string, { readonly step: Step; readonly alone: AbortController }>();
  const abortWhere = (which: (step: Step) => boolean, reason: unknown): void => {
    for (const { step, alone } of latest.values()) if (which(step)) alone.abort(reason);
  };
  return {
    all: all.signal,
    looks: looks.signal,
    by: (step) => {
      const own = step.kind === 'delay' ? looks.signal : all.signal;
      if (!doesNothing(step)) return { own, alone: own };
      // The steps of a machine hear one signal, one after the other, unless it has been used up.
      const before = latest.get(step.machine)?.alone;
      const alone = before === undefined || before.signal.aborted ? new AbortController() : before;
      latest.set(step.machine, { step, alone });
      if (own.aborted) alone.abort(own.reason);
      return { own, alone: alone.signal };
    },
    giveUp: (reason) => {
      all.abort(reason);
      looks.abort(reason);
      abortWhere(() => true, reason);
    },
    stop: (reason) => {
      looks.abort(reason);
      abortWhere(({ kind }) => kind === 'delay', reason);
    },
    leaveOut: (state) =>
      abortWhere(
        ({ machine }) => ofMachine(state.machines, machine)?.steer.skippedBy != null,
        'its machine is left out',
      ),
  };
};
