import type { Command } from 'commander';
import { type Failure, fail, type Result } from '../../failure.ts';
import { comparePlan, type PlanPackages } from '../../flow/compare-plan.ts';
import { hasWork } from '../../flow/conduct.ts';
import { criticalReboots } from '../../flow/critical-reboots.ts';
import { prepare } from '../../flow/prepare.ts';
import { type Runs, watch } from '../../flow/runs.ts';
import { type Override, parseOverrides } from '../../plan/override.ts';
import { type Goal, isByHand, type Plan, type RunGoal } from '../../plan/plan.ts';
import type { LockChange } from '../../ports.ts';
import type { RunEvent, RunId } from '../../run/event.ts';
import { awaitsOwnBoot } from '../../run/progress.ts';
import { exitCodeOfRun, exitCodes, reportOf } from '../../run/report.ts';
import type { RunState } from '../../run/state.ts';
import { sanitiseLine } from '../../text/sanitise.ts';
import type { Cli, Lab, Via } from '../lab.ts';
import { failureLines, lockLines } from '../render.ts';
import { planLines } from '../render-plan.ts';
import { eventLine, reportLines } from '../render-run.ts';
import { agreesToClose } from './in-its-place.ts';
import { done, failureOfJournal, printJson, printLines, usage, useLab } from './with-lab.ts';

/** The one way in which commands change machines: prepare, show the plan, ask, watch, report. */

export type ActOptions = {
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** Critical machines named on the command line, in place of being asked for them. */
  readonly confirm: readonly string[];
  /** Blockers to go ahead in spite of, as given: `inhibited`, `nas:users-logged-in`. */
  readonly override?: readonly string[];
  readonly via: Via;
};

/** Asks for the answer to a plan that somebody else's run waits with. */
export const answerOnTerminal = (cli: Cli): Answering => ({
  answer: (plan, withdrawn) =>
    approve(cli, plan, { dryRun: false, yes: false, confirm: [], via: 'cli' }, withdrawn),
});

const updates = (goal: RunGoal): boolean => goal.kind === 'run' && goal.update;

const dryRun = async (
  cli: Cli,
  lab: Lab,
  goal: Goal,
  selectors: readonly string[],
  overrides: readonly Override[],
  json: boolean,
): Promise<Result<void>> => {
  const remarks: string[] = [];
  const prepared = await prepare(
    lab,
    { goal, selectors, dryRun: true, overrides },
    (body) => {
      if (body.kind === 'plan-made') remarks.push(...body.remarks);
    },
    cli.stop,
  );
  if (!prepared.ok) return prepared;
  const { plan, lockChanges, lockRemark } = prepared.value;
  const missing =
    plan.machines.filter(({ decision }) => decision.kind === 'skip').length + plan.leftOut.length;
  const total = plan.machines.length + plan.leftOut.length;
  if (missing > 0) cli.setExitCode(missing < total ? exitCodes.partial : exitCodes.failed);
  if (json) printJson(cli, 'plan', { plan, lockChanges, lockRemark, remarks });
  else
    printLines(cli, [
      ...(updates(goal) ? [...lockLines(lockChanges, lockRemark), ...unmovedLines(lockChanges), ''] : []),
      ...remarkLines(remarks),
      ...planLines(plan, await comparePlan(lab, plan, cli.stop)),
      '',
      'Dry run: nothing was changed.',
    ]);
  return done;
};

/** A dry run evaluates what is there: nothing of what an update would bring is in its plan. */
const unmovedLines = (changes: readonly LockChange[]): readonly string[] =>
  changes.length === 0
    ? []
    : [
        '  The plan below is of flake.lock as it is; `lab run` moves it first, and then shows what that changes.',
      ];

const remarkLines = (remarks: readonly string[]): readonly string[] =>
  remarks.map((remark) => `! ${sanitiseLine(remark)}`);

