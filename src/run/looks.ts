import type { MachinePlan } from '../plan/plan.ts';
import type { EventBody, LookMoment, Seen } from './event.ts';
import { progressOf } from './progress.ts';
import type { RunState } from './state.ts';

/**
 * Looks at machines while nothing is being done to them: of those with nothing to do before the run acts on others, and
 * of every machine once all is done, since a report has to be true when it is written. Pure, from the run alone.
 */

/** null: not yet · begun: under way in this process. */
type Look = readonly Seen[] | 'begun' | null;
export type Looks = Readonly<Record<LookMoment, Look>>;
export const noLooks: Looks = { start: null, end: null };

/** The looks after one more event of theirs, or null for one that cannot be. */
export const withLook = (
  looks: Looks,
  body: Extract<EventBody, { kind: 'look-begun' | 'looked' }>,
): Looks | null => {
  const known = looks[body.moment];
  if (body.kind === 'look-begun') return known === null ? { ...looks, [body.moment]: 'begun' } : null;
  return known === 'begun' ? { ...looks, [body.moment]: body.seen } : null;
};

/** Once a pause is over: what was seen at the end is too old to end with. */
export const endLookAgain = (looks: Looks): Looks =>
  looks.end === 'begun' ? looks : { ...looks, end: null };

/** Once another process has taken the run over: what was under way in the one before it is lost. */
export const looksByAnother = ({ start }: Looks): Looks => ({
  start: start === 'begun' ? null : start,
  end: null,
});

/** Whether a look is under way. */
export const isLooking = ({ looks }: RunState): boolean => looks.start === 'begun' || looks.end === 'begun';

/** Whether the plan does anything to any machine. Where it does not, there is one look, and what fails was so before. */
export const actsOnAny = (machines: readonly MachinePlan[]): boolean =>
  machines.some(({ decision }) => decision.kind === 'act');

/** The machines that a look is at: never those that the plan leaves alone because nobody reaches, or may touch, them. */
export const lookedAt = ({ plan }: RunState, moment: LookMoment): readonly MachinePlan[] =>
  (plan?.machines ?? []).filter(
    ({ decision }) => decision.kind === 'nothing' || (moment === 'end' && decision.kind === 'act'),
  );

/**
 * Whether machines with nothing to do are to be looked at first. Too late once something was done to any machine: what
 * fails then may be the doing of this run.
 */
export const isStartLookDue = (state: RunState): boolean => {
  const machines = state.plan?.machines ?? [];
  return (
    state.looks.start === null &&
    actsOnAny(machines) &&
    lookedAt(state, 'start').length > 0 &&
    !machines.some((entry) => progressOf(state, entry).touched)
  );
};

/** How the machine was seen at the end of the run, or null. */
export const seenAtEnd = ({ looks }: RunState, machine: string): Seen | null =>
  looks.end === null || looks.end === 'begun'
    ? null
    : (looks.end.find((seen) => seen.machine === machine) ?? null);

/** Whether the run says of this machine that it is as planned, so that how it is at the end decides about the run. */
export const isJudgedAtEnd = (state: RunState, entry: MachinePlan): boolean => {
  const { status } = progressOf(state, entry);
  return status === 'done' || status === 'nothing';
};
