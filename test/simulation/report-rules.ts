import type { Plan } from '../../src/plan/plan.ts';
import { progressOf } from '../../src/run/progress.ts';
import { recordOfKind, recordOfStep } from '../../src/run/records.ts';
import { type MachineReport, type RunReport, reportOf } from '../../src/run/report.ts';
import type { RunState } from '../../src/run/state.ts';
import type { World } from '../../src/sim/world.ts';
import { isBelieved } from './known.ts';

/** What must hold of the account of a run: it says what became of the machines in truth, no more and no less. */

const exitCodes = {
  done: [0],
  partial: [3],
  held: [4],
  // 5: somebody else holds the machines.
  failed: [1, 5],
  interrupted: [130],
  declined: [],
  expired: [],
} as const satisfies Record<RunReport['result'], readonly number[]>;

/** Failures of a wait for a boot in which nobody has seen the machine since. */
const unseen: ReadonlySet<string> = new Set(['never-came-back', 'boot-unseen', 'hostkey-changed']);

const wrongReboot = (world: World, state: RunState, { machine, rebooted }: MachineReport): string | null => {
  const truth = world.look(machine);
  if (rebooted && truth.boots === 0 && !isBelieved({ state, world }, machine))
    return `the report says that ${machine} was rebooted, and it never booted`;
  const triggered = world.effects.findLast(
    (effect) => effect.kind === 'reboot' && effect.machine === machine,
  );
  const awaited = recordOfKind(state, machine, 'await-boot');
  const failure = awaited?.outcome?.kind === 'failed' ? awaited.outcome.failure.kind : '';
  const cameBack =
    triggered !== undefined &&
    awaited?.outcome != null &&
    truth.bootedAt > triggered.at &&
    truth.bootedAt <= (awaited.endedAt ?? 0) &&
    !unseen.has(failure);
  return cameBack && !rebooted ? `the report says that ${machine} was not rebooted, and it was` : null;
};

const wrongMachine = (state: RunState, report: MachineReport): string | null => {
  const { machine, status, summary, atEnd, tookMs, failure, restoreFailure } = report;
  const says = (what: string): string => `the report says of ${machine} (${status}): ${summary}; ${what}`;
  const entry = state.plan?.machines.find((each) => each.machine.name === machine);
  if (report.from !== (entry?.prior?.current ?? null) || report.to !== (entry?.wanted ?? null))
    return says('what it came from, or was to come to, is something else');
  if (!(tookMs >= 0)) return says(`and that it took ${tookMs} ms`);
  if (/(?:^|, )healthy(?:$|;)/u.test(summary) && atEnd !== null && atEnd.verdict !== 'well')
    return says(`and it was seen to be ${atEnd.verdict}`);
  const doubtful = atEnd?.verdict === 'worse' || atEnd?.verdict === 'unknown';
  if ((status === 'done' || status === 'nothing') && doubtful && !summary.includes('not'))
    return says('and it is not known to be well');
  if ((status === 'failed' || status === 'restored' || status === 'skipped') && failure === null)
    return says('and not why');
  const back = recordOfKind(state, machine, 'restore')?.outcome;
  const notBack = back?.kind === 'failed' || back?.kind === 'unknown';
  return notBack === (restoreFailure === null) ? says('and not what came of its way back') : null;
};

/** What is left to a later run: all that was away, and nothing that was not left alone. */
const wrongDebt = (plan: Plan, world: World, state: RunState, { owed }: RunReport): string | null => {
  const { goal } = plan;
  const trial = goal.kind === 'deploy' && (goal.mode === 'test' || goal.mode === 'dry-activate');
  for (const entry of plan.machines) {
    const { name } = entry.machine;
    const { status, current } = progressOf(state, entry);
    const isOwed = owed.some(({ machine }) => machine === name);
    if (isOwed && status !== 'skipped') return `${name} (${status}) is left to a later run`;
    if (isOwed && (trial || goal.kind === 'rollback')) return `nobody waits for ${name} later`;
    const outcome = current === null ? undefined : recordOfStep(state, current)?.outcome;
    const away =
      entry.decision.kind === 'skip'
        ? entry.decision.reason === 'unreachable'
        : outcome?.kind === 'skipped' && outcome.reason === 'unreachable';
    const untouched = !world.effects.some(({ machine }) => machine === name);
    if (status === 'skipped' && away && untouched && !isOwed && !trial && goal.kind !== 'rollback')
      return `${name} was away, and nothing is left to a later run`;
  }
  return null;
};

/** The end has a reason, and it names those that it is about. */
const wrongReason = (plan: Plan, state: RunState, report: RunReport): string | null => {
  const { result, reason, failure } = report;
  if (reason.trim() === '') return `the run says ${result}, and not why`;
  const short = plan.machines
    .map((entry) => progressOf(state, entry))
    .filter(({ status }) => status === 'failed' || status === 'restored' || status === 'skipped')
    .map((progress) => progress.plan.machine.name);
  const missing = short.filter((name) => !reason.includes(name));
  if ((result === 'partial' || result === 'failed') && missing.length > 0)
    return `the run says ${result}, and nothing of ${missing.join(', ')}`;
  if (result !== 'held') return null;
  return failure?.machine != null && short.includes(failure.machine) && reason.startsWith(failure.machine)
    ? null
    : 'the run holds, and does not say because of whom';
};

/** Why the account of an ended run is not true, or null. */
export const wrongReport = (plan: Plan, world: World, state: RunState): string | null => {
  const report = reportOf(state);
  if (report === null) return 'a run that has ended has no report';
  const codes: readonly number[] = exitCodes[report.result];
  if (!codes.includes(report.exitCode))
    return `the run says ${report.result} with exit code ${report.exitCode}`;
  const names = plan.machines.map(({ machine }) => machine.name);
  if (names.join(' ') !== report.machines.map(({ machine }) => machine).join(' '))
    return 'the report leaves machines out';
  for (const machine of report.machines) {
    const wrong = wrongReboot(world, state, machine) ?? wrongMachine(state, machine);
    if (wrong !== null) return wrong;
  }
  return wrongReason(plan, state, report) ?? wrongDebt(plan, world, state, report);
};
