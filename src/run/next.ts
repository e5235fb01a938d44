import type { Failure } from '../failure.ts';
import type { Step } from '../plan/plan.ts';
import { anotherMachine } from './another.ts';
import { atEnd } from './at-end.ts';
import type { LookMoment, RunResult } from './event.ts';
import { leased, leaseLost } from './lease.ts';
import { isLooking, isStartLookDue } from './looks.ts';
import { type MachineProgress, progressOfAll, unconfirmed } from './progress.ts';
import { recordOfStep } from './records.ts';
import type { RunState } from './state.ts';
import { changedSincePlan } from './step-context.ts';

/** How many machines may be looked at, or copied to, at the same time. Activation and reboot go one by one. */
export const concurrency = { preflight: 16, copy: 4 } as const;

export type Decision =
  /** Begin these steps now, beside those under way. */
  | { readonly kind: 'perform'; readonly steps: readonly Step[] }
  /** Look at machines, beside whatever is under way. */
  | { readonly kind: 'look'; readonly moment: LookMoment }
  /** Steps are under way, or the run is paused: decide again when one ends, or when somebody asks for something. */
  | { readonly kind: 'await' }
  | {
      readonly kind: 'end';
      readonly result: RunResult;
      readonly reason: string;
      readonly failure: Failure | null;
    };

/** Whether a failure of this machine holds the run. */
export const isHalting = ({ plan }: Pick<MachineProgress, 'plan'>): boolean =>
  plan.machine.orchestration.criticalityLevel === 'high' ||
  plan.machine.orchestration.criticalityLevel === 'critical';

/**
 * Whether a failed machine has to return to what it ran: always until its activation was confirmed (it would return by
 * itself, only later), and for critical machines.
 */
export const needsRestore = (state: RunState, progress: MachineProgress): boolean => {
  const { plan, current, status, touched } = progress;
  if (status !== 'failed' || !touched || plan.restore === null || current === null) return false;
  // Tried once: an outcome that could not be learnt is no reason to try for ever.
  if ((recordOfStep(state, plan.restore)?.outcome ?? null) !== null) return false;
  // What somebody else made of it meanwhile is theirs.
  const kind = progress.failure?.kind;
  if (kind === changedSincePlan || kind === leaseLost || kind === anotherMachine) return false;
  if (plan.machine.orchestration.criticalityLevel === 'critical') return true;
  return (
    current.kind === 'activate' ||
    current.kind === 'confirm' ||
    (current.kind === 'gate' && current.after === 'activation')
  );
};

const isOpen = ({ open }: MachineProgress, { id }: Step): boolean => open.some((step) => step.id === id);

/**
 * What must be done even when somebody stops or pauses the run. A reboot that was triggered is followed until the machine
 * is up: nobody would look after one that is down, and another run could take down the next. What is live goes through
 * its gate and confirmation: left alone, the machine would return to what it ran, and "finish this step" would undo it.
 */
const stepToFinish = (state: RunState, progress: MachineProgress): Step | null => {
  const { status, current } = progress;
  if (status !== 'active' || current === null || isOpen(progress, current)) return null;
  if (current.kind === 'await-boot') return current;
  if (current.kind !== 'gate' && current.kind !== 'confirm') return null;
  const live = unconfirmed(state, progress);
  return live !== null && recordOfStep(state, live)?.status === 'succeeded' ? current : null;
};

