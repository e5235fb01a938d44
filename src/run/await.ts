import { type Learnt, rebootAlarmMs } from '../plan/durations.ts';
import type { MachinePlan, Step } from '../plan/plan.ts';
import type { Observation } from '../ports.ts';
import { duration } from '../text/words.ts';
import { healthOfItself, seenAsItself } from './another.ts';
import { baselineOf, failingIn, isFailing } from './baseline.ts';
import { isStillIn } from './boot-age.ts';
import { noFailing, type StepOutcome } from './event.ts';
import { type BootWatch, judgeBoot, judgeHealthOf, judgeIdentity } from './gate.ts';
import { recordOfStep, recordsOfMachine } from './records.ts';
import type { RunState } from './state.ts';
import {
  actDeadlines,
  failed,
  failureAt,
  interrupted,
  type PerformContext,
  succeeded,
} from './step-context.ts';
import { leftAsTheirs, theirsOn, theirsRemedy, theirsWords } from './theirs.ts';

/** Pause between two looks, milliseconds: quick at first, then gentle (sshd and fail2ban punish the impatient). */
export const pollPause = { firstMs: 1_000, factor: 1.5, mostMs: 5_000 } as const;

/** What was failing before the run gets so long at a gate to recover: the run may be what repairs it. Milliseconds. */
const recoveryMs = 20_000;

/** How soon after a trigger its machine is looked at, unless the run was interrupted in between; milliseconds. */
const followsTriggerWithinMs = 10_000;

export const longerPause = (pauseMs: number): number =>
  Math.min(pollPause.mostMs, pauseMs * pollPause.factor);

/** `12 s (usually 40 s)` */
const againstUsual = (takenMs: number, { typicalMs }: Learnt): string =>
  `${duration(takenMs)} (usually ${duration(typicalMs)})`;

/** Once is enough, also for a run that was resumed in the middle of it. */
const wasWarned = (state: RunState, step: Step): boolean =>
  recordOfStep(state, step)?.notes.some(({ warning }) => warning === true) ?? false;

const stageOf = ({ downAt }: BootWatch, seen: Observation): string => {
  if (seen.kind === 'unreachable' && seen.error.kind === 'config')
    return `it cannot be asked whether it is back: ${seen.error.message}`;
  return downAt === null ? 'going down' : 'down, waiting for it to come back';
};

/** Follows a machine through its reboot until `judgeBoot` passes or fails it. */
export const awaitBoot = async (
  step: Extract<Step, { kind: 'await-boot' }>,
  context: PerformContext,
  bootId: string | null,
): Promise<StepOutcome> => {
  const { target, entry, clock, signal, state } = context;
  if (bootId === null)
    return failed(
      failureAt(step, 'no-boot-id', 'the boot id from before the reboot is not known', 'look at the machine'),
    );
  let watch: BootWatch = {
    bootId,
    bootedBefore: entry.prior?.booted ?? null,
    // From now, which is right after the trigger unless the run was resumed: what the journal is dated by was another
    // process's clock, and one that is set meanwhile must neither end the wait nor prolong it.
    triggeredAt: clock.elapsed(),
    downAt: null,
  };
  const usual = entry.durations?.reboot ?? null;
  // A run that was stopped or killed after the trigger does not know how long the machine was away.
  const triggered = recordsOfMachine(state, step.machine).find((record) => record.step.kind === 'reboot');
  const sinceTrigger =
    !context.again && Math.abs(clock.now() - (triggered?.endedAt ?? 0)) <= followsTriggerWithinMs;
  const timed = sinceTrigger ? usual : null;
  const ended = triggered?.outcome?.kind === 'succeeded' ? triggered.outcome.facts : null;
  let warned = wasWarned(state, step);
  let said = '';
  for (let pauseMs: number = pollPause.firstMs; ; pauseMs = longerPause(pauseMs)) {
    const askedAt = clock.elapsed();
    const answered = await target.observe(entry.machine, {
      deadlineMs: actDeadlines.observeMs,
      signal,
      fresh: true,
    });
    const seen = seenAsItself(state, entry, answered);
    if (signal.aborted) return interrupted(step);
    // It may have gone down, and come back, since that was answered.
    if (context.stoodStill()) continue;
    const stillIn = ended !== null && seen.kind === 'reachable' && isStillIn(ended, seen, context);
    const judged = judgeBoot(step, watch, seen, clock.elapsed(), askedAt, stillIn);
    watch = judged.watch;
    const { verdict } = judged;
    const takenMs = clock.elapsed() - watch.triggeredAt;
    if (verdict.kind === 'passed')
      return succeeded(`${verdict.why}${timed === null ? '' : ` after ${againstUsual(takenMs, timed)}`}`, {
        bootId: verdict.bootId,
      });
    if (verdict.kind === 'failed') {
      const theirs = seen.kind === 'reachable' ? theirsOn(state, entry, seen) : null;
      return failed(
        theirs === null
          ? failureAt(step, verdict.failure, verdict.why, verdict.remedy)
          : failureAt(step, verdict.failure, `${verdict.why}: ${theirsWords(theirs)}`, theirsRemedy),
      );
    }
    const stage = stageOf(watch, seen);
    if (stage !== said)
      context.note(
        timed === null || watch.downAt === null ? stage : `${stage}, ${againstUsual(takenMs, timed)}`,
      );
    said = stage;
    if (usual !== null && !warned && takenMs > rebootAlarmMs(usual)) {
      warned = true;
      context.warn(
        `${duration(takenMs)} since ${sinceTrigger ? 'the trigger' : 'the run was taken up again'}: much longer than it has ever taken (${duration(usual.longestMs)} at most); it has until its deadline`,
      );
    }
    await clock.sleep(pauseMs, signal);
    if (signal.aborted) return interrupted(step);
  }
};

