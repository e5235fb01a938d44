import { ok, type Result } from '../../failure.ts';
import { latestRun } from '../../flow/latest-run.ts';
import { canResume } from '../../flow/resume.ts';
import { openRun, type Runs } from '../../flow/runs.ts';
import type { ControlKind } from '../../journal/journal.ts';
import { goesOnAfterOwnBoot } from '../../run/progress.ts';
import { type RunState, replay } from '../../run/state.ts';
import type { Cli } from '../lab.ts';
import { openedAs } from '../opened-as.ts';
import { answerOnTerminal, watchRun } from './act.ts';
import { done, printLines, usage, useRuns } from './with-lab.ts';

/** attach, stop, abort, pause, resume: commands about a run that is already there. */

export const chosenRun = (runs: Runs, id: string | undefined): Result<RunState> => {
  const state = id === undefined ? openRun(runs) : replay(runs.journal.eventsOf(id));
  if (state !== null) return ok(state);
  return id === undefined
    ? usage('no run is under way', '`lab journal --runs` lists past ones')
    : usage(`no run "${id.slice(0, 40)}" is recorded`, '`lab journal --runs` lists them');
};

const because = (runs: Runs, run: string): string => {
  const why = runs.whyDied(run);
  return why === null ? '' : `: ${why.message}`;
};

export const runThatLives = (runs: Runs, id: string | undefined): Result<RunState> => {
  const chosen = chosenRun(runs, id);
  if (!chosen.ok) return chosen;
  const { run, ended } = chosen.value;
  if (ended !== null)
    return usage(`run ${run} has ended (${ended.result})`, '`lab journal --report` tells of it');
  return runs.isAlive(chosen.value)
    ? chosen
    : usage(
        `the process of run ${run} is gone${because(runs, run)}`,
        `\`lab resume ${run}\` looks at every machine and goes on from there`,
      );
};

/** Watches a run that was started elsewhere. */
export const attachTo = (cli: Cli, id: string | undefined): Promise<void> =>
  useRuns(cli, async (runs) => {
    const chosen = runThatLives(runs, id);
    if (!chosen.ok) return chosen;
    if (chosen.value.plan !== null && chosen.value.approvedAt === null && !cli.interactive)
      cli.err(
        'lab: its plan waits for an answer: `lab attach` on a terminal gives it, `lab stop` declines it\n',
      );
    return watchRun(cli, runs, chosen.value.run, false, cli.interactive ? answerOnTerminal(cli) : null);
  });

/** Asks something of a run; `says` tells what that means. */
export const ask = (cli: Cli, id: string | undefined, kind: ControlKind, says: string): Promise<void> =>
  useRuns(cli, async (runs) => {
    const chosen = runThatLives(runs, id);
    if (!chosen.ok) return chosen;
    runs.journal.ask(chosen.value.run, kind, runs.who);
    printLines(cli, [`run ${chosen.value.run}: ${says}`]);
    return done;
  });

/** Goes on with a run that is paused, was interrupted, or whose process died. */
export const resume = (cli: Cli, id: string | undefined): Promise<void> =>
  useRuns(cli, async (runs) => {
    const chosen = chosenRun(runs, id ?? latestRun(runs.journal) ?? undefined);
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
  });

/** Executes a run in this process: a unit tells its main process alone to stop, and kills all others with it. */
const resumeHere = async (cli: Cli, state: RunState): Promise<Result<void>> => {
  const lab = await cli.openLab(openedAs(state), state.opened.cwd);
  if (!lab.ok) return lab;
  try {
    const runs = lab.value.runs('timer');
    if (!runs.ok) return runs;
    const resumed = await runs.value.resume(state.run);
    return resumed.ok ? await watchRun(cli, runs.value, state.run, false, null) : resumed;
  } finally {
    await lab.value.close();
  }
};

/** For a unit at boot: takes up the run that rebooted this very machine, and nothing else. */
export const resumeAtBoot = (cli: Cli): Promise<void> =>
  useRuns(cli, async (runs) => {
    const state = openRun(runs);
    if (state === null || runs.isAlive(state) || !goesOnAfterOwnBoot(state)) {
      printLines(cli, ['no run waits for the boot of this machine']);
      if (state !== null && !runs.isAlive(state))
        printLines(cli, [
          `run ${state.run} was left unfinished before it came to that: \`lab resume\` goes on with it`,
        ]);
      return done;
    }
    return resumeHere(cli, state);
  });
