import type { HeldBack, PlanLook } from '../../flow/session-blockers.ts';
import type { ClosureDiffs } from '../../flow/session-closures.ts';
import { count } from '../../text/words.ts';
import type { Tone } from '../draw/theme.ts';
import { ageWords } from './words.ts';

/** What is known about a plan besides itself: what its packages would become, and what would hold its machines back. */
export type KnownOfPlan = {
  readonly diffs: ClosureDiffs;
  readonly look: PlanLook | null;
  readonly now: number;
  /** When nobody's answer is waited for any longer, milliseconds since the epoch. */
  readonly answerBy: number | null;
};

export const nothingKnown: KnownOfPlan = { diffs: new Map(), look: null, now: 0, answerBy: null };

type Fact = { readonly label: string; readonly text: string; readonly tone: Tone };

/** What speaks against acting on one machine now, and how to go on. */
export const heldBackLines = (held: HeldBack | undefined): readonly Fact[] => {
  if (held === undefined) return [];
  if (held.kind === 'unknown') return [{ label: 'held back', text: `not known: ${held.why}`, tone: 'warn' }];
  return [
    ...held.standing.flatMap(({ kind, reason, remedy, overridable }): readonly Fact[] => [
      { label: 'held back', text: `${kind}: ${reason}`, tone: 'bad' },
      {
        label: 'what to do',
        text: `${remedy}${overridable ? '; or go ahead in spite of it' : '; this cannot be overridden'}`,
        tone: 'plain',
      },
    ]),
    ...held.overridden.map(
      ({ kind, reason }): Fact => ({ label: 'in spite of', text: `${kind}: ${reason}`, tone: 'warn' }),
    ),
  ];
};

/** How many machines would be skipped if the plan began now, above everything else. */
export const heldBackWords = ({ look, now }: KnownOfPlan): readonly Omit<Fact, 'label'>[] => {
  if (look === null) return [];
  if (look.looking) return [{ text: 'Looking for what would hold a machine back.', tone: 'busy' }];
  const held = [...look.machines.values()].filter((one) => one.kind === 'seen' && one.standing.length > 0);
  if (held.length === 0) return [];
  return [
    {
      text: `${count(held.length, 'machine')} would be held back and skipped, as seen ${ageWords(now - look.at)}: the plan says by what below.`,
      tone: 'bad',
    },
  ];
};
