import type { Failure } from '../failure.ts';
import type { MachinePlan, Step } from '../plan/plan.ts';
import { type MachineRecords, recordIn, recordOf, recordsOfMachine } from './records.ts';
import type { RunState } from './state.ts';

/** Where a machine of the plan stands, for decisions and screens alike. */
export type MachineProgress = {
  readonly plan: MachinePlan;
  readonly status:
    | 'waiting' // nothing begun in earnest yet
    | 'active'
    | 'done'
    | 'nothing' // already as wanted
    | 'failed'
    | 'skipped'
    | 'restored'; // failed, and back at what it ran
  /** The steps it goes through, contingent ones included once they are needed. */
  readonly steps: readonly Step[];
  /** Those under way in this process. */
  readonly open: readonly Step[];
  /** The first step that has not succeeded, or null at the end. */
  readonly current: Step | null;
  readonly failure: Failure | null;
  /** True once an effect on the machine may have happened (activate or reboot intended). */
  readonly touched: boolean;
};

const effects: ReadonlySet<Step['kind']> = new Set(['activate', 'confirm', 'reboot', 'restore']);
/** Whether a step changes its machine. */
export const isEffect = ({ kind }: Step): boolean => effects.has(kind);

/** An activation said that only a reboot makes it live (exit 100). */
const asksForReboot = (records: MachineRecords, plan: MachinePlan): boolean =>
  plan.steps.some(({ id, kind }) => {
    const outcome = kind === 'activate' ? recordIn(records, id)?.outcome : null;
    return outcome?.kind === 'succeeded' && outcome.facts.needsReboot;
  });

const isForLive = (step: Step): boolean =>
  step.kind === 'confirm' || (step.kind === 'gate' && step.after === 'activation');

/** What is live only after a reboot has nothing to gate or confirm before it; and the reboot is taken, where it may be. */
const stepsWithReboot = (plan: MachinePlan): readonly Step[] => [
  ...plan.steps.filter((step) => !isForLive(step)),
  ...(plan.steps.some(({ kind }) => kind === 'reboot') ? [] : plan.contingent),
];

const mayHaveHappened = (records: MachineRecords, step: Step): boolean => {
  const record = isEffect(step) ? recordIn(records, step.id) : undefined;
  return record !== undefined && record.outcome?.kind !== 'skipped';
};

const progressFrom = (records: MachineRecords, plan: MachinePlan): MachineProgress => {
  const wantsReboot = asksForReboot(records, plan);
  const steps = wantsReboot ? stepsWithReboot(plan) : plan.steps;
  const open = records.filter(({ status }) => status === 'open').map(({ step }) => step);
  const base = { plan, steps, open };
  const touched =
    steps.some((step) => mayHaveHappened(records, step)) ||
    (plan.restore !== null && mayHaveHappened(records, plan.restore));
  if (plan.decision.kind === 'nothing')
    return { ...base, status: 'nothing', current: null, failure: null, touched };
  if (plan.decision.kind === 'skip') {
    const { message, remedy, reason } = plan.decision;
    const failure = { kind: reason, machine: plan.machine.name, phase: 'plan', message, remedy };
    return { ...base, status: 'skipped', current: null, failure, touched };
  }
  for (const step of steps) {
    const record = recordIn(records, step.id);
    if (record === undefined) {
      const begun = steps.some(
        ({ id, kind }) => recordIn(records, id) !== undefined && kind !== 'preflight' && kind !== 'copy',
      );
      return { ...base, status: begun ? 'active' : 'waiting', current: step, failure: null, touched };
    }
    const { outcome } = record;
    if (outcome === null) {
      const early = step.kind === 'preflight' || step.kind === 'copy';
      return { ...base, status: early ? 'waiting' : 'active', current: step, failure: null, touched };
    }
    if (outcome.kind === 'succeeded') continue;
    if (outcome.kind === 'skipped')
      return { ...base, status: 'skipped', current: step, failure: outcome.failure, touched };
    const restored = plan.restore !== null && recordIn(records, plan.restore.id)?.status === 'succeeded';
    return {
      ...base,
      status: restored ? 'restored' : 'failed',
      current: step,
      failure: outcome.failure,
      touched,
    };
  }
  if (wantsReboot && !steps.some(({ kind }) => kind === 'reboot')) {
    const failure = {
      kind: 'needs-reboot',
      machine: plan.machine.name,
      phase: 'activate',
      message:
        'its activation asks for a reboot, which this plan does not take: the new generation is not live',
      remedy: `reboot it when it suits: \`lab reboot ${plan.machine.name}\``,
    };
    return { ...base, status: 'failed', current: null, failure, touched };
  }
  return { ...base, status: 'done', current: null, failure: null, touched };
};

/** A machine of a run: what was recorded of its steps, and where that leaves it. */
export type MachineState = { readonly records: MachineRecords; readonly progress: MachineProgress };

export const machineState = (plan: MachinePlan, records: MachineRecords): MachineState => ({
  records,
  progress: progressFrom(records, plan),
});

/** Where the machine stands: from its plan and its own records, nothing else. */
export const progressOf = (state: RunState, plan: MachinePlan): MachineProgress => {
  const known = state.machines.get(plan.machine.name);
  return known?.progress.plan === plan ? known.progress : progressFrom(known?.records ?? [], plan);
};

/**
 * The supervised activation of this machine that has neither been confirmed nor come to nothing, as far as the journal
 * knows: the machine returns by itself unless it is confirmed. Null when there is none.
 */
export const unconfirmed = (
  state: RunState,
  { steps }: Pick<MachineProgress, 'steps'>,
): Extract<Step, { kind: 'activate' }> | null => {
  const confirm = steps.find(({ kind }) => kind === 'confirm');
  if (confirm === undefined || recordOf(state, confirm.id)?.outcome?.kind === 'succeeded') return null;
  for (const step of steps)
    if (
      step.kind === 'activate' &&
      step.confirmWithinMs !== undefined &&
      recordOf(state, step.id) !== undefined
    )
      return step;
  return null;
};

/**
 * Whether the run has begun to reboot the very machine that executes it and has not seen it come back: it cannot, from
 * within. Whoever resumes it after the boot does.
 */
export const awaitsOwnBoot = (state: RunState): boolean => {
  const own = state.plan?.machines.find(({ local }) => local)?.machine.name;
  if (own === undefined) return false;
  const records = recordsOfMachine(state, own);
  const statusOf = (kind: Step['kind']) => records.find(({ step }) => step.kind === kind)?.status ?? null;
  const [reboot, boot] = [statusOf('reboot'), statusOf('await-boot')];
  const begun = reboot === 'open' || reboot === 'unknown' || reboot === 'succeeded';
  return begun && boot !== 'succeeded' && boot !== 'failed';
};