const approve = async (
  cli: Cli,
  plan: Plan,
  options: ActOptions,
  withdrawn: AbortSignal,
): Promise<boolean> => {
  const unasked = AbortSignal.any([cli.stop, withdrawn]);
  for (const name of criticalReboots(plan).filter((critical) => !options.confirm.includes(critical))) {
    const answer = await cli.ask(`${name} is critical. Type its name to reboot it: `, unasked);
    if (answer?.trim() !== name) return false;
  }
  if (options.yes) return true;
  const answer = await cli.ask('Go ahead? [y/N] ', unasked);
  return answer !== null && /^(y|yes)$/iu.test(answer.trim());
};

/** Hands what this process is told (Ctrl-C, and once more) on to the run, wherever it is executed. */
const steerBySignals = (cli: Cli, runs: Runs, run: RunId): (() => void) => {
  const ask = (kind: 'stop' | 'abort'): void => {
    try {
      runs.journal.ask(run, kind, runs.who);
    } catch (error) {
      // Thrown here, in a listener, it would end this process, and with it a run that it hosts.
      cli.err(`${failureLines(failureOfJournal(error)).join('\n')}\n`);
    }
  };
  const stop = (): void => {
    // SIGTERM ends a watcher, not what it watches.
    if (!runs.detached || !cli.hangup.aborted) ask('stop');
  };
  const abort = (): void => ask('abort');
  // Told while the process of the run was being started.
  for (const [told, act] of [[cli.stop, stop] as const, [cli.abort, abort] as const])
    if (told.aborted) act();
    else told.addEventListener('abort', act, { once: true });
  return () => {
    cli.stop.removeEventListener('abort', stop);
    cli.abort.removeEventListener('abort', abort);
  };
};

/** Why the update of a run moved nothing, in its own words; null where it moved something or was none. */
const unmovedNote = ({ lock, preparations }: RunState): string | null =>
  lock === null ? (preparations.find(({ work }) => work === 'update')?.note ?? null) : null;

/** Answers for the plan of a run, and reads what is worth knowing for it. */
type Answering = {
  readonly packages?: (plan: Plan) => Promise<PlanPackages>;
  readonly answer: (plan: Plan, withdrawn: AbortSignal) => Promise<boolean>;
};

/** Watches a run to its end, answers for its plan where somebody does, prints what happens, and sets the exit code. */
export const watchRun = async (
  cli: Cli,
  runs: Runs,
  run: RunId,
  json: boolean,
  answering: Answering | null,
): Promise<Result<void>> => {
  let latest: RunState | null = null;
  /** The answer could not be written down: nobody will hear it, so nobody is waited for. */
  const unheard = new AbortController();
  /** The plan has its answer from elsewhere, or nobody waits for one any more. */
  const withdrawn = new AbortController();
  let answered: Promise<Failure | null> = Promise.resolve(null);
  const onPlan = (plan: Plan, state: RunState, packages?: PlanPackages): void => {
    if (!json)
      printLines(cli, [
        ...(updates(state.goal) ? [...lockLines(state.lock?.changes ?? [], unmovedNote(state)), ''] : []),
        ...remarkLines(state.remarks),
        ...planLines(plan, packages),
      ]);
    if (answering === null || !hasWork(plan)) return;
    answered = Promise.resolve()
      .then(async () => {
        // The plan of an older event may have its answer already, and so may one whose packages took their time.
        const since = runs.journal.eventsOf(run, state.lastSeq).map(({ body }) => body.kind);
        if (since.includes('approved') || since.includes('run-ended')) return null;
        const yes = await answering.answer(plan, withdrawn.signal);
        if (withdrawn.signal.aborted) return null;
        runs.journal.ask(run, yes ? 'approve' : 'decline', runs.who);
        return null;
      })
      .catch((error: unknown) => {
        const failure = failureOfJournal(error);
        unheard.abort();
        return failure;
      });
  };
  const onEvent = (event: RunEvent, state: RunState): Promise<void> | void => {
    latest = state;
    const { body } = event;
    if (!json) cli.out(`${eventLine(event)}\n`);
    if (body.kind === 'plan-made') {
      if (answering?.packages !== undefined && !json)
        return answering.packages(body.plan).then((packages) => onPlan(body.plan, state, packages));
      onPlan(body.plan, state);
    }
    if (body.kind === 'approved' || body.kind === 'run-ended') withdrawn.abort();
  };
  const release = steerBySignals(cli, runs, run);
  const leave = runs.detached ? AbortSignal.any([cli.hangup, unheard.signal]) : unheard.signal;
  const how = await watch(runs, run, onEvent, leave).finally(release);
  withdrawn.abort();
  const unanswered = await answered;
  if (unanswered !== null) return fail(unanswered);
  const state = latest as RunState | null;
  if (how === 'left') {
    cli.setExitCode(exitCodes.interrupted);
    return done;
  }
  const report = state === null ? null : reportOf(state);
  if (state !== null && how === 'died' && awaitsOwnBoot(state)) {
    if (!json) printLines(cli, ['', `Run ${run} goes on after this machine has booted.`]);
    return done;
  }
  if (how === 'died' || report === null) {
    return fail(
      runs.whyDied(run) ?? {
        kind: 'died',
        machine: null,
        phase: 'run',
        message: `the process of run ${run} died before it could end`,
        remedy: `\`lab resume ${run}\` looks at every machine and goes on from there`,
      },
    );
  }
  if (json) printJson(cli, 'report', { run, report });
  else printLines(cli, ['', ...reportLines(report)]);
  cli.setExitCode(exitCodeOfRun(report.result, report.failure));
  return done;
};

