import type { Step } from '../plan/plan.ts';
import type { Target, TriggerOutcome } from '../ports.ts';
import { duration } from '../text/words.ts';
import { answersForAnother, seenAsItself } from './another.ts';
import { blockedBy, blockersOf, blockerWords, weighed } from './blockers.ts';
import { isStillIn, momentIn, seenIn } from './boot-age.ts';
import { dependencies } from './dependencies.ts';
import { downToo } from './down-too.ts';
import type { StepFacts, StepOutcome } from './event.ts';
import { claimOf, fenced } from './lease.ts';
import { recordOfStep } from './records.ts';
import {
  actDeadlines,
  away,
  bootTarget,
  changedSincePlan,
  factsOf,
  failed,
  failureAt,
  interrupted,
  lookAgainMs,
  type PerformContext,
  see,
  succeeded,
  unitName,
} from './step-context.ts';

/** The trigger's timer fires after a second; by then a machine shows that it is shutting down. */
const triggerShowsMs = 3_000;

/** What speaks against a reboot now in what the machine needs, or null: a process that is gone looked at it perhaps long ago. */
const stillHealthy = async (step: Step, context: PerformContext): Promise<StepOutcome | null> => {
  const healthy = await dependencies(step, context.entry.machine.dependencies, context);
  return healthy.kind === 'succeeded' ? null : healthy;
};

/** The boot that a reboot ends, and when it still ran, where that is known. */
type Boot = Pick<StepFacts, 'inBootAt'> & { readonly bootId: string };

/** As the preflight saw it, where it was this one. */
const bootAtPreflight = ({ state, entry }: PerformContext, bootId: string): Boot => {
  const looked = factsOf(state, entry, 'preflight');
  return looked?.bootId === bootId && looked.inBootAt !== undefined
    ? { bootId, inBootAt: looked.inBootAt }
    : { bootId };
};

/**
 * What is known of a reboot that a process which is gone may have triggered: an outcome, or null when the machine
 * still runs the old boot, shows no sign of shutting down, and may be rebooted now.
 */
const foundUnderWay = async (
  step: Step,
  bootId: string,
  context: PerformContext,
): Promise<StepOutcome | null> => {
  const { target, entry, clock, signal, state } = context;
  const boot = bootAtPreflight(context, bootId);
  await clock.sleep(triggerShowsMs, signal);
  const answered = await target.observe(entry.machine, {
    deadlineMs: actDeadlines.observeMs,
    signal,
    fresh: true,
  });
  // Where another one answers it may be down all the same, and is waited for.
  const seen = seenAsItself(state, entry, answered);
  if (signal.aborted) return interrupted(step);
  if (seen.kind === 'unreachable')
    return succeeded(`probably triggered before lab was interrupted: ${seen.error.message}`, boot);
  if (seen.state === 'stopping') return succeeded('it is shutting down already', boot);
  return seen.bootId === bootId ? stillHealthy(step, context) : null;
};

/**
 * A refusal is no evidence either: what is seen of the machine counts. One that does not answer by then may well be going
 * down, so it is followed like any other that was told to, unless the command never went out.
 */
const afterRefusal = async (
  step: Step,
  boot: Boot,
  { message, unreached }: Extract<TriggerOutcome, { kind: 'refused' }>,
  context: PerformContext,
): Promise<StepOutcome> => {
  await context.clock.sleep(triggerShowsMs, context.signal);
  const seen = await see(context, actDeadlines.seeBeforeMs);
  if (context.signal.aborted) return interrupted(step);
  if (seen.kind === 'unreachable')
    return unreached === true
      ? away(step, context, seen.error, 'not rebooted')
      : succeeded(`it said that it refused (${message}), and does not answer since`, boot);
  return seen.state === 'stopping' || seen.bootId !== boot.bootId
    ? succeeded('it said that it refused, and reboots', boot)
    : failed(
        failureAt(step, 'reboot-refused', `it refused to reboot: ${message}`, 'reboot it by hand to see why'),
      );
};

/** Who and what is on the machine right now; asked again for a while, for one answer that is lost is no reason to stop. */
const lookAround = async ({
  target,
  entry,
  clock,
  signal,
}: PerformContext): ReturnType<Target['preflight']> => {
  const until = clock.elapsed() + actDeadlines.seeBeforeMs;
  for (;;) {
    const got = await target.preflight(entry.machine, { deadlineMs: actDeadlines.preflightMs, signal });
    if (got.ok || signal.aborted || clock.elapsed() >= until) return got;
    await clock.sleep(lookAgainMs, signal);
  }
};

/**
 * What forbids the reboot at this moment, or the boot that it is to end: hours may lie between the preflight and it. A
 * machine that would boot something else is a failure. One that somebody works on is left as it is: nothing is wrong with it, and what was
 * deployed to it has passed its gate, so it is skipped, whatever its criticality.
 */
