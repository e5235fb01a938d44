import type { Command } from 'commander';
import type { Failure, Result } from '../../failure.ts';
import { fail, ok } from '../../failure.ts';
import { type Approval, conduct, hasWork } from '../../flow/conduct.ts';
import { type Prepared, prepare } from '../../flow/prepare.ts';
import type { Goal, Plan } from '../../plan/plan.ts';
import { exitCodeOfRun, reportOf } from '../../run/report.ts';
import type { Cli, Lab } from '../lab.ts';
import { done, printJson, printLines, usage, useLab } from '../options.ts';
import { discrepancyLines, lockLines, problemLines } from '../render.ts';
import { planLines } from '../render-plan.ts';
import { eventLine, reportLines } from '../render-run.ts';

/** The one way in which commands change machines: prepare, show the plan, ask, conduct, report. */

export type ActOptions = {
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** Names typed on the command line in place of being asked for them. */
  readonly confirm: readonly string[];
  readonly via: 'cli' | 'timer' | 'daemon';
};

/** Machines of critical level that a reboot goal would reboot: each name has to be typed. */
const toBeTyped = (plan: Plan): readonly string[] =>
  plan.goal.kind !== 'reboot'
    ? []
    : plan.machines
        .filter(
          ({ machine, reboot }) => reboot !== null && machine.orchestration.criticalityLevel === 'critical',
        )
        .map(({ machine }) => machine.name);

const showPrepared = (
  cli: Cli,
  { plan, evaluation, problems, lockChanges }: Prepared,
  updated: boolean,
): void =>
  printLines(cli, [
    ...(updated ? [...lockLines(lockChanges), ''] : []),
    ...problemLines(problems.filter(({ kind }) => kind !== 'not-evaluated')),
    ...discrepancyLines(evaluation),
    ...planLines(plan),
  ]);

const dryRun = async (
  cli: Cli,
  lab: Lab,
  goal: Goal,
  selectors: readonly string[],
  json: boolean,
): Promise<Result<void>> => {
  const prepared = await prepare(lab, { goal, selectors, dryRun: true }, () => {}, cli.stop);
  if (!prepared.ok) return prepared;
  if (json) printJson(cli, 'plan', { plan: prepared.value.plan, lockChanges: prepared.value.lockChanges });
  else {
    showPrepared(cli, prepared.value, goal.kind === 'run' && goal.update);
    printLines(cli, ['', 'Dry run: nothing was changed.']);
  }
  return done;
};

const approveByAnswer = async (cli: Cli, plan: Plan, options: ActOptions): Promise<Approval | null> => {
  for (const name of toBeTyped(plan).filter((typed) => !options.confirm.includes(typed))) {
    const answer = await cli.ask(`${name} is critical. Type its name to reboot it: `, cli.stop);
    if (answer?.trim() !== name) return null;
  }
  if (options.yes) return 'yes-flag';
  const answer = await cli.ask('Go ahead? [y/N] ', cli.stop);
  return answer !== null && /^(y|yes)$/iu.test(answer.trim()) ? 'answered' : null;
};

const consent = (cli: Cli, options: ActOptions): Result<void> =>
  options.yes || cli.interactive
    ? ok(undefined)
    : fail({
        kind: 'confirmation',
        machine: null,
        phase: 'confirm',
        message: 'this would change machines, and there is no terminal to ask on',
        remedy: 'look at it with --dry-run, then give --yes',
      });

/** Carries a goal out, or only shows it with `--dry-run`. Sets the exit code. */
export const act = async (
  cli: Cli,
  command: Command,
  goal: Goal,
  selectors: readonly string[],
  options: ActOptions,
): Promise<void> =>
  useLab(cli, command, async ({ lab, json }) => {
    if (options.dryRun) return dryRun(cli, lab, goal, selectors, json);
    const consented = consent(cli, options);
    if (!consented.ok) return consented;
    if (json && !options.yes)
      return usage('--json prints one document and cannot ask', 'give --yes as well, or --dry-run');
    const deps = lab.conductDeps(options.via);
    if (!deps.ok) return deps;
    let unconfirmed: Failure | null = null;
    const ran = await conduct(deps.value, {
      goal,
      selectors,
      stop: cli.stop,
      abort: cli.abort,
      onEvent: (event) => {
        const line = eventLine(event);
        if (line !== null && !json) cli.out(`${line}\n`);
      },
      approve: async (prepared) => {
        const { plan } = prepared;
        if (!json) showPrepared(cli, prepared, goal.kind === 'run' && goal.update);
        const missing = toBeTyped(plan).filter((name) => !options.confirm.includes(name));
        if (missing.length > 0 && !cli.interactive) {
          unconfirmed = {
            kind: 'confirmation',
            machine: missing[0] ?? null,
            phase: 'confirm',
            message: `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} critical: rebooting by hand needs the name`,
            remedy: `give ${missing.map((name) => `--confirm ${name}`).join(' ')}`,
          };
          return null;
        }
        return approveByAnswer(cli, plan, options);
      },
    });
    if (!ran.ok) return ran;
    if (unconfirmed !== null) return fail(unconfirmed);
    const state = ran.value;
    const report = reportOf(state);
    if (report === null) throw new TypeError('the run returned without an end');
    if (json) printJson(cli, 'report', { report });
    else {
      if (state.plan !== null && !hasWork(state.plan)) printLines(cli, ['', ...planLines(state.plan)]);
      printLines(cli, ['', ...reportLines(report)]);
    }
    cli.setExitCode(exitCodeOfRun(report.result, report.failure));
    return done;
  });

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

/** The options of every command that changes machines. */
export const withActing = (command: Command): Command =>
  command
    .option('--dry-run', 'show the plan and change nothing', false)
    .option('--yes', 'go ahead without asking', false);

export const withConfirm = (command: Command): Command =>
  command.option(
    '--confirm <name>',
    'confirm the reboot of this critical machine (repeatable)',
    collect,
    [] as readonly string[],
  );

export const exitCodeHelp =
  '\nExit codes: 0 done · 1 failed · 2 usage or configuration · 3 partial · 4 held, needs a person · 5 locked by another run · 130 interrupted\n';
