import { mapBounded } from '../concurrency.ts';
import type { MachinePlan } from '../plan/plan.ts';
import type { Clock, Observation, Runs, Target } from '../ports.ts';
import { anotherIn, healthOfItself } from './another.ts';
import { longerPause, pollPause } from './await.ts';
import { baselineOf, failingIn, isFailing } from './baseline.ts';
import { type LookMoment, noFailing, type Seen } from './event.ts';
import { judgeHealth } from './gate.ts';
import { actsOnAny, isJudgedAtEnd, lookedAt } from './looks.ts';
import { progressOf } from './progress.ts';
import { recordOfKind } from './records.ts';
import type { RunState } from './state.ts';
import { actDeadlines, bootTarget } from './step-context.ts';

/** How long a look goes on while a machine is not seen to be well, milliseconds. */
export const settleMs = { start: 15_000, end: 60_000 } as const satisfies Record<LookMoment, number>;
/** One answer that is lost, however long it was waited for, is no illness. */
const triesMin = 2;
const lookedAtOnceMax = 16;

type LookDeps = { readonly target: Target; readonly clock: Clock; readonly signal: AbortSignal };

/** What a machine of which the run says that it is as planned must run; null where it says nothing of that. */
const mayRun = (state: RunState, entry: MachinePlan): ReadonlySet<string | null> | null => {
  const { prior, wanted } = entry;
  if (entry.decision.kind === 'nothing')
    return prior === null || wanted === null ? null : new Set([prior.current, prior.profile, wanted]);
  const { steps, status } = progressOf(state, entry);
  const gate = steps.findLast((step) => step.kind === 'gate');
  const current = gate?.kind === 'gate' ? bootTarget(state, entry, gate.current) : null;
  return status !== 'done' || current === null ? null : new Set([current]);
};

const otherwise = (state: RunState, entry: MachinePlan, seen: Runs): string | null => {
  const expected = mayRun(state, entry);
  if (expected === null || expected.has(seen.current)) return null;
  return `it runs ${seen.current ?? 'an unknown toplevel'}, which this run did not leave on it`;
};

/**
 * A machine that this run has rebooted, and that is in yet another boot by now, fell over since its gate: what it booted may well
 * do so again and again, and between two times it looks healthy. Null for all others.
 */
const bootedAgain = (state: RunState, entry: MachinePlan, seen: Runs): string | null => {
  if (progressOf(state, entry).status !== 'done') return null;
  const awaited = recordOfKind(state, entry.machine.name, 'await-boot')?.outcome;
  const left = awaited?.kind === 'succeeded' ? awaited.facts.bootId : null;
  return left === null || left === seen.bootId
    ? null
    : `it is in another boot than the one that passed its gate: ${seen.bootId} instead of ${left}`;
};

/** A profile that led somewhere before the run and leads nowhere now: what runs is right, and would not boot again. */
const bootsNothing = ({ prior }: MachinePlan, seen: Observation): string | null =>
  seen.kind === 'reachable' && seen.profile === null && prior !== null && prior.profile !== null
    ? 'its system profile is gone or leads nowhere: what it would boot cannot be told'
    : null;

/** `final`: looking again would show the same. */
const lookOnce = async (
  moment: LookMoment,
  state: RunState,
  entry: MachinePlan,
  { target, signal }: LookDeps,
): Promise<{ readonly seen: Seen; readonly final: boolean }> => {
  const { machine, decision } = entry;
  const seen = (verdict: Seen['verdict'], why: string, failing = noFailing, final = false) => ({
    seen: { machine: machine.name, verdict, why: why.slice(0, 2_000), failing },
    final: final || verdict === 'well' || verdict === 'as-before',
  });
  const observed = await target.observe(machine, {
    deadlineMs: actDeadlines.observeMs,
    signal,
    fresh: true,
  });
  if (observed.kind === 'unreachable') return seen('unknown', observed.error.message);
  const another = anotherIn(state, entry, observed);
  if (another !== null) return seen('unknown', another.message, noFailing, true);
  const report = healthOfItself(
    state,
    entry,
    await target.health(machine, { deadlineMs: actDeadlines.healthMs, signal, seen: true }),
  );
  const failing = failingIn(report);
  const other = moment === 'end' ? otherwise(state, entry, report.runs ?? observed) : null;
  if (other !== null) return seen('worse', other, failing, true);
  const again = moment === 'end' ? bootedAgain(state, entry, report.runs ?? observed) : null;
  if (again !== null) return seen('worse', `${again}; ${report.summary}`, failing, true);
  const unbootable = moment === 'end' ? bootsNothing(entry, observed) : null;
  // One that goes down has it no more, for as long as that takes.
  if (unbootable !== null) return seen('worse', unbootable, failing, observed.state !== 'stopping');
  // Before the run, and in one that does nothing, what fails is what failed before.
  const first = decision.kind === 'nothing' && (moment === 'start' || !actsOnAny(state.plan?.machines ?? []));
  const before = first ? failing : baselineOf(state, entry);
  const verdict = judgeHealth(report, before);
  if (verdict.kind === 'passed')
    return isFailing(failing)
      ? seen('as-before', first ? report.summary : verdict.why, failing)
      : seen('well', verdict.why);
  if (moment === 'start') return seen('unknown', verdict.why);
  const fresh =
    failing.checks.some((check) => !before.checks.includes(check)) ||
    failing.units.some((unit) => !before.units.includes(unit));
  return seen(fresh || report.verdict === 'unhealthy' ? 'worse' : 'unknown', verdict.why, failing);
};

const lookUntilWell = async (
  moment: LookMoment,
  state: RunState,
  entry: MachinePlan,
  deps: LookDeps,
): Promise<Seen> => {
  const { clock, signal } = deps;
  const patient = moment === 'start' || isJudgedAtEnd(state, entry);
  const until = clock.elapsed() + (patient ? settleMs[moment] : 0);
  let tries = 0;
  for (let pauseMs: number = pollPause.firstMs; ; pauseMs = longerPause(pauseMs)) {
    const { seen, final } = await lookOnce(moment, state, entry, deps);
    tries += 1;
    const over = clock.elapsed() + pauseMs > until && (!patient || tries >= triesMin);
    if (final || signal.aborted || over) return seen;
    await clock.sleep(pauseMs, signal);
  }
};

/** Looks at all machines that this look is at, side by side. Changes nothing on them, and asks for no lease. */
export const lookAtAll = (moment: LookMoment, state: RunState, deps: LookDeps): Promise<readonly Seen[]> =>
  mapBounded(lookedAt(state, moment), lookedAtOnceMax, (entry) => lookUntilWell(moment, state, entry, deps));