const forbidden = async (
  step: Step,
  known: string,
  asked: boolean,
  context: PerformContext,
): Promise<StepOutcome | { readonly kind: 'to-end'; readonly boot: Boot }> => {
  const { entry, signal, state, clock } = context;
  const { machine } = entry;
  const moment = momentIn(context);
  const seen = await see(context, actDeadlines.seeBeforeMs);
  if (signal.aborted) return interrupted(step);
  if (seen.kind === 'unreachable') return away(step, context, seen.error, 'not rebooted');
  const another = answersForAnother(step, state, entry, seen);
  if (another !== null) return another;
  const boot = [...entry.steps, ...entry.contingent].find(({ kind }) => kind === 'await-boot');
  const expected = boot?.kind === 'await-boot' ? bootTarget(state, entry, boot.booted) : null;
  if (expected !== null && seen.profile !== expected)
    return failed(
      failureAt(
        step,
        changedSincePlan,
        `it would boot ${seen.profile ?? 'an unknown toplevel'} instead of ${expected}: someone else changed its profile`,
        'find out who deployed to it, then plan again',
      ),
    );
  // Collected or deleted in part. What was booted tells that this machine has a kernel at all; a container has none.
  if (expected !== null && seen.bootedParts.kernel !== null && seen.profileParts.kernel === null)
    return failed(
      failureAt(
        step,
        'would-not-boot',
        `the kernel of what it would boot is not in its store any more: ${expected}`,
        `do not reboot it before its store is whole: \`nix-store --verify --repair\` there, or \`lab rollback ${machine.name}\``,
      ),
    );
  // It has rebooted by itself into what it should run, or for whoever asked before: nothing will be triggered, and what
  // that leads to is seen afterwards. One that did so too early to run it is to be rebooted all the same.
  const early = !asked && expected !== null && seen.booted !== expected;
  const before = bootAtPreflight(context, known);
  if (seen.bootId !== known && isStillIn(before, seen, context))
    return failed(
      failureAt(
        step,
        'unknown-boot',
        `it tells another boot id than at its preflight, and its PID 1 has run since before that (${duration((seen.initSeconds ?? 0) * 1_000)}): whether it reboots could not be shown`,
        'see what covers /proc/sys/kernel/random/boot_id on it; in a container reboot it by hand',
      ),
    );
  if (seen.bootId !== known && !early) return { kind: 'to-end', boot: before };
  const got = await lookAround(context);
  if (signal.aborted) return interrupted(step);
  if (!got.ok) return away(step, context, { ...got.failure, retryable: true }, 'not rebooted');
  const { standing, overridden } = weighed(
    state.plan ?? {},
    machine.name,
    blockersOf(entry, { seen, facts: got.value, at: clock.now() }, 'reboot'),
  );
  if (standing.length > 0) {
    const { kind, message, remedy, detail } = blockedBy(machine.name, standing);
    const deployed = entry.activation === null ? '' : '; what was deployed to it stays';
    return {
      kind: 'skipped',
      reason: 'blocked',
      failure: failureAt(step, kind, `not rebooted: ${message}${deployed}`, remedy, detail),
    };
  }
  if (overridden.length > 0) context.note(`goes ahead in spite of ${blockerWords(overridden)}`);
  return { kind: 'to-end', boot: { bootId: seen.bootId, inBootAt: seenIn(moment, seen) } };
};

export const reboot = async (step: Step, context: PerformContext): Promise<StepOutcome> => {
  const { target, entry, signal, state } = context;
  // A process that is gone has said which boot it was about to end, or it has ended none.
  const asked = recordOfStep(state, step)?.endsBoot;
  const known = asked ?? factsOf(state, entry, 'preflight')?.bootId ?? entry.prior?.bootId ?? null;
  if (known === null)
    return failed(
      failureAt(step, 'no-boot-id', 'its boot id is not known, so a reboot could not be proven', 'run again'),
    );
  if (context.again) {
    const found =
      asked === undefined ? await stillHealthy(step, context) : await foundUnderWay(step, known, context);
    if (found !== null) return found;
  }
  let due = await forbidden(step, known, asked !== undefined, context);
  while (due.kind === 'to-end' && context.stoodStill())
    due = (await stillHealthy(step, context)) ?? (await forbidden(step, known, asked !== undefined, context));
  if (due.kind !== 'to-end') return due;
  const { boot } = due;
  const { bootId } = boot;
  const down = downToo(state, entry);
  if (down.length > 0 && asked === undefined)
    context.warn(`goes down while others of its groups may be: ${down.join(', ')}`);
  context.ends(bootId);
  if (signal.aborted) return interrupted(step);
  const outcome = await target.triggerReboot(
    entry.machine,
    {
      claim: claimOf(state),
      bootId,
      unit: unitName(state.run, 'reboot'),
      deadlineMs: actDeadlines.triggerMs,
    },
    { signal },
  );
  switch (outcome.kind) {
    case 'triggered':
      return succeeded('reboot triggered', boot);
    case 'probably-triggered':
      return succeeded(`probably triggered: ${outcome.message}`, boot);
    case 'already-rebooted':
      return succeeded(`it has rebooted since the run looked at it (boot id ${outcome.bootId})`, boot);
    case 'fenced':
      return fenced(step, outcome.by, 'not rebooted', state);
    case 'refused':
      return afterRefusal(step, boot, outcome, context);
    default:
      return outcome satisfies never;
  }
};