/** Ends a run that has nothing left to do, by what became of its machines. */
const conclude = (
  state: RunState,
  progress: readonly MachineProgress[],
): Extract<Decision, { kind: 'end' }> => {
  const names = (list: readonly MachineProgress[]): string =>
    list
      .map(
        ({ plan, skippedBy }) =>
          `${plan.machine.name}${skippedBy === null ? '' : ` (skipped by ${skippedBy})`}`,
      )
      .join(', ');
  const leftOut = state.plan?.leftOut ?? [];
  const well = progress.filter(({ status }) => status === 'done' || status === 'nothing');
  const bad = progress.filter(
    ({ status }) => status === 'failed' || status === 'restored' || status === 'skipped',
  );
  const asked = bad.filter(({ skippedBy }) => skippedBy !== null);
  const grave = bad.filter(
    ({ plan, skippedBy }) => skippedBy !== null || plan.machine.orchestration.criticalityLevel !== 'low',
  );
  const missing = [names(bad), ...leftOut.map(({ name }) => name)].filter((text) => text !== '').join(', ');
  if (bad.length === 0 && leftOut.length === 0)
    return { kind: 'end', result: 'done', reason: 'every machine is as planned', failure: null };
  if (well.length === 0 && asked.length < bad.length + leftOut.length)
    return {
      kind: 'end',
      result: 'failed',
      reason: `no machine was brought to its goal: ${missing}`,
      // To come again later helps where the others were only left alone.
      failure:
        bad.every(({ status }) => status === 'skipped') && leftOut.length === 0
          ? (bad.find(({ failure }) => failure?.kind === leased)?.failure ?? null)
          : null,
    };
  if (grave.length === 0 && leftOut.length === 0)
    return {
      kind: 'end',
      result: 'done',
      reason: `all but machines of low criticality are as planned; not: ${missing}`,
      failure: null,
    };
  return { kind: 'end', result: 'partial', reason: `not as planned: ${missing}`, failure: null };
};

/**
 * What to do now: pure, from the plan and its events alone. First every machine is looked at, then every closure
 * copied, then one machine after the other goes through its steps in the order of the plan.
 */
export const next = (state: RunState): Decision => {
  if (state.plan === null || state.approvedAt === null)
    throw new TypeError('nothing to decide before a plan is approved');
  const progress = progressOfAll(state);
  const openCount = progress.reduce((count, { open }) => count + open.length, 0);
  const busy = (): Decision | null => (openCount > 0 || isLooking(state) ? { kind: 'await' } : null);

  const toRestore = progress.find((machine) => needsRestore(state, machine));
  if (toRestore?.plan.restore != null) return busy() ?? { kind: 'perform', steps: [toRestore.plan.restore] };

  for (const machine of progress) {
    const toFinish = stepToFinish(state, machine);
    if (toFinish !== null) return busy() ?? { kind: 'perform', steps: [toFinish] };
  }

  if (state.stopRequestedBy !== null)
    return (
      busy() ?? {
        kind: 'end',
        result: 'interrupted',
        reason: `stopped by ${state.stopRequestedBy}; the steps under way were finished first`,
        failure: null,
      }
    );

  const halted = progress.find(
    (machine) =>
      (machine.status === 'failed' || machine.status === 'restored') &&
      isHalting(machine) &&
      machine.skippedBy === null,
  );
  if (halted !== undefined)
    return (
      busy() ??
      atEnd(state, {
        kind: 'end',
        result: 'held',
        reason: `${halted.plan.machine.name} (criticality ${halted.plan.machine.orchestration.criticalityLevel}) failed${
          halted.status === 'restored' ? ' and was returned to what it ran' : ''
        }: ${progress.some(({ plan: { position }, touched }) => touched && position > halted.plan.position) ? 'nothing more is begun' : 'nothing after it was touched'}`,
        failure: halted.failure,
      })
    );

  if (state.pausedBy !== null) return { kind: 'await' };

  if (isStartLookDue(state)) return { kind: 'look', moment: 'start' };
  // What has begun its turn comes to its end before anything is tried again.
  const onItsWay = progress.find(({ status }) => status === 'active');
  for (const kind of ['preflight', 'copy'] as const) {
    // A machine that failed or was skipped still names the step that it ended with.
    const due = progress.filter(
      ({ status, current, retried }) =>
        (status === 'waiting' || status === 'active') &&
        current?.kind === kind &&
        (retried === null || onItsWay === undefined),
    );
    if (due.length === 0) {
      if (state.looks.start === 'begun') return { kind: 'await' };
      continue;
    }
    const idle = due.flatMap((machine) =>
      machine.current === null || isOpen(machine, machine.current) ? [] : [machine.current],
    );
    const steps = idle.slice(0, Math.max(0, concurrency[kind] - openCount));
    return steps.length > 0 ? { kind: 'perform', steps } : { kind: 'await' };
  }

  const waiting = busy();
  if (waiting !== null) return waiting;
  const turn = onItsWay ?? progress.find(({ status }) => status === 'waiting');
  if (turn?.current != null) return { kind: 'perform', steps: [turn.current] };
  return atEnd(state, conclude(state, progress));
};
