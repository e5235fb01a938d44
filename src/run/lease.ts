import type { Machine } from '../fleet/machine.ts';
import { whereItLeads } from '../plan/identity.ts';
import type { Step } from '../plan/plan.ts';
import type { Claim, Clock, Lease, LeaseAnswer, LeaseRequest, Target } from '../ports.ts';
import { anotherMachine } from './another.ts';
import type { StepOutcome } from './event.ts';
import { progressOf } from './progress.ts';
import { recordOfStep } from './records.ts';
import type { RunState } from './state.ts';
import { failed, failureAt, interrupted, type PerformContext, unknown } from './step-context.ts';

/**
 * The leases of a run: taken by the preflight of each machine, before anything is done to any of them, renewed while the
 * run goes on, and given back at its end. A run that loses one (its orchestrator was asleep or cut off for longer than a
 * lease lasts, or a person broke it) finds its next act on that machine refused there.
 */

export const leaseTimes = {
  /** How long a lease lasts that nobody renews: the longest wait for what a dead orchestrator has left. */
  ttlMs: 10 * 60_000,
  /** Three chances before it runs out: one may fall into a reboot, and one be lost. */
  renewMs: 3 * 60_000,
  askMs: 10_000,
  /** The end of a run does not wait long for machines that are gone. */
  releaseMs: 5_000,
} as const;
const takeAttemptsMax = 3;
const takeAgainMs = 3_000;

export const claimOf = ({ run, by }: Pick<RunState, 'run' | 'by'>): Claim => ({
  run,
  owner: `${by.user}@${by.host}`,
  ttlMs: leaseTimes.ttlMs,
});

/** The failure of a machine that another run holds; nothing was done to it. */
export const leased = 'leased';
/** The failure of a machine that this run held and another one, or a person, has taken since. */
export const leaseLost = 'lease-lost';

const minutes = (ms: number): string => `${Math.max(1, Math.ceil(ms / 60_000))} min`;

/** Whose a lease is, in words: `run 20261120-234101-3fa9 of alice@desk`. */
const holderOf = ({ run, owner }: Pick<Lease, 'run' | 'owner'>): string => `run ${run} of ${owner}`;

/** A lease in words, and what to do about it. */
export const leaseWords = (machine: string, lease: Lease): { message: string; remedy: string } => {
  const unlock = `\`lab unlock ${machine} --run ${lease.run}\``;
  switch (lease.state) {
    case 'held':
      return {
        message: `${holderOf(lease)} holds it; its lease lasts another ${minutes(lease.leftMs)} unless it is renewed`,
        remedy: `wait until that run has ended; when its orchestrator is gone, the lease runs out by itself, or ${unlock} breaks it`,
      };
    case 'expired':
      return { message: `${holderOf(lease)} held it last, and the lease ran out`, remedy: 'run again' };
    case 'released':
      return { message: `${holderOf(lease)} held it last, and gave it back`, remedy: 'run again' };
    case 'broken':
      return { message: `${lease.owner} has broken the lease of run ${lease.run}`, remedy: 'run again' };
    case 'unreadable':
      return {
        message: 'the record of its lease is damaged (/var/lib/lab/lease)',
        remedy: `see that nobody else works on it, then ${unlock}`,
      };
    default:
      return lease.state satisfies never;
  }
};

/** Whether the lease is this run's own, taken for another of its machines: the address leads there. */
const isForAnother = (by: Lease, { run }: Pick<Claim, 'run'>, machine: string): boolean =>
  by.run === run && by.state !== 'broken' && by.machine !== undefined && by.machine !== machine;

const leadsToAnother = (step: Step, { machine = '' }: Lease, undone: string): StepOutcome =>
  failed(
    failureAt(
      step,
      anotherMachine,
      `${undone}: what answers for ${step.machine} is ${machine}, for this run has its lease as that`,
      whereItLeads(step.machine),
    ),
  );

/**
 * What becomes of an act that the machine refused because the run has lost its lease, or never had it: the machine is
 * another one of the run. `undone`: `not activated`.
 */
export const fenced = (step: Step, by: Lease, undone: string, ours: Pick<Claim, 'run'>): StepOutcome =>
  isForAnother(by, ours, step.machine)
    ? leadsToAnother(step, by, undone)
    : failed(
        failureAt(
          step,
          leaseLost,
          `${undone}, for this run has lost its lease: ${leaseWords(step.machine, by).message}`,
          'see what was done to it meanwhile, then plan again',
        ),
      );

const takenBy = (step: Step, by: Lease): StepOutcome => {
  const { message, remedy } = leaseWords(step.machine, by);
  return { kind: 'skipped', reason: 'blocked', failure: failureAt(step, leased, message, remedy) };
};

/** Why the lease could not be had, when the look at the machine found nothing wrong with it. */
const notToBeHad = (step: Step, answer: Extract<LeaseAnswer, { kind: 'unknown' }>): StepOutcome => {
  const { error, message } = answer;
  if (error?.retryable === true)
    return {
      kind: 'skipped',
      reason: 'unreachable',
      failure: failureAt(step, error.kind, message, error.remedy),
    };
  return failed(
    failureAt(
      step,
      'lease-unknown',
      `its lease could not be had: ${message}`,
      error?.remedy ?? 'see whether root can write /var/lib/lab there, and run `flock`',
    ),
  );
};

/**
 * Takes the lease, also from an earlier run that nobody executes any more: one that was killed and will not be resumed,
 * since this one began in its place, or one that could not give it back because the machine was down as it ended. Broken
 * first, so that nothing the dead run may still have under way gets past the fence.
 */
