import type { Failure } from '../failure.ts';
import type { Debt } from '../plan/debt.ts';
import type { Override } from '../plan/override.ts';
import { goesBack } from '../plan/plan.ts';
import { failingWords, isFailing } from './baseline.ts';
import type { RunResult, Seen } from './event.ts';
import type { BootFailure } from './gate.ts';
import { seenAtEnd } from './looks.ts';
import { owedBy } from './owed.ts';
import { type MachineProgress, progressOfAll } from './progress.ts';
import { recordIn, recordsOfMachine, type StepRecord } from './records.ts';
import { nextOf } from './report-next.ts';
import type { RunState } from './state.ts';
import { changedSincePlan, restoreIncomplete } from './step-context.ts';
import { seenWords } from './telling.ts';

/** Exit codes of every command: documented, stable, told by the unit of the timer as they are. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  held: 4,
  locked: 5,
  interrupted: 130,
} as const;

/** Failures that are about what was asked or configured, not about what happened. */
const usageKinds: ReadonlySet<string> = new Set([
  'selector',
  'usage',
  'confirmation',
  'fleet-problems',
  'directory',
  'flake-reference',
  'not-a-flake',
  'no-configurations',
  'no-outputs',
  'flake-syntax',
  'flake-evaluation',
  'too-many-machines',
  'untracked',
  'unknown-input',
  'not-local',
  'no-lock-file',
  'ssh-config',
  'state-directory',
  'override',
]);

/** Failures after which a person has to decide before anything more is done. */
const heldKinds: ReadonlySet<string> = new Set(['died', 'left-unfinished', 'journal']);

export const exitCodeOfFailure = (failure: Failure): number =>
  failure.kind === 'locked' || failure.kind === 'leased'
    ? exitCodes.locked
    : heldKinds.has(failure.kind)
      ? exitCodes.held
      : usageKinds.has(failure.kind)
        ? exitCodes.usage
        : failure.kind === 'cancelled' || failure.kind === 'interrupted'
          ? exitCodes.interrupted
          : exitCodes.failed;

export const exitCodeOfRun = (result: RunResult, failure: Failure | null): number => {
  switch (result) {
    case 'done':
      return exitCodes.done;
    case 'failed':
      return failure === null ? exitCodes.failed : exitCodeOfFailure(failure);
    case 'partial':
      return exitCodes.partial;
    case 'held':
      return exitCodes.held;
    case 'declined':
    case 'expired':
      return failure === null ? exitCodes.interrupted : exitCodeOfFailure(failure);
    case 'interrupted':
      return exitCodes.interrupted;
    default:
      return result satisfies never;
  }
};

export type MachineReport = {
  readonly machine: string;
  readonly status: MachineProgress['status'];
  /** What became of it, in words. */
  readonly summary: string;
  readonly from: string | null;
  readonly to: string | null;
  /** It was seen in another boot after its reboot was triggered, be it the one that was wanted or not. */
  readonly rebooted: boolean;
  /** Milliseconds from its first step to its last. */
  readonly tookMs: number;
  readonly failure: Failure | null;
  /** What was worth a warning on the way, oldest first. */
  readonly warnings: readonly string[];
  /** How it was when all was done; null where nobody looked. */
  readonly atEnd: Seen | null;
  /** Set when returning to the recorded toplevel was tried and did not succeed. */
  readonly restoreFailure: Failure | null;
};

export type RunReport = {
  readonly run: string;
  readonly result: RunResult;
  readonly reason: string;
  readonly exitCode: number;
  readonly failure: Failure | null;
  /** What the reader can do now, where the machines do not say it themselves; or null. */
  readonly next: string | null;
  readonly startedAt: number;
  readonly endedAt: number;
  /** How long its plan waited for an answer, milliseconds: a part of the whole time that the run did not take. */
  readonly waitedMs: number;
  readonly machines: readonly MachineReport[];
  readonly leftOut: readonly { readonly name: string; readonly message: string; readonly remedy: string }[];
  /** What this run leaves to a later one, because machines were away. */
  readonly owed: readonly Debt[];
  /** Blockers that the run was told to go ahead in spite of, and by whom: `amy (cli)`. */
  readonly overrides: readonly (Override & { readonly by: string })[];
};

const unitsNamedMax = 5;

/** How far a return that was tried has come, before "returned to what it ran". */
export const notReturnedWords = ({ kind }: Pick<Failure, 'kind'>): string =>
  kind === changedSincePlan
    ? 'what someone else deployed was left as it is, so it was not wholly'
    : kind === restoreIncomplete
      ? 'it was not wholly'
      : kind.endsWith('-unknown')
        ? 'nobody knows whether it was'
        : 'it could NOT be';

