import type { Command } from 'commander';
import { ok, type Result } from '../../failure.ts';
import { canResume } from '../../flow/conduct.ts';
import { openRun, type Runs } from '../../flow/runs.ts';
import type { ControlKind } from '../../journal/journal.ts';
import { type RunState, replay } from '../../run/state.ts';
import type { Cli } from '../lab.ts';
import { done, printLines, usage, useRuns } from '../options.ts';
import { watchRun } from './act.ts';

/** Commands about a run that is already there: attach, stop, abort, pause, resume. */

const runArgument = ['[run]', 'id of the run (default: the one that has not ended)'] as const;

const chosenRun = (runs: Runs, id: string | undefined): Result<RunState> => {
  const state = id === undefined ? openRun(runs) : replay(runs.journal.eventsOf(id));
  if (state !== null) return ok(state);
  return id === undefined
    ? usage('no run is under way', '`lab journal --runs` lists past ones')
    : usage(`no run "${id.slice(0, 40)}" is recorded`, '`lab journal --runs` lists them');
};

const runThatLives = (runs: Runs, id: string | undefined): Result<RunState> => {
  const chosen = chosenRun(runs, id);
  if (!chosen.ok) return chosen;
  const { run, ended } = chosen.value;
  if (ended !== null)
    return usage(`run ${run} has ended (${ended.result})`, '`lab journal --report` tells of it');
  return runs.isAlive(chosen.value)
    ? chosen
    : usage(
        `the process of run ${run} is gone`,
        `\`lab resume ${run}\` looks at every machine and goes on from there`,
      );
};

export const registerAttach = (program: Command, cli: Cli): void => {
  program
    .command('attach')
    .description('watch a run that was started elsewhere: by the timer, the screen or another terminal')
    .argument(...runArgument)
    .addHelpText(
      'after',
      '\nCtrl-C asks the run to stop after the step under way; closing the terminal only ends the watching.\nExit code: that of the run.\n\nExamples:\n  lab attach\n',
    )
    .action(async (id: string | undefined) =>
      useRuns(cli, async (runs) => {
        const chosen = runThatLives(runs, id);
        return chosen.ok ? watchRun(cli, runs, chosen.value.run, false, null) : chosen;
      }),
    );
};

const registerControl = (
  program: Command,
  cli: Cli,
  control: {
    readonly name: string;
    readonly kind: ControlKind;
    readonly description: string;
    readonly says: string;
  },
): void => {
  program
    .command(control.name)
    .description(control.description)
    .argument(...runArgument)
    .addHelpText('after', `\nExamples:\n  lab ${control.name}\n`)
    .action(async (id: string | undefined) =>
      useRuns(cli, async (runs) => {
        const chosen = runThatLives(runs, id);
        if (!chosen.ok) return chosen;
        runs.journal.ask(chosen.value.run, control.kind, runs.who);
        printLines(cli, [`run ${chosen.value.run}: ${control.says}`]);
        return done;
      }),
    );
};

export const registerStop = (program: Command, cli: Cli): void => {
  registerControl(program, cli, {
    name: 'stop',
    kind: 'stop',
    description: 'end a run after the steps under way',
    says: 'asked to stop; the steps under way end first (`lab attach` shows it)',
  });
  registerControl(program, cli, {
    name: 'abort',
    kind: 'abort',
    description: 'end a run at once, in the middle of its steps; prefer `lab stop`',
    says: 'asked to stop at once; what was under way stays unknown (`lab resume` looks at it)',
  });
  registerControl(program, cli, {
    name: 'pause',
    kind: 'pause',
    description: 'let a run begin no further step until `lab resume`',
    says: 'asked to pause after the steps under way',
  });
};

export const registerResume = (program: Command, cli: Cli): void => {
  program
    .command('resume')
    .description('go on with a run that is paused, was interrupted, or whose process died')
    .argument(...runArgument)
    .addHelpText(
      'after',
      '\nSteps that were under way are looked at anew before anything is done.\nExit code: that of the run.\n\nExamples:\n  lab resume\n  lab resume 20261120-234101-3fa9\n',
    )
    .action(async (id: string | undefined) =>
      useRuns(cli, async (runs) => {
        const latest = runs.journal.runs(1)[0]?.run;
        const chosen = chosenRun(runs, id ?? latest);
        if (!chosen.ok) return chosen;
        const state = chosen.value;
        if (state.ended === null && runs.isAlive(state)) {
          if (state.pausedBy === null)
            return usage(`run ${state.run} is under way and not paused`, '`lab attach` shows it');
          runs.journal.ask(state.run, 'unpause', runs.who);
          printLines(cli, [`run ${state.run}: asked to go on`]);
          return done;
        }
        if (!canResume(state))
          return usage(
            `run ${state.run} has ended (${state.ended?.result}): there is nothing to resume`,
            '`lab run` plans for what the machines run now',
          );
        const resumed = await runs.resume(state.run);
        return resumed.ok ? watchRun(cli, runs, state.run, false, null) : resumed;
      }),
    );
};