/** Carries a goal out, or only shows it with `--dry-run`. Sets the exit code. */
export const act = async (
  cli: Cli,
  command: Command,
  goal: Goal,
  selectors: readonly string[],
  options: ActOptions,
): Promise<void> =>
  useLab(cli, command, async ({ lab, json }) => {
    if (goal.kind === 'run' && goal.catchUp === true) {
      const past = lab.past();
      if (!past.ok) return past;
      if (past.value.debts.size === 0) {
        if (json) printJson(cli, 'owed', { owed: [] });
        else printLines(cli, ['Nothing is owed to any machine of this flake.']);
        return done;
      }
    }
    const overrides = parseOverrides(options.override ?? []);
    if (!overrides.ok) return overrides;
    if (options.dryRun) return dryRun(cli, lab, goal, selectors, overrides.value, json);
    if (!options.yes && !cli.interactive)
      return fail({
        kind: 'confirmation',
        machine: null,
        phase: 'confirm',
        message: 'this would change machines, and there is no terminal to ask on',
        remedy: 'look at it with --dry-run, then give --yes',
      });
    if (json && !options.yes)
      return usage('--json prints one document and cannot ask', 'give --yes as well, or --dry-run');
    if (goal.kind === 'rollback' && goal.to.kind === 'run') {
      // Before a run begins: it would close one that was left unfinished, for a slip of the pen.
      const undone = lab.earlier.runOf(goal.to.run);
      if (!undone.ok) return undone;
    }
    const runs = lab.runs(options.via);
    if (!runs.ok) return runs;
    const { yes, confirm } = options;
    const asked = { goal, selectors, overrides: overrides.value, yes, confirm };
    const agreed = await agreesToClose(cli, lab, runs.value, asked);
    if (!agreed.ok) return agreed;
    const { lines, confirmed } = agreed.value;
    // Given beforehand, the consent does not depend on anybody watching; a critical name may still have to be typed.
    const given = options.yes && (!isByHand(goal) || !cli.interactive);
    const started = await runs.value.start({
      goal,
      selectors,
      consent: given ? { kind: 'given', confirmed } : { kind: 'ask' },
      ...(overrides.value.length === 0 ? {} : { overrides: overrides.value }),
    });
    if (!started.ok) return started;
    if (!json) printLines(cli, lines);
    return watchRun(
      cli,
      runs.value,
      started.value,
      json,
      given
        ? null
        : {
            answer: (plan, withdrawn) => approve(cli, plan, { ...options, confirm: confirmed }, withdrawn),
            packages: (plan) => comparePlan(lab, plan, AbortSignal.any([cli.stop, cli.hangup])),
          },
    );
  });
