import type { Command } from 'commander';
import cron from 'node-cron';
import { exitCodes } from '../../run/report.ts';
import { moment } from '../../text/words.ts';
import { atTimes } from '../at-times.ts';
import type { Cli } from '../lab.ts';
import { act } from './act.ts';

/** Later than this a run is told to be one that was missed. */
const missedAfterMs = 60_000;

export const daemon = async (
  cli: Cli,
  command: Command,
  selectors: readonly string[],
  options: { readonly cron: string; readonly update: boolean },
): Promise<void> => {
  if (!cron.validate(options.cron)) {
    command.error(
      `error: "${options.cron}" is no cron expression; five fields are expected, as in "0 4 * * 6"`,
    );
    return;
  }
  // It is asked for times alone: its own timers pass over one that they see a second late.
  const times = cron.createTask(options.cron, () => {});
  const next = (): number => times.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY;
  const begin = async (due: number): Promise<void> => {
    const late = cli.wall() - due > missedAfterMs;
    cli.out(
      `${moment(cli.wall())}  the schedule starts a run${late ? `: that of ${moment(due)} was missed` : ''}\n`,
    );
    const goal = { kind: 'run', update: options.update } as const;
    try {
      await act(cli, command, goal, selectors, { dryRun: false, yes: true, confirm: [], via: 'daemon' });
    } catch (error) {
      // A defect in one run is no reason to leave out all that come after it.
      cli.err(`lab: the run broke off: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
      cli.setExitCode(exitCodes.failed);
    }
  };
  const waiting = (): void => cli.out(`waiting; the next run is at ${moment(next())}\n`);
  waiting();
  await atTimes(
    {
      next,
      wall: cli.wall,
      sleep: (ms, signal) => cli.clock.sleep(ms, signal),
      begin: async (due) => {
        await begin(due);
        if (!cli.stop.aborted) waiting();
      },
    },
    cli.stop,
  );
  await times.destroy();
};