const takeOrInherit = async (
  ask: (what: LeaseRequest['ask'], run?: string) => Promise<LeaseAnswer>,
  { signal, isOver, note }: PerformContext,
): Promise<LeaseAnswer> => {
  const answer = await ask('take');
  if (answer.kind !== 'taken' || answer.by.state !== 'held' || isOver?.(answer.by.run) !== true)
    return answer;
  note(`takes over the lease that run ${answer.by.run} left behind`);
  const broken = await ask('break', answer.by.run);
  // A record that cannot be written is what stands in the way, not the run that is over.
  if (broken.kind === 'unknown' || signal.aborted) return broken;
  return ask('take');
};

/**
 * Takes the lease, then looks at the machine: what is seen is seen under the lease. What the look finds wrong explains
 * better than a lease that could not be had, and gives a lease back that was.
 */
export const underLease = async (
  step: Step,
  context: PerformContext,
  look: () => Promise<StepOutcome>,
): Promise<StepOutcome> => {
  const { target, entry, clock, signal, state } = context;
  const claim = claimOf(state);
  const ask = (what: LeaseRequest['ask'], run = claim.run): Promise<LeaseAnswer> =>
    target.lease(
      entry.machine,
      { ask: what, claim: { ...claim, run }, deadlineMs: leaseTimes.askMs },
      { signal },
    );
  for (let attempt = 1; ; attempt += 1) {
    const answer = await takeOrInherit(ask, context);
    if (signal.aborted) return interrupted(step);
    if (answer.kind === 'taken') {
      if (!isForAnother(answer.by, claim, step.machine)) return takenBy(step, answer.by);
      // Or another that leads here has taken it for a moment, and gives it back once it has looked.
      if (attempt < takeAttemptsMax) {
        await clock.sleep(takeAgainMs, signal);
        if (signal.aborted) return interrupted(step);
        continue;
      }
      const seen = await look();
      return seen.kind === 'succeeded' ? leadsToAnother(step, answer.by, 'not touched') : seen;
    }
    const outcome = await look();
    if (outcome.kind !== 'succeeded') {
      const elsewhere = outcome.kind === 'failed' && outcome.failure.kind === anotherMachine;
      if (answer.kind === 'held' && !signal.aborted) await ask(elsewhere ? 'disown' : 'release');
      return outcome;
    }
    // It may have run out, and what was seen is old.
    if (answer.kind === 'held' && context.stoodStill()) continue;
    if (answer.kind === 'held') return outcome;
    if (answer.kind === 'free')
      return unknown(failureAt(step, 'lease-unknown', 'its lease was not taken', 'run again'));
    if (attempt >= takeAttemptsMax || answer.error?.retryable !== true) return notToBeHad(step, answer);
    await clock.sleep(takeAgainMs, signal);
    if (signal.aborted) return interrupted(step);
  }
};

/**
 * The machines whose lease this run has. `perhaps`: or may have, for its preflight was given up in the middle, or the answer
 * to what was asked of the machine was lost.
 */
const heldIn = (state: RunState, perhaps: boolean): readonly Machine[] => {
  const held: Machine[] = [];
  for (const entry of state.plan?.machines ?? []) {
    const looked = entry.steps.find(({ kind }) => kind === 'preflight');
    const status = looked === undefined ? undefined : recordOfStep(state, looked)?.status;
    if (status === undefined || (status !== 'succeeded' && !perhaps)) continue;
    const failure = progressOf(state, entry).failure?.kind;
    // Where it leads elsewhere it would be that one's that is renewed; given back is only what was taken for this one.
    const elsewhere = failure === anotherMachine && !perhaps;
    if (failure !== leaseLost && failure !== leased && !elsewhere) held.push(entry.machine);
  }
  return held;
};

/** The leases of a run that is driven. */
type HeldLeases = {
  /** At once, and not only when it is time. */
  renew(): Promise<void>;
  /** Renews no more. What is held runs out, unless the run is resumed before. */
  readonly stop: () => void;
  /** Gives back what is held, at the end of the run. Leases of machines that do not answer run out. */
  readonly release: () => Promise<void>;
};

/**
 * Renews the leases of the run until it is told otherwise or the signal aborts. A renewal that fails changes nothing: a
 * machine in the middle of its reboot does not answer, and who has lost a lease learns it from the next act, on the
 * machine itself. `onBug` hears what should never be thrown.
 */
export const holdLeases = (
  current: () => RunState,
  { target, clock }: { readonly target: Target; readonly clock: Clock },
  signal: AbortSignal,
  onBug: (error: unknown) => void,
): HeldLeases => {
  const pausing = new AbortController();
  // A reason, for without one an exception with a stack is made that nobody reads.
  const stop = (): void => pausing.abort('no lease is renewed any more');
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const askAll = async (ask: 'renew' | 'release', given: { signal?: AbortSignal }): Promise<void> => {
    const state = current();
    const deadlineMs = ask === 'release' ? leaseTimes.releaseMs : leaseTimes.askMs;
    const request = { ask, claim: claimOf(state), deadlineMs } as const;
    await Promise.all(
      heldIn(state, ask === 'release').map((machine) => target.lease(machine, request, given)),
    );
  };
  const renewing = (async (): Promise<void> => {
    while (!pausing.signal.aborted) {
      await askAll('renew', { signal });
      await clock.sleep(leaseTimes.renewMs, pausing.signal);
    }
  })().catch(onBug);
  return {
    stop,
    renew: () => askAll('renew', { signal }),
    release: async () => {
      stop();
      // One that is under way would take back what is given back.
      await renewing;
      await askAll('release', {});
    },
  };
};