const becomesDefault = ({ steps }: MachinePlan): boolean =>
  steps.some((step) => step.kind === 'confirm' && step.mode === 'switch');

/**
 * Waits until the machine runs what it should and is healthy (what failed before the run aside), and has stayed so for the stability period. A reading
 * that does not pass starts the period anew; the deadline is for reaching it.
 */
export const passGate = async (
  step: Extract<Step, { kind: 'gate' }>,
  context: PerformContext,
  bootId: string | null,
): Promise<StepOutcome> => {
  const { target, entry, clock, signal } = context;
  const before = baselineOf(context.state, entry);
  const expected = { bootId: step.after === 'reboot' ? bootId : null, current: step.current };
  const deadlineAt = clock.elapsed() + step.deadlineMs;
  let steadySince: number | null = null;
  let said = '';
  const say = (text: string): void => {
    if (text !== said) context.note(text);
    said = text;
  };
  for (let pauseMs: number = pollPause.firstMs; ; pauseMs = longerPause(pauseMs)) {
    const answered = await target.observe(entry.machine, { deadlineMs: actDeadlines.observeMs, signal });
    const seen = seenAsItself(context.state, entry, answered);
    const identity = judgeIdentity(seen, expected);
    const report =
      identity.kind === 'passed'
        ? healthOfItself(
            context.state,
            entry,
            await target.health(entry.machine, { deadlineMs: actDeadlines.healthMs, signal, seen: true }),
          )
        : null;
    const verdict = report === null ? identity : judgeHealthOf(report, expected, before);
    if (signal.aborted) return interrupted(step);
    if (verdict.kind === 'failed') {
      const runs = report?.runs ?? (seen.kind === 'reachable' ? seen : null);
      const theirs = runs === null ? null : theirsOn(context.state, entry, runs);
      if (theirs !== null) return leftAsTheirs(step, theirs, `${verdict.why}:`);
      return failed(
        failureAt(step, verdict.failure, verdict.why, 'look at the machine and its log before going on'),
      );
    }
    const now = clock.elapsed();
    if (verdict.kind === 'passed') {
      steadySince ??= now;
      const failing = report === null ? noFailing : failingIn(report);
      const recoversUntil = failing.checks.length === 0 ? 0 : deadlineAt - step.deadlineMs + recoveryMs;
      const until = Math.max(steadySince + step.stableMs, Math.min(recoversUntil, deadlineAt));
      if (now >= until) {
        // Seen before a standstill: nobody confirmed the activation meanwhile, so the machine may have gone back by itself.
        if (context.stoodStill()) continue;
        const theirs = report?.runs === undefined ? null : theirsOn(context.state, entry, report.runs);
        // To confirm it would put ours in the place of what somebody else has made the boot default.
        if (theirs !== null && step.after === 'activation' && becomesDefault(entry))
          return leftAsTheirs(step, theirs, 'not confirmed, so it returns to what it ran by itself:');
        if (theirs !== null) context.warn(theirsWords(theirs));
        return succeeded(verdict.why, isFailing(failing) ? { failing } : {});
      }
      say(
        isFailing(failing)
          ? `${verdict.why}; watching whether it stays so`
          : `healthy; watching that it stays so for ${step.stableMs / 1_000} s`,
      );
      await clock.sleep(Math.min(pollPause.mostMs, until - now), signal);
    } else {
      steadySince = null;
      if (now > deadlineAt)
        return failed(
          failureAt(
            step,
            seen.kind === 'unreachable' ? 'unreachable' : 'unhealthy',
            `not healthy within ${step.deadlineMs / 1_000} s: ${verdict.why}`,
            `see \`lab health ${step.machine}\` and its journal`,
          ),
        );
      say(`waiting: ${verdict.why}`);
      await clock.sleep(Math.max(0, Math.min(pauseMs, deadlineAt - now + 1)), signal);
    }
    if (signal.aborted) return interrupted(step);
  }
};
