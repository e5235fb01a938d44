import { mapBounded } from '../concurrency.ts';
import { sameOverride } from '../plan/override.ts';
import type { MachinePlan, Plan } from '../plan/plan.ts';
import type { Clock, Target } from '../ports.ts';
import { type Blocker, blockersOf, weighed } from '../run/blockers.ts';
import { actDeadlines } from '../run/step-context.ts';
import type { LabSnapshot } from './session.ts';
import type { SessionStore } from './session-store.ts';

/**
 * What would hold machines back if the plan that waits were begun now. The preflight of each machine decides about it
 * anew; this is so that whoever reads the plan knows beforehand, and can go ahead in spite of it.
 */

/** How many machines are looked at together. */
const sweepWidth = 8;

export type HeldBack =
  | { readonly kind: 'seen'; readonly standing: readonly Blocker[]; readonly overridden: readonly Blocker[] }
  /** Nobody could look; why. */
  | { readonly kind: 'unknown'; readonly why: string };

/** Of the plan with this hash, by machine. `at`: when the look began, ms since the epoch. */
export type PlanLook = {
  readonly plan: string;
  readonly at: number;
  readonly looking: boolean;
  readonly machines: ReadonlyMap<string, HeldBack>;
};

/** What is known of the very plan that waits: another one may have come since the look. */
export const lookOfPlan = ({ run, planLook }: Pick<LabSnapshot, 'run' | 'planLook'>): PlanLook | null =>
  planLook !== null && planLook.plan === run?.plan?.hash ? planLook : null;

const waitingPlan = ({ phase, run }: LabSnapshot): Plan | null =>
  phase.kind === 'awaiting-approval' ? (run?.plan ?? null) : null;

const lookAt = async (
  { target, clock }: { readonly target: Target; readonly clock: Clock },
  plan: Plan,
  entry: MachinePlan,
  signal: AbortSignal,
): Promise<HeldBack> => {
  const { machine } = entry;
  const seen = await target.observe(machine, { deadlineMs: actDeadlines.observeMs, signal, fresh: true });
  if (seen.kind === 'unreachable') return { kind: 'unknown', why: seen.error.message };
  const facts = await target.preflight(machine, { deadlineMs: actDeadlines.preflightMs, signal });
  if (!facts.ok) return { kind: 'unknown', why: facts.failure.message };
  const blockers = blockersOf(entry, { seen, facts: facts.value, at: clock.now() }, 'preflight');
  return { kind: 'seen', ...weighed(plan, machine.name, blockers) };
};

/** Looks once at the machines of each plan that waits, and again when told to; forgets it when the plan no longer waits. */
export const lookForBlockers = (
  lab: { readonly target: Target; readonly clock: Clock },
  store: SessionStore,
): { readonly again: () => void } => {
  const { snapshot, change, closing, inBackground } = store;
  let current: AbortController | null = null;

  const look = async (plan: Plan): Promise<void> => {
    current?.abort();
    const own = new AbortController();
    current = own;
    const signal = AbortSignal.any([own.signal, closing]);
    const set = (part: Partial<PlanLook>): void => {
      const before = snapshot().planLook;
      if (!signal.aborted && before !== null) change({ planLook: { ...before, ...part } });
    };
    change({ planLook: { plan: plan.hash, at: lab.clock.now(), looking: true, machines: new Map() } });
    const acting = plan.machines.filter(({ decision }) => decision.kind === 'act');
    await mapBounded(acting, sweepWidth, async (entry) => {
      if (signal.aborted) return;
      const held = await lookAt(lab, plan, entry, signal);
      set({ machines: new Map(snapshot().planLook?.machines).set(entry.machine.name, held) });
    });
    set({ looking: false });
  };

  const consider = (): void => {
    if (closing.aborted) return;
    const plan = waitingPlan(snapshot());
    const known = snapshot().planLook;
    if (plan === null && known !== null) {
      current?.abort();
      change({ planLook: null });
    } else if (plan !== null && plan.hash !== known?.plan) inBackground(look(plan));
  };
  store.subscribe(consider);
  return {
    again: () => {
      const plan = waitingPlan(snapshot());
      if (plan !== null) inBackground(look(plan));
    },
  };
};

/** The overrides of a plan and those that are asked for besides, each once. */
export const withOverrides = (
  plan: Pick<Plan, 'overrides'> | null,
  more: NonNullable<Plan['overrides']>,
): NonNullable<Plan['overrides']> => {
  const before = plan?.overrides ?? [];
  return [...before, ...more.filter((one) => !before.some((other) => sameOverride(one, other)))];
};
