import type { Failure } from '../failure.ts';
import { findStep, type Plan, type RunGoal, type Step } from '../plan/plan.ts';
import type { LockChange, LockMove } from '../ports.ts';
import { answerDeadlineMs } from './answer-deadline.ts';
import { type ByMachine, byMachine, ofMachine, withMachine } from './by-machine.ts';
import type { Opened, RunEvent, RunId, RunResult, SteerAsk, StepOutcome } from './event.ts';
import { lookedAtAnewAfterPause, takenOver } from './look-anew.ts';
import { endLookAgain, type Looks, noLooks, withLook } from './looks.ts';
import { type PreparationRecord, preparationsAfter } from './preparations.ts';
import { isEffect, type MachineState, machineState, skippedByPerson } from './progress.ts';
import { keptOf, noted, recordOf, recordOfStep, type StepRecord, withRecord } from './records.ts';
import { steered } from './steered.ts';

/**
 * A run as its events tell it: the fold that the engine decides on and that every viewer shows. Pure and frozen in
 * use: `applyEvent` returns a new state.
 */

export type RunState = {
  readonly run: RunId;
  readonly goal: RunGoal;
  readonly flake: string;
  readonly selectors: readonly string[];
  readonly by: { readonly user: string; readonly host: string; readonly pid: number; readonly via: string };
  readonly startedAt: number;
  /** How often another process has taken it over. */
  readonly takeovers: number;
  readonly lastSeq: number;
  readonly lastAt: number;
  readonly preparations: readonly PreparationRecord[];
  /** How flake.lock was moved by this run, or was about to be, unless it was put back. */
  readonly lock: {
    readonly changes: readonly LockChange[];
    readonly move: LockMove;
  } | null;
  readonly opened: Opened;
  /** How long its plan waits for an answer, milliseconds. */
  readonly answerWithinMs: number;
  readonly plan: Plan | null;
  readonly remarks: readonly string[];
  readonly pausedBy: string | null;
  readonly approvedAt: number | null;
  /** Where each machine of the plan stands, by name. */
  readonly machines: ByMachine<MachineState>;
  /** What was seen of machines while nothing was being done to them. */
  readonly looks: Looks;
  readonly stopRequestedBy: string | null;
  readonly ended: {
    readonly at: number;
    readonly result: RunResult;
    readonly reason: string;
    readonly failure: Failure | null;
  } | null;
};

/** A history that cannot be: the journal is from another plan or damaged. Holds the run; never guessed around. */
export class ImpossibleHistory extends Error {
  override readonly name = 'ImpossibleHistory';
}

const impossible = (event: RunEvent, why: string): never => {
  throw new ImpossibleHistory(`event ${event.seq} (${event.body.kind}) of run ${event.run}: ${why}`);
};

/** The state of a run after its first event, which must be `run-started`. */
export const beginRun = (event: RunEvent): RunState => {
  const { body } = event;
  if (body.kind !== 'run-started') return impossible(event, 'a run begins with run-started');
  return {
    run: event.run,
    goal: body.goal,
    flake: body.flake,
    selectors: body.selectors,
    by: body.by,
    startedAt: event.at,
    takeovers: 0,
    lastSeq: event.seq,
    lastAt: event.at,
    preparations: [],
    lock: null,
    opened: body.opened,
    answerWithinMs: body.answerWithinMs ?? answerDeadlineMs,
    plan: null,
    remarks: [],
    pausedBy: null,
    approvedAt: null,
    machines: byMachine<MachineState>([]),
    looks: noLooks,
    stopRequestedBy: null,
    ended: null,
  };
};

/** The step of this id, which begins: mostly the next one of its machine. */
const stepBegun = ({ machines, plan }: RunState, id: string): Step | null => {
  for (const { progress } of machines.all) if (progress.current?.id === id) return progress.current;
  return plan === null ? null : findStep(plan, id);
};

