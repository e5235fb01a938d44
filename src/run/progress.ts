import type { Failure } from '../failure.ts';
import type { MachinePlan, Step } from '../plan/plan.ts';
import { ofMachine } from './by-machine.ts';
import { type MachineRecords, recordIn, recordOfKind, recordOfStep, type StepRecord } from './records.ts';
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
  /** Who had the run go on without it, or null: it is `skipped`, or it has failed and holds nobody up. */
  readonly skippedBy: string | null;
  /** It is to be tried again, or taken in again that was left out, and has not had its turn since. */
  readonly retried: 'tried-again' | 'taken-in' | null;
};

/** How people have steered one machine of a run. */
export type Steer = Pick<MachineProgress, 'skippedBy' | 'retried'> & {
  /** It had failed before it was tried again: what keeps it from its goal now is no excuse. */
  readonly failedOnce: boolean;
};
export const noSteer: Steer = { skippedBy: null, retried: null, failedOnce: false };

const effects: ReadonlySet<Step['kind']> = new Set(['activate', 'confirm', 'reboot', 'restore']);
/** Whether a step changes its machine. */
export const isEffect = ({ kind }: Step): boolean => effects.has(kind);

/** An activation said that only a reboot makes it live (exit 100). */
const asksForReboot = ({ step, outcome }: StepRecord): boolean =>
  step.kind === 'activate' && outcome?.kind === 'succeeded' && outcome.facts.needsReboot;

const isForLive = (step: Step): boolean =>
  step.kind === 'confirm' || (step.kind === 'gate' && step.after === 'activation');

/** What is live only after a reboot has nothing to gate or confirm before it; and the reboot is taken, where it may be. */
const stepsWithReboot = (plan: MachinePlan): readonly Step[] => [
  ...plan.steps.filter((step) => !isForLive(step)),
  ...(plan.steps.some(({ kind }) => kind === 'reboot') ? [] : plan.contingent),
];

/** What was held back at the last try may have happened at one before it. */
const mayHaveHappened = ({ step, outcome, endsBoot }: StepRecord): boolean =>
  isEffect(step) && (outcome?.kind !== 'skipped' || endsBoot !== undefined);

/** Why a machine is not acted on that somebody had left out. */
export const skippedByPerson = 'skipped-by-person';

const leftOut = (plan: MachinePlan, by: string, before: Failure | null): Failure => ({
  kind: skippedByPerson,
  machine: plan.machine.name,
  phase: 'run',
  message: `skipped by ${by}${before === null ? '' : `, after it had failed: ${before.message}`}`,
  remedy: `\`lab run ${plan.machine.name}\` when it suits`,
});

const progressFrom = (records: MachineRecords, plan: MachinePlan, steer: Steer): MachineProgress => {
  const progress = walk(records, plan, steer);
  return steer.skippedBy === null || progress.touched || plan.decision.kind !== 'act'
    ? progress
    : {
        ...progress,
        status: 'skipped',
        current: null,
        failure: leftOut(plan, steer.skippedBy, progress.failure),
      };
};

const none: readonly Step[] = [];
/** All that the records tell together. In one go, for every event of a run asks it. */
const toldBy = (
  records: MachineRecords,
): { readonly wantsReboot: boolean; readonly touched: boolean; readonly open: readonly Step[] } => {
  let wantsReboot = false;
  let touched = false;
  let open = none;
  for (const record of records) {
    wantsReboot ||= asksForReboot(record);
    touched ||= mayHaveHappened(record);
    if (record.status === 'open') open = [...open, record.step];
  }
  return { wantsReboot, touched, open };
};