/** `health`: what the last look says of it, or null where there was none. */
const summaryOf = (progress: MachineProgress, rebooted: boolean, health: string | null): string => {
  const { plan, status, failure, touched, current, skippedBy } = progress;
  switch (status) {
    case 'nothing': {
      if (health !== null) return `${plan.noActivationWhy}, ${health}`;
      // Nobody has looked at it: what is known not to be well is said at least.
      const units = plan.prior?.failedUnits ?? [];
      return units.length === 0
        ? plan.noActivationWhy
        : `${plan.noActivationWhy}, and is not well: units failed (${units.slice(0, unitsNamedMax).join(', ')}${units.length > unitsNamedMax ? ', …' : ''})`;
    }
    case 'done': {
      const acts = [
        ...(plan.activation === null
          ? []
          : [
              plan.activation.mode === 'boot' && !rebooted
                ? 'set for the next boot'
                : plan.activation.mode === 'dry-activate'
                  ? 'shown what activation would do'
                  : goesBack(plan)
                    ? 'went back'
                    : 'deployed',
            ]),
        ...(rebooted ? ['rebooted'] : []),
        ...(health === null ? [] : [health]),
      ];
      const later = !rebooted && plan.noRebootWhy.startsWith('lab runs on') ? `; ${plan.noRebootWhy}` : '';
      return `${acts.join(', ')}${later}`;
    }
    case 'failed':
      return `${failure?.phase ?? 'step'}: ${failure?.message ?? 'failed'}`;
    case 'restored':
      return `${failure?.phase ?? 'step'}: ${failure?.message ?? 'failed'}; returned to what it ran${skippedBy === null ? '' : `, and left behind by ${skippedBy}`}`;
    case 'skipped':
      return failure?.message ?? 'skipped';
    case 'waiting':
      return 'the run ended before its turn';
    case 'active':
      return touched
        ? `the run ended in the middle of it${current === null ? '' : ` (${current.kind} was not finished)`}`
        : 'the run ended before it was touched';
    default:
      return status satisfies never;
  }
};

/** What was passed in spite of what fails is not called healthy, nor is what fell over after its gate. */
const healthWords = (gate: StepRecord | undefined, atEnd: Seen | null): string | null => {
  if (atEnd !== null && atEnd.verdict !== 'well' && atEnd.verdict !== 'as-before')
    return `${seenWords[atEnd.verdict]} at the end: ${atEnd.why}`;
  const failing =
    atEnd?.failing ?? (gate?.outcome?.kind === 'succeeded' ? gate.outcome.facts.failing : undefined);
  if (atEnd === null && gate === undefined) return null;
  return failing === undefined || !isFailing(failing)
    ? 'healthy'
    : `no worse than before (failing: ${failingWords(failing)})`;
};

/** How the wait for a boot fails where the machine has come back otherwise than it should. */
const bootedOtherwise: ReadonlySet<string> = new Set<BootFailure>([
  'old-generation',
  'wrong-generation',
  'unknown-boot',
]);
const hasBooted = ({ step, outcome }: StepRecord): boolean =>
  step.kind === 'await-boot' &&
  (outcome?.kind === 'succeeded' ||
    (outcome?.kind === 'failed' && bootedOtherwise.has(outcome.failure.kind)));

const reportMachine = (state: RunState, progress: MachineProgress): MachineReport => {
  const { plan, status, failure, steps } = progress;
  const known = recordsOfMachine(state, plan.machine.name);
  const records = steps.map(({ id }) => recordIn(known, id)).filter((record) => record !== undefined);
  const rebooted = records.some(hasBooted);
  const gate = records.findLast((record) => record.step.kind === 'gate' && record.status === 'succeeded');
  const restored = plan.restore === null ? undefined : recordIn(known, plan.restore.id)?.outcome;
  const atEnd = seenAtEnd(state, plan.machine.name);
  return {
    machine: plan.machine.name,
    status,
    summary: summaryOf(progress, rebooted, healthWords(gate, atEnd)),
    from: plan.prior?.current ?? null,
    to: plan.wanted,
    rebooted,
    // A clock that was set back in the middle measures nothing.
    tookMs: records.reduce(
      (sum, { intendedAt, endedAt }) => sum + Math.max(0, (endedAt ?? intendedAt) - intendedAt),
      0,
    ),
    failure,
    warnings: records.flatMap(({ notes }) =>
      notes.flatMap(({ note, warning }) => (warning === true ? [note] : [])),
    ),
    atEnd,
    restoreFailure: restored?.kind === 'failed' || restored?.kind === 'unknown' ? restored.failure : null,
  };
};

/** A clock that was set in between measures nothing. */
const waitedMs = ({ plan, startedAt, approvedAt }: RunState, endedAt: number): number =>
  plan === null ? 0 : Math.min(endedAt - startedAt, Math.max(0, (approvedAt ?? endedAt) - plan.madeAt));

/** The account of a run: pure, from its journal alone. Null while it has not ended. */
export const reportOf = (state: RunState): RunReport | null => {
  if (state.ended === null) return null;
  const { ended, plan } = state;
  const owed = owedBy(state);
  const endedAt = Math.max(state.startedAt, ended.at);
  return {
    run: state.run,
    result: ended.result,
    reason: ended.reason,
    exitCode: exitCodeOfRun(ended.result, ended.failure),
    failure: ended.failure,
    next: nextOf(state, owed),
    startedAt: state.startedAt,
    endedAt,
    waitedMs: waitedMs(state, endedAt),
    machines: progressOfAll(state).map((progress) => reportMachine(state, progress)),
    leftOut: plan?.leftOut ?? [],
    owed,
    overrides: (plan?.overrides ?? []).map((override) => ({
      ...override,
      by: `${state.by.user} (${state.by.via})`,
    })),
  };
};