/** The machines after something has become of one step. Only its own machine is told anew. */
const withStep = ({ machines }: RunState, record: StepRecord): RunState['machines'] => {
  const { machine } = record.step;
  const known = ofMachine(machines, machine);
  if (known === undefined) return machines;
  const records = withRecord(known.records, record);
  return withMachine(machines, machine, machineState(known.progress.plan, records, known.steer));
};

/** The same where the step begins: one that is tried again has its turn, and what acts anew undoes its return. */
const withBegun = (state: RunState, record: StepRecord): RunState['machines'] => {
  const { step } = record;
  const known = ofMachine(state.machines, step.machine);
  if (known === undefined || (known.steer.retried === null && !known.steer.failedOnce))
    return withStep(state, record);
  const early = step.kind === 'preflight' || step.kind === 'copy';
  const acts = isEffect(step) && step.kind !== 'restore';
  const records = acts ? known.records.filter((other) => other.step.kind !== 'restore') : known.records;
  const steer = early ? known.steer : { ...known.steer, retried: null };
  return withMachine(
    state.machines,
    step.machine,
    machineState(known.progress.plan, withRecord(records, record), steer),
  );
};

/**
 * Whether a step was under way already when its machine was tried again: others may have their turn before it, so what
 * it saw, or how long it waited, counts for nothing then. No more does a delay whose machine was left out meanwhile, nor
 * what was given up for that, though the machine be taken in again since.
 */
const isForEarlierTurn = ({ machines }: RunState, { step }: StepRecord, outcome: StepOutcome): boolean => {
  const { retried = null, skippedBy = null } = ofMachine(machines, step.machine)?.steer ?? {};
  if (outcome.kind === 'skipped' && outcome.failure.kind === skippedByPerson) return true;
  if (step.kind === 'delay' && skippedBy !== null) return true;
  return step.kind !== 'preflight' && step.kind !== 'copy' && retried !== null;
};

/** The same for a note, which moves nothing. */
const withNote = ({ machines }: RunState, record: StepRecord): RunState['machines'] => {
  const { machine } = record.step;
  const known = ofMachine(machines, machine);
  if (known === undefined) return machines;
  return withMachine(machines, machine, { ...known, records: withRecord(known.records, record) });
};

const withSteer = (
  state: RunState,
  event: RunEvent,
  given: SteerAsk & { readonly by: string },
): RunState['machines'] => {
  if (state.approvedAt === null) return impossible(event, 'no approved plan yet');
  const entry = state.plan?.machines.find(({ machine }) => machine.name === given.machine);
  if (entry?.decision.kind !== 'act') return impossible(event, `nothing is done to "${given.machine}"`);
  return steered(state, given);
};

/**
 * The state after one more event. Throws `ImpossibleHistory` for a history that does not fit its plan: steps the
 * plan does not know, an outcome without intent, anything after the end, another run's event.
 */
