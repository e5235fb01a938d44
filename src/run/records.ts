import type { Step } from '../plan/plan.ts';
import type { StepOutcome } from './event.ts';

/** What the journal knows of the steps that were begun, machine by machine. */

export type StepRecord = {
  readonly step: Step;
  /** open: intended, under way in this process · unknown: intended by a process that is gone, or outcome unknown. */
  readonly status: 'open' | 'succeeded' | 'failed' | 'unknown' | 'skipped';
  readonly intendedAt: number;
  readonly endedAt: number | null;
  readonly outcome: StepOutcome | null;
  /** The latest notes, oldest first, at most `notesMax`. */
  readonly notes: readonly { readonly at: number; readonly note: string }[];
};

export const notesMax = 20;

/**
 * The records of one machine by step id, in the order in which the steps were begun. Never changed: an event that is
 * about the machine makes new ones, so what follows from them can be remembered with them.
 */
export type MachineRecords = ReadonlyMap<string, StepRecord>;
/** By machine, one for each machine of the plan. */
export type Records = ReadonlyMap<string, MachineRecords>;
type Recorded = { readonly records: Records };

const noRecords: MachineRecords = new Map();

export const emptyRecords = (machines: readonly string[]): Records =>
  new Map(machines.map((machine) => [machine, new Map()]));

export const machineOfStep = (id: string): string => id.slice(0, id.indexOf('/'));

export const recordsOfMachine = ({ records }: Recorded, machine: string): MachineRecords =>
  records.get(machine) ?? noRecords;

/** The record of the step, or undefined while it was not begun. */
export const recordOf = ({ records }: Recorded, id: string): StepRecord | undefined =>
  records.get(machineOfStep(id))?.get(id);

export const allRecords = ({ records }: Recorded): readonly StepRecord[] =>
  [...records.values()].flatMap((machine) => [...machine.values()]);

export const withRecord = (records: Records, record: StepRecord): Records => {
  const { id, machine } = record.step;
  return new Map(records).set(machine, new Map(records.get(machine)).set(id, record));
};

/** The records with those that `which` chooses replaced; a machine with none of them keeps its own. */
export const replaceRecords = (
  records: Records,
  which: (record: StepRecord) => boolean,
  by: (record: StepRecord) => StepRecord,
): Records =>
  new Map(
    [...records].map(([machine, own]) => {
      const chosen = [...own].filter(([, record]) => which(record));
      return [
        machine,
        chosen.length === 0
          ? own
          : new Map([...own, ...chosen.map(([id, record]) => [id, by(record)] as const)]),
      ];
    }),
  );
