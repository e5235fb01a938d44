import type { Step } from '../plan/plan.ts';
import { type ByMachine, ofMachine } from './by-machine.ts';
import type { Failing, StepOutcome } from './event.ts';

/** What the journal knows of the steps that were begun, machine by machine. */

export type StepRecord = {
  readonly step: Step;
  /** open: intended, under way in this process · unknown: intended by a process that is gone, or outcome unknown. */
  readonly status: 'open' | 'succeeded' | 'failed' | 'unknown' | 'skipped';
  readonly intendedAt: number;
  readonly endedAt: number | null;
  readonly outcome: StepOutcome | null;
  /** The latest notes, oldest first, at most `notesMax`; warnings outlive the others. */
  readonly notes: readonly Note[];
  /** It is to be tried again: its time counts from its next beginning. */
  readonly anew?: true;
  /** What it found failing when it was first performed, where it is performed again; of a gate, what it passed in spite of. */
  readonly firstFailing?: Failing;
  /** Of a reboot: the boot that its latest trigger is for, written before that went out. Absent: none has. */
  readonly endsBoot?: string;
};
export type Note = { readonly at: number; readonly note: string; readonly warning?: true };

export const notesMax = 20;

export const noted = (
  notes: readonly Note[],
  at: number,
  { note, warning }: Omit<Note, 'at'>,
): readonly Note[] => {
  const all = [...notes, warning === undefined ? { at, note } : { at, note, warning }];
  if (all.length <= notesMax) return all;
  const oldest = Math.max(
    0,
    all.findIndex(({ warning }) => warning !== true),
  );
  return all.filter((_, index) => index !== oldest);
};

/** What a step that is begun again keeps of the time before. */
export const keptOf = ({
  firstFailing,
  endsBoot,
}: Partial<Pick<StepRecord, 'firstFailing' | 'endsBoot'>>): Partial<StepRecord> => ({
  ...(firstFailing === undefined ? {} : { firstFailing }),
  ...(endsBoot === undefined ? {} : { endsBoot }),
});

/** Time that went into these steps until `now`, milliseconds. One that is to be done again counts from its next beginning. */
export const spentOn = (records: readonly StepRecord[], now: number): number =>
  records.reduce((sum, { status, intendedAt, endedAt }) => {
    const until = endedAt ?? (status === 'open' ? now : intendedAt);
    return sum + (until - intendedAt);
  }, 0);

/** The records of one machine, in the order in which its steps were begun. */
export type MachineRecords = readonly StepRecord[];
type Recorded = { readonly machines: ByMachine<{ readonly records: MachineRecords }> };

export const recordIn = (records: MachineRecords, id: string): StepRecord | undefined =>
  records.find(({ step }) => step.id === id);

/** The record of the step of this id, or undefined while it was not begun. */
export const recordOf = ({ machines }: Recorded, id: string): StepRecord | undefined => {
  // Mostly the latest of its machine.
  for (const { records } of machines.all) {
    const latest = records[records.length - 1];
    if (latest?.step.id === id) return latest;
  }
  for (const { records } of machines.all) {
    const record = recordIn(records, id);
    if (record !== undefined) return record;
  }
  return undefined;
};

/** The same where the step is at hand. */
export const recordOfStep = (
  { machines }: Recorded,
  { machine, id }: Pick<Step, 'machine' | 'id'>,
): StepRecord | undefined => recordIn(ofMachine(machines, machine)?.records ?? [], id);

export const recordsOfMachine = ({ machines }: Recorded, machine: string): MachineRecords =>
  ofMachine(machines, machine)?.records ?? [];

/** The latest begun of this kind on the machine, or undefined. */
export const recordOfKind = (
  recorded: Recorded,
  machine: string,
  kind: Step['kind'],
): StepRecord | undefined => recordsOfMachine(recorded, machine).findLast(({ step }) => step.kind === kind);

export const allRecords = ({ machines }: Recorded): readonly StepRecord[] =>
  machines.all.flatMap(({ records }) => records);

/** With this record in the place of the one of its step, or after the others. */
export const withRecord = (records: MachineRecords, record: StepRecord): MachineRecords => {
  const all = records.slice();
  // Mostly the latest.
  let place = all.length - 1;
  while (place >= 0 && all[place]?.step.id !== record.step.id) place -= 1;
  if (place === -1) all.push(record);
  else all[place] = record;
  return all;
};
