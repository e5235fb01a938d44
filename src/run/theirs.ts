import type { MachinePlan, Step } from '../plan/plan.ts';
import type { Runs } from '../ports.ts';
import type { StepOutcome } from './event.ts';
import type { RunState } from './state.ts';
import { bootTarget, changedSincePlan, failed, failureAt, recordedPrior } from './step-context.ts';

/**
 * What somebody else deployed to a machine while a run had it: neither what it had, nor what it was to get. It is theirs:
 * nothing of ours is put over it, no return either. Pure.
 *
 * A machine that came up in a generation that is unknown here, and would boot what it should, is none of that: its boot
 * loader chose an older entry.
 */

/** `runs`: it runs theirs · `boots`: it would boot theirs, and runs what it had or was to get. */
export type Theirs = { readonly what: 'runs' | 'boots'; readonly toplevel: string };

/** What the machine had before the run, and what it is to get. Empty where nobody saw what it had. */
export const knownTo = (state: RunState, entry: MachinePlan): readonly string[] => {
  const { prior, wanted } = entry;
  if (prior === null) return [];
  const before = recordedPrior(state, entry);
  const had = [prior.booted, prior.current, prior.profile, before?.current, before?.profile];
  const gets = [wanted, bootTarget(state, entry, prior.profile)];
  return [...had, ...gets].filter((toplevel) => toplevel != null);
};

export const theirsOn = (
  state: RunState,
  entry: MachinePlan,
  { booted, current, profile }: Omit<Runs, 'bootId'>,
): Theirs | null => {
  if (entry.prior === null) return null;
  const known = knownTo(state, entry);
  const isTheirs = (toplevel: string | null): toplevel is string =>
    toplevel !== null && !known.includes(toplevel);
  if (isTheirs(current) && (current !== booted || current === profile))
    return { what: 'runs', toplevel: current };
  return isTheirs(profile) ? { what: 'boots', toplevel: profile } : null;
};

export const theirsRemedy = 'it is left as they made it: find out who deployed to it, then plan again';

export const theirsWords = ({ what, toplevel }: Theirs): string =>
  what === 'runs'
    ? `someone else deployed to it meanwhile, and it runs ${toplevel}`
    : `someone else changed what it would boot meanwhile: ${toplevel}`;

/** What becomes of a step that finds, or leaves, what somebody else deployed. `so`: `not confirmed:`. */
export const leftAsTheirs = (step: Step, theirs: Theirs | null, so: string): StepOutcome =>
  failed(
    failureAt(
      step,
      changedSincePlan,
      `${so} ${theirs === null ? 'someone else deployed to it meanwhile' : theirsWords(theirs)}`,
      theirsRemedy,
    ),
  );
