import type { Step } from '../plan/plan.ts';
import type { Clock, Target } from '../ports.ts';
import type { EventBody, LookMoment, Seen, StepOutcome } from './event.ts';
import { createHeard } from './heard.ts';
import { holdLeases } from './lease.ts';
import { leftToItself } from './left-out.ts';
import { lookAtAll } from './look-at-all.ts';
import { isLooking } from './looks.ts';
import { next } from './next.ts';
import { perform } from './perform.ts';
import { awaitsOwnBoot } from './progress.ts';
import { allRecords, recordOfStep } from './records.ts';
import { standstills, standstillWords } from './standstill.ts';
import type { RunState } from './state.ts';
import { answerTo, type SteerRequest } from './steer.ts';
import { notesOf } from './step-notes.ts';

/** Whether somebody holds the run back for now. `changed` resolves when `by` says something else. */
export type Pause = {
  readonly by: () => string | null;
  /** Who ended the latest one, where that is known. */
  readonly endedBy?: () => string | null;
  readonly changed: () => Promise<void>;
};

/** What people ask of single machines. `changed` resolves when there is more to take. */
export type Steering = {
  readonly take: () => readonly SteerRequest[];
  readonly changed: () => Promise<void>;
};

export type DriveDeps = {
  /** Writes durably, then returns the state with it. Throws when it cannot: nothing more is done then. */
  readonly append: (body: EventBody) => RunState;
  readonly target: Target;
  readonly clock: Clock;
  /** Asks for a graceful stop: steps under way end, no other begins. The reason is who asked. */
  readonly stop: AbortSignal;
  /** Stops at once: steps under way are given up and stay unknown. */
  readonly abort: AbortSignal;
  readonly pause?: Pause;
  readonly steering?: Steering;
  /** Whether another run is known to be executed by nobody any more. */
  readonly isOver?: (run: string) => boolean;
};

const stoppedAtOnce = (state: RunState): string => {
  const open = allRecords(state).filter(({ status }) => status === 'open');
  const givenUp = open.map(({ step: { machine, kind } }) => `${machine} (${kind})`).join(', ');
  return `stopped at once by ${state.stopRequestedBy}${givenUp === '' ? '' : `; in the middle of ${givenUp}, and what came of it is not known`}`;
};

/**
 * THE loop: decide, write the intent, perform, write the outcome, until the run ends. All deciding is in `next`, all
 * doing in `perform`; this only keeps them honest with the journal. Returns the state at the end of the run.
 */
