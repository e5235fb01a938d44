import type { Step } from '../plan/plan.ts';
import type { Reachable } from '../ports.ts';
import type { StepOutcome } from './event.ts';
import {
  actDeadlines,
  failed,
  failureAt,
  interrupted,
  type PerformContext,
  see,
  unknown,
} from './step-context.ts';
import { leftAsTheirs, theirsOn } from './theirs.ts';

type Mode = Extract<Step, { kind: 'activate' }>['mode'];

/** What contradicts that the activation did its work, or null. */
export const contradiction = (seen: Reachable, toplevel: string, mode: Mode): string | null => {
  if (mode !== 'boot' && seen.current !== toplevel)
    return `it runs ${seen.current ?? 'an unknown toplevel'} instead of ${toplevel}`;
  if (mode !== 'test' && seen.profile !== toplevel)
    return `it would boot ${seen.profile ?? 'an unknown toplevel'} instead of ${toplevel}`;
  return null;
};

/** How a step that has done its work speaks of it, should the machine not show it. */
type Claim = {
  readonly toplevel: string;
  readonly mode: Mode;
  /** `activated`, before "but it cannot be asked what it runs now". */
  readonly did: string;
  /** `it took the confirmation`, before "but it runs … instead". */
  readonly said: string;
  /** Kind of the failure when the machine cannot be asked. */
  readonly unseen: string;
};

/**
 * Success is evidence, not an exit status: the machine itself must say that it runs, or would boot, what it should.
 * Null when it does.
 */
export const lacksEvidence = async (
  step: Step,
  { toplevel, mode, did, said, unseen }: Claim,
  context: PerformContext,
): Promise<StepOutcome | null> => {
  const seen = await see(context, actDeadlines.seeAfterMs);
  if (context.signal.aborted) return interrupted(step);
  if (seen.kind === 'unreachable')
    return unknown(
      failureAt(
        step,
        unseen,
        `${did}, but it cannot be asked what it runs now: ${seen.error.message}`,
        seen.error.remedy,
      ),
    );
  const why = contradiction(seen, toplevel, mode);
  if (why === null) return null;
  const theirs = theirsOn(context.state, context.entry, seen);
  return theirs !== null
    ? leftAsTheirs(step, theirs, `${said}, but`)
    : failed(
        failureAt(
          step,
          'activation-without-effect',
          `${said}, but ${why}`,
          'look at the machine and its journal: something undid the activation, or it did not happen',
        ),
      );
};
