import type { SteerAsk } from '../../run/event.ts';
import { isHalting } from '../../run/next.ts';
import { progressOf } from '../../run/progress.ts';
import type { RunState } from '../../run/state.ts';
import { whyNotSteer } from '../../run/steer.ts';

/** Which machine of a run is meant by retry and skip, what that would do, and why it cannot be. */

export type Steerable = {
  readonly machine: string | null;
  /** Why it cannot be asked; null when it can. */
  readonly not: string | null;
};

/** Those that the run has not brought to their goal, the one that holds it first. */
const shortOf = (run: RunState): readonly string[] => {
  const short = (run.plan?.machines ?? []).flatMap((entry) => {
    const { status, skippedBy } = progressOf(run, entry);
    const failed = status === 'failed' || status === 'restored';
    return entry.decision.kind === 'act' && (failed || status === 'skipped')
      ? [
          {
            name: entry.machine.name,
            first: failed && skippedBy === null && isHalting({ plan: entry }) ? 0 : failed ? 1 : 2,
          },
        ]
      : [];
  });
  return short.sort((a, b) => a.first - b.first).map(({ name }) => name);
};

/** `pointed`: the machine under the cursor, or named; without one, the run's own trouble is meant once it has ended. */
export const steerable = (run: RunState, what: SteerAsk['what'], pointed: string | null): Steerable => {
  const machines = run.plan?.machines ?? [];
  const named = pointed !== null && machines.some(({ machine }) => machine.name === pointed) ? pointed : null;
  const against = (machine: string): string | null => {
    // What can be done instead stands beside it on the screen.
    return whyNotSteer(run, { what, machine })?.message ?? null;
  };
  if (named !== null) return { machine: named, not: against(named) };
  if (pointed !== null && pointed !== '')
    return { machine: null, not: `${pointed} is no machine of this run` };
  if (run.ended === null) return { machine: null, not: 'put the cursor on a machine of the run' };
  const short = shortOf(run);
  const machine = short.find((name) => against(name) === null) ?? short[0];
  return machine === undefined
    ? { machine: null, not: 'every machine of this run came to its goal' }
    : { machine, not: against(machine) };
};

/** What would be done about the machine itself, if it were tried again. */
export const retryWords = (run: RunState, machine: string): string => {
  const entry = run.plan?.machines.find((each) => each.machine.name === machine);
  if (entry === undefined) return `${machine} is looked at anew, and tried again`;
  const { status, current, touched, failure } = progressOf(run, entry);
  if (!touched) return `nothing was done to ${machine}: it is looked at anew, and has its turn`;
  if (status === 'restored')
    return `${machine} is back at what it ran: it is looked at anew, and activated again under a new supervisor`;
  const again = `asks ${machine} to reboot again, unless it is seen to have rebooted or to be going down`;
  switch (current?.kind) {
    case 'reboot':
      return again;
    case 'await-boot':
      return failure?.kind === 'never-went-down'
        ? again
        : `looks whether ${machine} has booted as it should; it is not rebooted a second time`;
    case 'gate':
      if (current.after === 'reboot')
        return `${machine} has to pass its gate again; it is not rebooted a second time`;
      break;
    case 'dependencies':
      return `what ${machine} needs is looked at again before it goes on`;
  }
  return `looks at what ${machine} runs, and activates it again`;
};

export const skipWords = (machine: string): string =>
  `goes on without ${machine}: what needs it goes on if it is well and nothing has failed on it; the run is partial`;