export const applyEvent = (state: RunState, event: RunEvent): RunState => {
  const { body } = event;
  if (event.run !== state.run) return impossible(event, `belongs to another run than ${state.run}`);
  if (event.seq <= state.lastSeq) return impossible(event, `is out of order after event ${state.lastSeq}`);
  if (state.ended !== null && body.kind !== 'resumed' && body.kind !== 'reopened')
    return impossible(event, 'comes after the end of the run');
  const { seq: lastSeq, at: lastAt } = event;
  const next = (): RunState => ({ ...state, lastSeq, lastAt });
  switch (body.kind) {
    case 'run-started':
      return impossible(event, 'a run starts once');
    case 'preparation-started':
    case 'preparation-noted':
    case 'preparation-finished':
      return { ...next(), preparations: preparationsAfter(state.preparations, event.at, body) };
    case 'plan-made':
      if (state.approvedAt !== null) return impossible(event, 'an approved plan is not replaced');
      return {
        ...next(),
        plan: body.plan,
        remarks: body.remarks,
        machines: byMachine(body.plan.machines.map((entry) => [entry.machine.name, machineState(entry, [])])),
      };
    case 'approved':
      if (state.plan === null || state.plan.hash !== body.hash)
        return impossible(event, 'approves a plan it does not hold');
      return { ...next(), approvedAt: event.at };
    case 'step-intended': {
      if (state.plan === null || state.approvedAt === null) return impossible(event, 'no approved plan yet');
      const step = stepBegun(state, body.step) ?? impossible(event, `the plan has no step "${body.step}"`);
      const known = recordOfStep(state, step);
      if (known !== undefined && known.status !== 'unknown')
        return impossible(event, `"${body.step}" was already begun`);
      return {
        ...state,
        lastSeq,
        lastAt,
        machines: withBegun(state, {
          step,
          status: 'open',
          intendedAt: known === undefined || known.anew === true ? event.at : known.intendedAt,
          endedAt: null,
          outcome: null,
          notes: known?.notes ?? [],
          ...keptOf(known ?? {}),
        }),
      };
    }
    case 'step-noted': {
      const record = recordOf(state, body.step) ?? impossible(event, `"${body.step}" was not begun`);
      const notes = noted(record.notes, event.at, body);
      return { ...state, lastSeq, lastAt, machines: withNote(state, { ...record, notes, ...keptOf(body) }) };
    }
    case 'step-ended': {
      const record = recordOf(state, body.step) ?? impossible(event, `"${body.step}" was not begun`);
      if (record.status !== 'open') return impossible(event, `"${body.step}" has already ended`);
      if (isForEarlierTurn(state, record, body.outcome))
        return { ...state, lastSeq, lastAt, machines: withStep(state, { ...record, status: 'unknown' }) };
      return {
        ...state,
        lastSeq,
        lastAt,
        machines: withStep(state, {
          ...record,
          status: body.outcome.kind,
          endedAt: event.at,
          outcome: body.outcome,
        }),
      };
    }
    case 'look-begun':
    case 'looked': {
      if (state.approvedAt === null) return impossible(event, 'no approved plan yet');
      const looks =
        withLook(state.looks, body) ?? impossible(event, `not the time for a look (${body.moment})`);
      return { ...next(), looks };
    }
    case 'lock-moved':
      return {
        ...next(),
        lock: {
          changes: body.changes,
          move: { path: body.path ?? null, previous: body.previous, movedHash: body.movedHash },
        },
      };
    case 'lock-restored':
      return { ...next(), lock: null };
    case 'paused':
      return { ...next(), pausedBy: body.by };
    case 'unpaused':
      return {
        ...next(),
        pausedBy: null,
        machines: lookedAtAnewAfterPause(state),
        looks: endLookAgain(state.looks),
      };
    case 'stop-requested':
      return { ...next(), stopRequestedBy: body.by };
    case 'steered':
      return { ...next(), machines: withSteer(state, event, body) };
    case 'steer-refused':
      return next();
    case 'resumed':
      return takenOver(next(), body.pid);
    case 'reopened':
      if (state.ended === null) return impossible(event, 'reopens a run that has not ended');
      return takenOver({ ...next(), machines: withSteer(state, event, body) }, body.pid);
    case 'run-ended':
      return {
        ...next(),
        ended: { at: event.at, result: body.result, reason: body.reason, failure: body.failure },
      };
    default:
      return body satisfies never;
  }
};

/** The state that a run's events give, or null for none. Throws `ImpossibleHistory`. */
export const replay = (events: readonly RunEvent[]): RunState | null => {
  const [first, ...rest] = events;
  return first === undefined ? null : rest.reduce(applyEvent, beginRun(first));
};

/** The same for who only wants to know what was left behind: null also for a history that cannot be. */
export const replayIfPossible = (events: readonly RunEvent[]): RunState | null => {
  try {
    return replay(events);
  } catch (error) {
    if (error instanceof ImpossibleHistory) return null;
    throw error;
  }
};
