import type { MachinePlan, Step } from '../plan/plan.ts';
import type { Observation, PreflightFacts, Reachable } from '../ports.ts';
import { answersForAnother, healthOfItself } from './another.ts';
import { failingBefore, failingWords, isFailing } from './baseline.ts';
import { blockedBy, blockersOf, blockerWords, weighed } from './blockers.ts';
import { momentIn, seenIn } from './boot-age.ts';
import { type Failing, noFailing, type StepOutcome } from './event.ts';
import { isSettled } from './gate.ts';
import {
  actDeadlines,
  failed,
  failureAt,
  interrupted,
  lookAgainMs,
  type PerformContext,
  succeeded,
} from './step-context.ts';

/** How long a systemd that says nothing is asked again. */
const systemdAnswersMs = 12_000;

/** What fails before anything is done. Where the checks cannot be read nothing is known to fail, so all of them count. */
const lookForFailing = async (
  { target, entry, signal, state }: PerformContext,
  { failedUnits }: Reachable,
): Promise<Failing> => {
  const { machine } = entry;
  if (machine.healthChecks.length === 0) return { ...noFailing, units: failedUnits };
  const report = healthOfItself(
    state,
    entry,
    await target.health(machine, { deadlineMs: actDeadlines.healthMs, signal }),
  );
  // A machine that is still starting fails checks that it will pass: they must not be excused afterwards.
  if (!isSettled(report.state)) return { ...noFailing, units: failedUnits };
  return { ...failingBefore(report, entry), units: failedUnits };
};

/** What cannot be read is no evidence of too little room, and none of enough. */
const roomWords = ({ steps }: MachinePlan, { nixFreeBytes }: PreflightFacts): string =>
  nixFreeBytes === null && steps.some(({ kind }) => kind === 'copy')
    ? 'room in /nix could not be read'
    : 'enough room';

/** A systemd that was only slow to answer gets another chance to say how it is. */
const look = async ({ target, entry, clock, signal }: PerformContext): Promise<Observation> => {
  const until = clock.elapsed() + systemdAnswersMs;
  for (;;) {
    const options = { deadlineMs: actDeadlines.observeMs, signal, fresh: true };
    const seen = await target.observe(entry.machine, options);
    const silent = seen.kind === 'reachable' && seen.state === 'unknown';
    if (!silent || signal.aborted || clock.elapsed() >= until) return seen;
    await clock.sleep(lookAgainMs, signal);
  }
};

/** What to make of a machine that was seen so: why nothing is asked of it, or that it is there. */
const whetherThere = (
  step: Step,
  seen: Observation,
  { state, entry }: PerformContext,
): StepOutcome | { readonly kind: 'seen'; readonly seen: Reachable } => {
  if (seen.kind === 'unreachable') {
    const failure = failureAt(step, seen.error.kind, seen.error.message, seen.error.remedy);
    return seen.error.retryable ? { kind: 'skipped', reason: 'unreachable', failure } : failed(failure);
  }
  const another = answersForAnother(step, state, entry, seen);
  if (another !== null) return another;
  // Whoever asked it to: what is begun on it now ends in the middle.
  if (seen.state === 'stopping')
    return {
      kind: 'skipped',
      reason: 'unreachable',
      failure: failureAt(
        step,
        'stopping',
        'it is shutting down',
        'wait until it is up again; where it hangs, `systemctl list-jobs` on it says in what',
      ),
    };
  return { kind: 'seen', seen };
};

/**
 * Whether the machine can be acted on at all, whether anything speaks against it, and what it runs before it is changed. One
 * that was seen and then does not answer is looked at once more: it may be away by now, like any other that is.
 */
export const preflight = async (step: Step, context: PerformContext): Promise<StepOutcome> => {
  const { target, entry, signal, clock } = context;
  const until = clock.elapsed() + actDeadlines.seeBeforeMs;
  for (;;) {
    const moment = momentIn(context);
    const there = whetherThere(step, await look(context), context);
    if (there.kind !== 'seen') return there;
    const isLast = clock.elapsed() >= until;
    const got = await target.preflight(entry.machine, { deadlineMs: actDeadlines.preflightMs, signal });
    if (signal.aborted) return interrupted(step);
    if (got.ok)
      return judged(step, there.seen, { got: got.value, inBootAt: seenIn(moment, there.seen) }, context);
    if (isLast) return failed(got.failure);
    await clock.sleep(lookAgainMs, signal);
    if (signal.aborted) return interrupted(step);
  }
};

/** From what was seen of it, and what it said. */
const judged = async (
  step: Step,
  seen: Reachable,
  { got, inBootAt }: { readonly got: PreflightFacts; readonly inBootAt: ReturnType<typeof momentIn> },
  context: PerformContext,
): Promise<StepOutcome> => {
  const { entry, signal, state, clock } = context;
  const { machine } = entry;
  const facts = { bootId: seen.bootId, current: seen.current, profile: seen.profile, inBootAt };
  const { root, rootProblem } = got;
  const { standing, overridden } = weighed(
    state.plan ?? {},
    machine.name,
    blockersOf(entry, { seen, facts: got, at: clock.now() }, 'preflight'),
  );
  if (!root)
    return failed(
      failureAt(
        step,
        'no-root',
        `no root on it: ${rootProblem ?? 'sudo refused'}`,
        'let the ssh user use sudo without a password, or set lab.machine.ssh.user = "root"',
        standing.map(({ kind, reason }) => `besides, ${kind}: ${reason}`),
      ),
      facts,
    );
  if (standing.length > 0) {
    const { kind, message, remedy, detail } = blockedBy(machine.name, standing);
    return { kind: 'skipped', reason: 'blocked', failure: failureAt(step, kind, message, remedy, detail) };
  }
  const failing = await lookForFailing(context, seen);
  if (signal.aborted) return interrupted(step);
  const found =
    overridden.length === 0 ? roomWords(entry, got) : `goes ahead in spite of ${blockerWords(overridden)}`;
  const ill = isFailing(failing) ? `; failing before the run: ${failingWords(failing)}` : '';
  return succeeded(`reachable, root, ${found}${ill}`, { ...facts, failing });
};
