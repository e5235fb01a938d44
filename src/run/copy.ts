import type { Step } from '../plan/plan.ts';
import type { StepOutcome } from './event.ts';
import { actDeadlines, failed, interrupted, type PerformContext, succeeded } from './step-context.ts';

/** How long a copy that lost its connection is taken up again, counted from the first time. */
export const copyAgainForMs = 2 * 60_000;
const copyAgainPauseMs = 5_000;

/** Failures of `Target.copy` that may pass by themselves; what has arrived by then is not sent again. */
const passing: ReadonlySet<string> = new Set(['unreachable', 'connection-lost']);

/**
 * Brings the closure to the machine. A machine whose connection is lost, because its link is cut or it reboots, is tried
 * again for a while; one that stays away is skipped like every machine that is away: nothing was activated on it.
 */
export const copy = async (
  step: Extract<Step, { kind: 'copy' }>,
  context: PerformContext,
): Promise<StepOutcome> => {
  const { target, entry, clock, signal } = context;
  let until: number | null = null;
  for (;;) {
    const copied = await target.copy(entry.machine, step.toplevel, {
      deadlineMs: actDeadlines.copyMs,
      signal,
      onProgress: context.progress,
    });
    if (copied.ok) return succeeded('closure is there');
    if (signal.aborted) return interrupted(step);
    const { failure } = copied;
    if (!passing.has(failure.kind)) return failed(failure);
    until ??= clock.elapsed() + copyAgainForMs;
    if (clock.elapsed() >= until)
      return failure.kind === 'unreachable'
        ? { kind: 'skipped', reason: 'unreachable', failure }
        : failed(failure);
    context.note(`connection lost, taken up again: ${failure.message}`);
    await clock.sleep(copyAgainPauseMs, signal);
    if (signal.aborted) return interrupted(step);
  }
};
