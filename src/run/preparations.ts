import type { Failure } from '../failure.ts';
import type { Amount } from '../ports.ts';
import type { EventBody, Preparation } from './event.ts';

/** The work before any machine is touched, as its events tell it. */

export type PreparationRecord = {
  readonly work: Preparation;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly note: string;
  /** How far it is, as it was last said. */
  readonly amounts: readonly Amount[];
  /** Machines whose system is built already. */
  readonly built: readonly string[];
  readonly failure: Failure | null;
};

type PreparationEvent = Extract<EventBody, { kind: `preparation-${string}` }>;

/** The records after one more event, which is about the last of them unless it begins another. */
export const preparationsAfter = (
  records: readonly PreparationRecord[],
  at: number,
  body: PreparationEvent,
): readonly PreparationRecord[] => {
  const before = records.slice(0, -1);
  const last = records.at(-1);
  switch (body.kind) {
    case 'preparation-started':
      return [
        ...records,
        { work: body.work, startedAt: at, endedAt: null, note: '', amounts: [], built: [], failure: null },
      ];
    case 'preparation-noted':
      return last === undefined
        ? records
        : [
            ...before,
            {
              ...last,
              note: body.note,
              amounts: body.amounts ?? last.amounts,
              built: [...last.built, ...(body.built ?? [])],
            },
          ];
    case 'preparation-finished':
      return last === undefined
        ? records
        : [...before, { ...last, endedAt: at, note: body.note, failure: body.failure }];
    default:
      return body satisfies never;
  }
};