/** As far as its steps tell. */
const walk = (records: MachineRecords, plan: MachinePlan, steer: Steer): MachineProgress => {
  const { skippedBy, retried, failedOnce } = steer;
  const { wantsReboot, touched, open } = toldBy(records);
  const steps = wantsReboot ? stepsWithReboot(plan) : plan.steps;
  const base = { plan, steps, open, skippedBy, retried: null };
  if (plan.decision.kind === 'nothing')
    return { ...base, status: 'nothing', current: null, failure: null, touched };
  if (plan.decision.kind === 'skip') {
    const { message, remedy, reason } = plan.decision;
    const failure = { kind: reason, machine: plan.machine.name, phase: 'plan', message, remedy };
    return { ...base, status: 'skipped', current: null, failure, touched };
  }
  for (let place = 0; place < steps.length; place += 1) {
    const step = steps[place] as Step;
    // Mostly they were begun in their order.
    const record = records[place]?.step === step ? records[place] : recordIn(records, step.id);
    if (record === undefined) {
      const begun = records.some(
        ({ step: { id, kind } }) =>
          kind !== 'preflight' && kind !== 'copy' && steps.some((other) => other.id === id),
      );
      return {
        ...base,
        status: begun && retried === null ? 'active' : 'waiting',
        current: step,
        failure: null,
        touched,
        retried,
      };
    }
    const { outcome } = record;
    if (outcome === null) {
      const early = retried !== null || step.kind === 'preflight' || step.kind === 'copy';
      const status = early ? 'waiting' : 'active';
      return { ...base, status, current: step, failure: null, touched, retried };
    }
    if (outcome.kind === 'succeeded') continue;
    if (outcome.kind === 'skipped' && !failedOnce)
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
    const boots = steps.some((step) => step.kind === 'activate' && step.mode !== 'test');
    const { name } = plan.machine;
    const failure = {
      kind: 'needs-reboot',
      machine: name,
      phase: 'activate',
      message:
        'its activation asks for a reboot, which this plan does not take: the new generation is not live',
      remedy: boots
        ? `reboot it when it suits: \`lab reboot ${name}\``
        : `it boots what it did before: \`lab deploy ${name} --mode boot\`, then \`lab reboot ${name}\``,
    };
    return { ...base, status: 'failed', current: null, failure, touched };
  }
  return { ...base, status: 'done', current: null, failure: null, touched };
};

/** A machine of a run: what was recorded of its steps, and where that leaves it. */
export type MachineState = {
  readonly records: MachineRecords;
  readonly progress: MachineProgress;
  readonly steer: Steer;
};

export const machineState = (
  plan: MachinePlan,
  records: MachineRecords,
  steer: Steer = noSteer,
): MachineState => ({ records, progress: progressFrom(records, plan, steer), steer });

/** Where the machine stands: from its plan and its own records, nothing else. */
export const progressOf = (state: RunState, plan: MachinePlan): MachineProgress => {
  const known = ofMachine(state.machines, plan.machine.name);
  if (known === undefined) return progressFrom([], plan, noSteer);
  // The same entry may have been read anew, as another object.
  return known.progress.plan === plan ? known.progress : progressFrom(known.records, plan, known.steer);
};

/** The same of every machine of the plan, in its order. */
export const progressOfAll = ({ machines }: RunState): readonly MachineProgress[] =>
  machines.all.map(({ progress }) => progress);

/**
 * The supervised activation of this machine that has neither been confirmed nor come to nothing, as far as the journal
 * knows: the machine returns by itself unless it is confirmed. Null when there is none.
 */
export const unconfirmed = (
  state: RunState,
  { steps }: Pick<MachineProgress, 'steps'>,
): Extract<Step, { kind: 'activate' }> | null => {
  const confirm = steps.find(({ kind }) => kind === 'confirm');
  if (confirm === undefined || recordOfStep(state, confirm)?.outcome?.kind === 'succeeded') return null;
  for (const step of steps)
    if (
      step.kind === 'activate' &&
      step.confirmWithinMs !== undefined &&
      recordOfStep(state, step) !== undefined
    )
      return step;
  return null;
};

/** What of the reboot of the very machine that executes the run was recorded; null before that machine was asked for one. */
const ownReboot = (state: RunState): { readonly boot: StepRecord['status'] | undefined } | null => {
  const own = state.plan?.machines.find(({ local }) => local)?.machine.name;
  if (own === undefined || ofMachine(state.machines, own)?.steer.retried != null) return null;
  const reboot = recordOfKind(state, own, 'reboot');
  const boot = recordOfKind(state, own, 'await-boot')?.status;
  // Before it says which boot it ends, nothing has been asked of the machine.
  const begun =
    reboot?.status === 'succeeded' ||
    ((reboot?.status === 'open' || reboot?.status === 'unknown') && reboot.endsBoot !== undefined);
  return begun ? { boot } : null;
};

/**
 * Whether the run has begun to reboot the very machine that executes it and has not seen it come back: it cannot, from
 * within. Whoever resumes it after the boot does. One that is tried again is not on its way before its turn has come.
 */
export const awaitsOwnBoot = (state: RunState): boolean => {
  const own = ownReboot(state);
  return own !== null && own.boot !== 'succeeded' && own.boot !== 'failed';
};

/**
 * Whether the run has rebooted the very machine that executes it and has not come to its end: what a boot takes up. Also
 * where that reboot was seen already, for the machine may have gone down once more before the run was over.
 */
export const goesOnAfterOwnBoot = (state: RunState): boolean =>
  state.ended === null && ownReboot(state) !== null;
