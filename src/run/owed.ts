import { type Debt, owedAfterSeeing, owing } from '../plan/debt.ts';
import type { MachinePlan, RunGoal, Step } from '../plan/plan.ts';
import { type MachineProgress, progressOf } from './progress.ts';
import { recordOfStep } from './records.ts';
import type { RunState } from './state.ts';

/**
 * What a run leaves owed: what it was approved to do on machines that were away, and on those that had to wait for
 * them. And what becomes of an older debt with a run: pure, from the run alone.
 */

/** What a goal asks of a machine that could not be seen. */
const askedBy = (
  goal: RunGoal,
): { readonly deploy: boolean; readonly reboot: 'asked' | 'by-policy' | null } | null => {
  switch (goal.kind) {
    case 'run':
      return { deploy: true, reboot: 'by-policy' };
    case 'deploy':
      // A trial is meant for now; nobody waits for it later.
      return goal.mode === 'test' || goal.mode === 'dry-activate' ? null : { deploy: true, reboot: null };
    case 'reboot':
      return { deploy: false, reboot: goal.which === 'all' ? 'asked' : 'by-policy' };
    // Later runs lead forward again, to what the flake wants.
    case 'rollback':
    case 'update':
      return null;
    default:
      return goal satisfies never;
  }
};

const skippedFor = (state: RunState, { plan, status, current }: MachineProgress): string | null => {
  if (status !== 'skipped') return null;
  if (plan.decision.kind === 'skip') return plan.decision.reason;
  const outcome = current === null ? undefined : recordOfStep(state, current)?.outcome;
  return outcome?.kind === 'skipped' ? outcome.reason : null;
};

const isDone = (state: RunState, step: Step): boolean => recordOfStep(state, step)?.status === 'succeeded';

/** What of the goal is still to be done on a machine that was left alone, or null for nothing. */
const leftUndone = (state: RunState, { plan, failure }: MachineProgress, at: number): Debt | null => {
  const asked = askedBy(state.goal);
  if (asked === null) return null;
  const acts = plan.decision.kind === 'act';
  const deploys =
    asked.deploy &&
    (!acts ||
      plan.steps.some(
        (step) => (step.kind === 'activate' || step.kind === 'confirm') && !isDone(state, step),
      ));
  const mayReboot = !acts || plan.reboot !== null || plan.contingent.length > 0;
  return owing({
    machine: plan.machine.name,
    run: state.run,
    at,
    runs: 1,
    deploy: deploys ? { toplevel: plan.wanted } : null,
    reboot: asked.reboot === null || !mayReboot ? null : { kind: asked.reboot, at },
    why: failure?.message ?? 'it was away',
  });
};

/** What this run leaves owed, in the order of its plan. Nothing before its plan is approved. */
export const owedBy = (state: RunState): readonly Debt[] => {
  const { plan, approvedAt } = state;
  if (plan === null || approvedAt === null) return [];
  const owed = new Map<string, Debt>();
  for (const entry of plan.machines) {
    const progress = progressOf(state, entry);
    const why = skippedFor(state, progress);
    const waits = why === 'dependency' && entry.machine.dependencies.some((name) => owed.has(name));
    if (why !== 'unreachable' && !waits) continue;
    const seenAway = progress.current === null ? null : recordOfStep(state, progress.current)?.endedAt;
    const debt = leftUndone(state, progress, Math.round(seenAway ?? plan.madeAt));
    if (debt !== null) owed.set(entry.machine.name, debt);
  }
  return [...owed.values()];
};

/** An older debt and what a later run leaves undone besides: still owed since then. */
const withMore = (old: Debt, more: Debt): Debt => ({
  ...old,
  runs: old.runs + 1,
  deploy: more.deploy ?? old.deploy,
  reboot: more.reboot?.kind === 'asked' || old.reboot === null ? more.reboot : old.reboot,
  why: more.why,
});

/** What is left of a debt once the machine has come to the goal of a run. */
const paidByGoal = (debt: Debt, goal: RunGoal): Debt | null => {
  const asked = askedBy(goal);
  if (asked === null) return debt;
  const byPolicy = asked.reboot === 'by-policy' && debt.reboot?.kind === 'by-policy';
  return owing({
    ...debt,
    deploy: asked.deploy ? null : debt.deploy,
    reboot: byPolicy ? null : debt.reboot,
  });
};

/**
 * The debt of a machine after a run that had it in its plan. What was seen of the machine when the plan was made
 * counts, approved or not; a reboot by the run does, and so does coming to its goal. `left`: what the run leaves owed.
 */
export const debtAfter = (
  old: Debt | null,
  state: RunState,
  entry: MachinePlan,
  left: Debt | null,
): Debt | null => {
  const { prior } = entry;
  const seen =
    old === null || prior === null
      ? old
      : owedAfterSeeing(old, { ...prior, bootedAt: prior.bootedAt ?? null, needsReboot: null });
  if (left !== null) return seen === null ? left : withMore(seen, left);
  if (seen === null || state.approvedAt === null) return seen;
  const rebooted = [...entry.steps, ...entry.contingent].some(
    (step) => step.kind === 'await-boot' && isDone(state, step),
  );
  const debt = rebooted ? owing({ ...seen, reboot: null }) : seen;
  const { status } = progressOf(state, entry);
  return debt !== null && (status === 'done' || status === 'nothing') ? paidByGoal(debt, state.goal) : debt;
};
