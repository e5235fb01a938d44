import type { MachinePlan } from '../../src/plan/plan.ts';
import { type MachineProgress, progressOf } from '../../src/run/progress.ts';
import { recordOfKind } from '../../src/run/records.ts';
import { startOf } from './hold-rules.ts';
import type { Known } from './knowledge.ts';

/** What follows from what the checker knows, and more than one set of rules asks for. */

/** Null where the machine is not in the plan. */
export const entryOf = ({ plan }: Known, name: string): MachinePlan | null =>
  plan.machines.find(({ machine }) => machine.name === name) ?? null;

export const progressFor = (known: Known, name: string): MachineProgress | null => {
  const entry = entryOf(known, name);
  return entry === null ? null : progressOf(known.state, entry);
};

/** It came short of its goal. */
export const isOver = (status: MachineProgress['status'] | undefined): boolean =>
  status === 'failed' || status === 'restored' || status === 'skipped';

/** Its address leads, or has led, to another machine. */
export const isMisled = ({ world }: Pick<Known, 'world'>, name: string): boolean =>
  world.look(name).faults.some(({ kind }) => kind === 'leads-elsewhere');

/** It tells another boot id than that of its boot, and the process that saw it before is gone: nobody else can know. */
export const isBelieved = ({ state, world }: Pick<Known, 'state' | 'world'>, name: string): boolean =>
  state.takeovers > 0 && world.look(name).faults.some(({ kind }) => kind === 'boot-id-lies');

/** What halts a run when it fails. */
export const isGrave = ({ machine }: MachinePlan): boolean => {
  const { criticalityLevel } = machine.orchestration;
  return criticalityLevel === 'high' || criticalityLevel === 'critical';
};

/** Only what failed before anything was done to the machine: at its preflight, or at the plan. */
export const failedBeforeToo = (
  { failedBefore, world }: Known,
  name: string,
  units: readonly string[],
): boolean => {
  const before = failedBefore.get(name) ?? world.look(name).origin.failedUnits;
  return units.every((unit) => before.includes(unit));
};

/** What the machine had before the run. */
export const startFor = (known: Known, name: string) => {
  const entry = entryOf(known, name);
  return entry === null ? null : startOf(known.plan, known.state, entry);
};

/** A run that wants nothing of its own leaves the machine what it had, so its targets are that. */
export const targetFor = (known: Known, name: string, planned: string | null): string | null =>
  entryOf(known, name)?.wanted === null && planned !== null
    ? (startFor(known, name)?.profile ?? planned)
    : planned;

/** A machine that crashed by itself after it was last looked at cannot be held against the report: to renew its lease tells nothing. */
export const crashedSinceSeen = ({ world }: Known, name: string): boolean => {
  const truth = world.look(name);
  return truth.power !== 'up' || truth.bootedAt > (world.lastLookAt(name) ?? 0);
};

/** Whether it is, or says that it is, in another boot than the one in which the run saw it come back from its reboot, and left it. */
export const bootedAgain = (known: Known, name: string): boolean => {
  const awaited = recordOfKind(known.state, name, 'await-boot')?.outcome;
  const left = awaited?.kind === 'succeeded' ? awaited.facts.bootId : null;
  return left !== null && left !== known.world.look(name).bootId;
};

/** Nobody can know what somebody else deployed after its health was read, and what it ran with it. */
export const deployedSinceRead = ({ world }: Known, name: string): boolean =>
  (world.look(name).foreignAt ?? 0) > (world.lastReading(name)?.at ?? 0);

/** Why the machine should not pass, or null: it has something else than it should. */
export const differs = (
  known: Known,
  name: string,
  what: string,
  actual: string | null,
  expected: string | null,
): string | null =>
  expected === null || actual === expected || crashedSinceSeen(known, name)
    ? null
    : `${name} passes, but its ${what} is ${actual} instead of ${expected}`;