export const drive = async (start: RunState, deps: DriveDeps): Promise<RunState> => {
  if (allRecords(start).some(({ status }) => status === 'open'))
    throw new TypeError('steps of a process that is gone are open: the run has to be resumed first');
  let state = start;
  const append = (body: EventBody): void => {
    state = deps.append(body);
  };
  const underWay = new Map<string, Promise<void>>();
  // What is under way hears when it is given up; a delay and a look at a stop already.
  const heard = createHeard();
  /** Ends the wait of the loop, so that it decides anew. */
  let wake = (): void => {};
  // A broken journal or a bug in one step must end the loop, not be lost in a promise nobody awaits.
  let broken: { readonly error: unknown } | null = null;
  const onStop = (): void => {
    heard.stop(deps.stop.reason);
    wake();
  };
  const onAbort = (): void => {
    heard.giveUp(deps.abort.reason);
    wake();
  };
  for (const [asked, act] of [[deps.stop, onStop] as const, [deps.abort, onAbort] as const])
    if (asked.aborted) act();
    else asked.addEventListener('abort', act, { once: true });
  const breakWith = (error: unknown): void => {
    broken ??= { error };
    heard.giveUp(error);
    wake();
  };
  const follow = async <T>(name: string, work: Promise<T>, end: (result: T) => void): Promise<void> => {
    try {
      end(await work);
    } catch (error) {
      breakWith(error);
    }
    underWay.delete(name);
    wake();
  };

  const begin = (step: Step): void => {
    const again = recordOfStep(state, step)?.status === 'unknown';
    append({ kind: 'step-intended', step: step.id });
    const entry = state.plan?.machines.find(({ machine }) => machine.name === step.machine);
    if (entry === undefined) throw new TypeError(`step ${step.id} belongs to no machine of the plan`);
    const write = (body: EventBody): void => {
      if (broken !== null || recordOfStep(state, step)?.status !== 'open') return;
      try {
        append(body);
      } catch (error) {
        // Notes are told from callbacks of other people's streams, where nobody would catch this.
        breakWith(error);
      }
    };
    const { own, alone } = heard.by(step);
    const finish = (outcome: StepOutcome): void => {
      // Left open: who resumes the run looks anew.
      if (broken !== null || (own.aborted && outcome.kind !== 'succeeded')) return;
      const cut = alone.aborted && outcome.kind !== 'succeeded';
      append({ kind: 'step-ended', step: step.id, outcome: cut ? leftToItself(step) : outcome });
    };
    const stands = standstills(deps.clock);
    const work = perform(step, {
      state,
      entry,
      target: deps.target,
      clock: deps.clock,
      signal: alone,
      ...notesOf(step, deps.clock, write),
      stoodStill: () => stands.take() !== null,
      again,
      ...(deps.isOver === undefined ? {} : { isOver: deps.isOver }),
    });
    underWay.set(step.id, follow(step.id, work, finish));
  };

  const look = (moment: LookMoment): void => {
    append({ kind: 'look-begun', moment });
    const signal = heard.looks;
    const work = lookAtAll(moment, state, { target: deps.target, clock: deps.clock, signal });
    const finish = (seen: readonly Seen[]): void => {
      if (broken === null && !signal.aborted) append({ kind: 'looked', moment, seen });
    };
    underWay.set(moment, follow(moment, work, finish));
  };

  // A wish that comes while the loop decides is taken by its next look.
  const listen = (asks: { readonly changed: () => Promise<void> } | undefined): void => {
    void asks?.changed().then(() => {
      wake();
      listen(asks);
    });
  };
  listen(deps.pause);
  listen(deps.steering);
  const stands = standstills(deps.clock);
  const leases = holdLeases(() => state, deps, heard.all, breakWith);
  const loop = async (): Promise<RunState> => {
    for (;;) {
      if (broken !== null) throw (broken as { readonly error: unknown }).error;
      if ((deps.stop.aborted || deps.abort.aborted) && awaitsOwnBoot(state)) {
        // This machine is shutting down, as the run asked it to: the run has not ended, it goes on after the boot.
        heard.giveUp('the run goes on after the boot');
        await Promise.all(underWay.values());
        return state;
      }
      if ((deps.stop.aborted || deps.abort.aborted) && state.stopRequestedBy === null)
        append({
          kind: 'stop-requested',
          by: String(deps.stop.reason ?? deps.abort.reason ?? 'a signal').slice(0, 200),
          ...(deps.abort.aborted ? { atOnce: true } : {}),
        });
      const stoodMs = stands.take();
      if (stoodMs !== null) {
        if (state.pausedBy === null) {
          append({ kind: 'paused', by: standstillWords(stoodMs) });
          append({ kind: 'unpaused', by: 'itself: what it had seen before is looked at anew' });
        }
        // They may have run out meanwhile: no step begins without them.
        await leases.renew();
        continue;
      }
      const pausedBy = deps.pause?.by() ?? null;
      if (pausedBy !== null && state.pausedBy === null) append({ kind: 'paused', by: pausedBy });
      if (pausedBy === null && state.pausedBy !== null)
        append({ kind: 'unpaused', by: (deps.pause?.endedBy?.() ?? 'a person').slice(0, 200) });
      const asked = deps.steering?.take() ?? [];
      for (const request of asked) append(answerTo(state, request));
      if (asked.length > 0) heard.leaveOut(state);
      const left = (): boolean =>
        isLooking(state) || allRecords(state).some(({ status }) => status === 'open');
      if (deps.abort.aborted || (deps.stop.aborted && underWay.size === 0 && left())) {
        await Promise.all(underWay.values());
        await leases.release();
        append({
          kind: 'run-ended',
          result: 'interrupted',
          reason: deps.abort.aborted ? stoppedAtOnce(state) : `stopped by ${state.stopRequestedBy}`,
          failure: null,
        });
        return state;
      }
      const decision = next(state);
      switch (decision.kind) {
        case 'perform':
          for (const step of decision.steps) begin(step);
          break;
        case 'look':
          look(decision.moment);
          break;
        case 'await':
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          break;
        case 'end':
          await leases.release();
          append({
            kind: 'run-ended',
            result: decision.result,
            reason: decision.reason,
            failure: decision.failure,
          });
          return state;
        default:
          return decision satisfies never;
      }
    }
  };

  try {
    return await loop();
  } catch (error) {
    // No step goes on unseen after the loop that answers for it.
    breakWith(error);
    await Promise.all(underWay.values());
    throw error;
  } finally {
    leases.stop();
  }
};
