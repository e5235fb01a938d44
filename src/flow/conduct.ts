import { randomBytes } from 'node:crypto';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { type Journal, JournalFailure } from '../journal/journal.ts';
import type { RunLock } from '../journal/lock.ts';
import type { Override } from '../plan/override.ts';
import type { Goal, Plan } from '../plan/plan.ts';
import { answerDeadlineMs } from '../run/answer-deadline.ts';
import { drive } from '../run/drive.ts';
import type { EventBody, Opened, RunEvent, RunId, RunResult } from '../run/event.ts';
import { applyEvent, beginRun, ImpossibleHistory, type RunState } from '../run/state.ts';
import { duration } from '../text/words.ts';
import { type Controls, listenToControls } from './controls.ts';
import { criticalReboots, namesMissing, unconfirmed } from './critical-reboots.ts';
import { closeLeftover, leftoverIn } from './leftover.ts';
import { goesOnAfterBoot } from './own-boot.ts';
import { type LabDeps, prepare, seeRequest } from './prepare.ts';

export type ConductDeps = LabDeps & {
  readonly journal: Journal;
  readonly lock: (run: RunId) => Result<RunLock>;
  readonly by: Extract<EventBody, { kind: 'run-started' }>['by'];
  readonly labVersion: string;
  readonly opened: Opened;
  /** How long a plan waits for its answer, milliseconds; `answerDeadlineMs` unless told. */
  readonly answerWithinMs?: number;
};

/** `ask`: somebody answers through the journal · `given`: go ahead, with these critical machines named for a reboot by hand. */
export type Consent =
  | { readonly kind: 'ask' }
  | { readonly kind: 'given'; readonly confirmed: readonly string[] };

export type RunRequest = {
  readonly goal: Goal;
  readonly selectors: readonly string[];
  readonly consent: Consent;
  /** Blockers to go ahead in spite of: a part of the plan from then on. */
  readonly overrides?: readonly Override[];
};

