import { randomBytes } from 'node:crypto';
import type { Failure } from '../failure.ts';
import { fail, ok, type Result } from '../failure.ts';
import { type Journal, JournalFailure } from '../journal/journal.ts';
import type { RunLock } from '../journal/lock.ts';
import type { Plan } from '../plan/plan.ts';
import { drive } from '../run/drive.ts';
import type { EventBody, RunEvent, RunId } from '../run/event.ts';
import { applyEvent, beginRun, type RunState } from '../run/state.ts';
import { type LabDeps, type Prepared, type PrepareRequest, prepare } from './prepare.ts';

export type ConductDeps = LabDeps & {
  readonly journal: Journal;
  readonly lock: (run: RunId) => Result<RunLock>;
  readonly by: Extract<EventBody, { kind: 'run-started' }>['by'];
  readonly labVersion: string;
};

export type Approval = Extract<EventBody, { kind: 'approved' }>['how'];

export type ConductRequest = Omit<PrepareRequest, 'dryRun'> & {
  /** Asked once the plan is made, unless it has nothing to do; null declines it. */
  readonly approve: (prepared: Prepared, state: RunState) => Promise<Approval | null>;
  readonly onEvent: (event: RunEvent, state: RunState) => void;
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
};

const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** `20261120-234101-3fa9`: UTC date and time, and four random hex digits. */
export const newRunId = (now: number): RunId => {
  const at = new Date(now);
  const date = `${at.getUTCFullYear()}${twoDigits(at.getUTCMonth() + 1)}${twoDigits(at.getUTCDate())}`;
  const time = `${twoDigits(at.getUTCHours())}${twoDigits(at.getUTCMinutes())}${twoDigits(at.getUTCSeconds())}`;
  return `${date}-${time}-${randomBytes(2).toString('hex')}`;
};

const journalFailure = (error: JournalFailure): Failure => ({
  kind: 'journal',
  machine: null,
  phase: 'journal',
  message: error.message,
  remedy: error.remedy,
});

/** Whether the plan asks anything of any machine. */
export const hasWork = (plan: Plan): boolean => plan.machines.some(({ decision }) => decision.kind === 'act');

/**
 * One whole run under the lock: start, prepare, ask, drive, end. Every event is in the journal before it is told.
 * Fails only when the run could not begin or its journal broke; what became of a run that began is in its state.
 */
export const conduct = async (deps: ConductDeps, request: ConductRequest): Promise<Result<RunState>> => {
  const run = newRunId(deps.clock.now());
  const locked = deps.lock(run);
  if (!locked.ok) return locked;
  let state: RunState | null = null;
  const append = (body: EventBody): RunEvent => {
    const event = deps.journal.append(run, body);
    // The loop folds its own copy; this one is for those who watch.
    state = state === null ? beginRun(event) : applyEvent(state, event);
    request.onEvent(event, state);
    return event;
  };
  const seen = (): RunState => {
    if (state === null) throw new TypeError('the run has no first event');
    return state;
  };
  const end = (
    result: 'done' | 'failed' | 'declined' | 'interrupted',
    reason: string,
    why: Failure | null,
  ): Result<RunState> => {
    append({ kind: 'run-ended', result, reason, failure: why });
    return ok(seen());
  };
  try {
    append({
      kind: 'run-started',
      goal: request.goal,
      flake: deps.flake,
      selectors: request.selectors,
      by: deps.by,
      labVersion: deps.labVersion,
    });
    const early = AbortSignal.any([request.stop, request.abort]);
    const prepared = await prepare(
      deps,
      { goal: request.goal, selectors: request.selectors, dryRun: false },
      append,
      early,
    );
    if (!prepared.ok)
      return end(
        prepared.failure.kind === 'cancelled' ? 'interrupted' : 'failed',
        prepared.failure.message,
        prepared.failure,
      );
    const { plan, undoUpdate } = prepared.value;
    const how = hasWork(plan) ? await request.approve(prepared.value, seen()) : 'nothing-to-do';
    if (how === null || early.aborted) {
      const undone = await undoUpdate();
      const lock = undone.ok ? '' : `; flake.lock could not be put back: ${undone.failure.message}`;
      return end(early.aborted ? 'interrupted' : 'declined', `nothing was touched${lock}`, null);
    }
    append({ kind: 'approved', hash: plan.hash, how });
    await drive(seen(), {
      append,
      target: deps.target,
      clock: deps.clock,
      stop: request.stop,
      abort: request.abort,
    });
    return ok(seen());
  } catch (error) {
    if (error instanceof JournalFailure) return fail(journalFailure(error));
    throw error;
  } finally {
    locked.value.release();
  }
};