export type Hosting = {
  readonly onEvent: (event: RunEvent) => void;
  /** Signals of the process that hosts the run, besides what is asked through the journal. */
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

const journalFailure = (message: string, remedy: string): Failure => ({
  kind: 'journal',
  machine: null,
  phase: 'journal',
  message,
  remedy,
});

/** Whether the plan asks anything of any machine. */
export const hasWork = (plan: Plan): boolean => plan.machines.some(({ decision }) => decision.kind === 'act');

/** The events of one run as they are written: each is durable before anybody hears of it. */
export const openRecord = (
  deps: ConductDeps,
  run: RunId,
  known: RunState | null,
  onEvent: Hosting['onEvent'],
) => {
  let state = known;
  const append = (body: EventBody): RunState => {
    const event = deps.journal.append(run, body);
    state = state === null ? beginRun(event) : applyEvent(state, event);
    onEvent(event);
    return state;
  };
  const end = (result: RunResult, reason: string, failure: Failure | null): RunState =>
    append({ kind: 'run-ended', result, reason, failure });
  return { append, end };
};

/** Runs `work` under the lock, with the controls heard; a broken journal becomes a failure that says what to do. */
export const underLock = async <T>(
  deps: ConductDeps,
  run: RunId,
  hosting: Hosting,
  work: (controls: Controls) => Promise<Result<T>>,
): Promise<Result<T>> => {
  const locked = deps.lock(run);
  if (!locked.ok) return locked;
  let controls: Controls | null = null;
  try {
    controls = listenToControls(deps.journal, run, deps.clock, hosting);
    return await work(controls);
  } catch (error) {
    if (error instanceof JournalFailure) return fail(journalFailure(error.message, error.remedy));
    if (error instanceof ImpossibleHistory)
      return fail(
        journalFailure(
          error.message,
          'this run cannot be continued: look at the machines, then begin a new one',
        ),
      );
    throw error;
  } finally {
    controls?.close();
    locked.value.release();
  }
};

const answerWithinMs = (deps: ConductDeps): number => deps.answerWithinMs ?? answerDeadlineMs;

/** The answer to a plan. `how: null` declines it; `late`: because nobody answered in time. */
const answerTo = async (
  plan: Plan,
  consent: Consent,
  controls: Controls,
  deps: ConductDeps,
): Promise<{
  readonly how: 'yes-flag' | 'answered' | 'nothing-to-do' | null;
  readonly late?: boolean;
  readonly failure: Failure | null;
}> => {
  if (!hasWork(plan)) return { how: 'nothing-to-do', failure: null };
  if (consent.kind === 'given') {
    const missing = criticalReboots(plan).filter((name) => !consent.confirmed.includes(name));
    return missing.length > 0
      ? { how: null, failure: unconfirmed(missing) }
      : { how: 'yes-flag', failure: null };
  }
  const waiting = new AbortController();
  const late = deps.clock.sleep(answerWithinMs(deps), waiting.signal).then(() => 'late' as const);
  const answer = controls.answer.then((by) => ({ by }));
  const first = await Promise.race([answer, late]);
  waiting.abort();
  if (first === 'late') return { how: null, late: true, failure: null };
  return { how: first.by === null ? null : 'answered', failure: null };
};

/**
 * Whether a run may begin in the place of one whose process died in the middle of its work: not for a slip of the pen,
 * since nobody can go on with that one afterwards.
 */
const seeBeforeClosing = async (
  deps: ConductDeps,
  { goal, selectors, consent, overrides = [] }: RunRequest,
  signal: AbortSignal,
): Promise<Result<void>> => {
  const left = leftoverIn(deps.journal);
  if (left === null || left.approvedAt === null) return ok(undefined);
  const meant = { goal, selectors, overrides };
  if (consent.kind === 'ask') {
    const seen = await seeRequest(deps, { ...meant, dryRun: false }, signal);
    return seen.ok ? ok(undefined) : seen;
  }
  const missing = await namesMissing(deps, meant, consent.confirmed, signal);
  if (!missing.ok) return missing;
  return missing.value.length === 0 ? ok(undefined) : fail(unconfirmed(missing.value));
};

/** Why nothing may begin now: the latest run goes on after the boot of this machine. */
const awaitedHere = (deps: ConductDeps): Failure | null => {
  const left = leftoverIn(deps.journal);
  return left === null ? null : goesOnAfterBoot(deps, left);
};

/** The same before the lock is taken: the unit that takes that run up would find it held. */
export const awaitedBeforeLock = (deps: ConductDeps): Failure | null => {
  try {
    return awaitedHere(deps);
  } catch (error) {
    // Told once the lock is had.
    if (error instanceof JournalFailure) return null;
    throw error;
  }
};

/**
 * One whole run under the lock: start, prepare, ask, drive, end. Fails only when the run could not begin or its
 * journal broke; what became of a run that began is in its state.
 */
export const conduct = (
  deps: ConductDeps,
  run: RunId,
  request: RunRequest,
  hosting: Hosting,
): Promise<Result<RunState>> => {
  const goesOn = awaitedBeforeLock(deps);
  if (goesOn !== null) return Promise.resolve(fail(goesOn));
  return underLock(deps, run, hosting, async (controls) => {
    const { append, end } = openRecord(deps, run, null, hosting.onEvent);
    const { goal, selectors, consent, overrides = [] } = request;
    const early = AbortSignal.any([controls.stop, controls.abort]);
    const awaited = awaitedHere(deps);
    if (awaited !== null) return fail(awaited);
    const meant = await seeBeforeClosing(deps, request, early);
    if (!meant.ok) return meant;
    await closeLeftover(deps, `run ${run} began after it`);
    append({
      kind: 'run-started',
      goal,
      flake: deps.flake,
      selectors,
      by: deps.by,
      labVersion: deps.labVersion,
      opened: deps.opened,
      ...(consent.kind === 'ask' ? { answerWithinMs: answerWithinMs(deps) } : {}),
    });
    const prepared = await prepare(deps, { goal, selectors, dryRun: false, overrides }, append, early);
    if (!prepared.ok) {
      const { failure } = prepared;
      return ok(end(failure.kind === 'cancelled' ? 'interrupted' : 'failed', failure.message, failure));
    }
    const { plan, undoUpdate } = prepared.value;
    const { how, late = false, failure } = await answerTo(plan, consent, controls, deps);
    if (how === null || early.aborted) {
      const undone = await undoUpdate();
      const lock = undone.ok ? '' : `; flake.lock could not be put back: ${undone.failure.message}`;
      const why = late ? `nobody answered the plan within ${duration(answerWithinMs(deps))}: ` : '';
      return ok(
        end(
          early.aborted ? 'interrupted' : late ? 'expired' : 'declined',
          `${why}nothing was touched${lock}`,
          failure,
        ),
      );
    }
    const approved = append({ kind: 'approved', hash: plan.hash, how });
    return ok(await driveHere(deps, approved, append, controls));
  });
};

/** Runs that are looked through for who held a lease. */
const runsLookedThrough = 1_000;

/**
 * Whether a run is executed by nobody any more. It is when this journal has it as begun here: whoever executes one holds the
 * lock of the journal's folder, and that is ours. One that was begun on another machine may go on there, for the folder may be
 * a copy of that one's, or shared with it: its leases tell, which run out.
 */
const overOnceRecorded =
  (journal: Journal, own: RunId, host: string) =>
  (run: string): boolean => {
    if (run === own || !journal.runs(runsLookedThrough).some((earlier) => earlier.run === run)) return false;
    try {
      const [first] = journal.eventsOf(run);
      return first?.body.kind === 'run-started' && first.body.by.host === host;
    } catch (error) {
      // What cannot be read is not known to be over, and keeps nothing else from its end.
      if (error instanceof JournalFailure) return false;
      throw error;
    }
  };

export const driveHere = (
  { journal, target, clock, by }: ConductDeps,
  state: RunState,
  append: (body: EventBody) => RunState,
  controls: Controls,
): Promise<RunState> => {
  const isOver = overOnceRecorded(journal, state.run, by.host);
  return drive(state, { append, target, clock, isOver, ...controls });
};
