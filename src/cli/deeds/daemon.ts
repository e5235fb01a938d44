import type { Command } from 'commander';
import cron from 'node-cron';
import { moment } from '../../text/words.ts';
import type { Cli } from '../lab.ts';
import { act } from './act.ts';

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
  const task = cron.schedule(
    options.cron,
    async () => {
      cli.out(`${moment(cli.clock.now())}  the schedule starts a run\n`);
      await act(cli, command, { kind: 'run', update: options.update }, selectors, {
        dryRun: false,
        yes: true,
        confirm: [],
        via: 'daemon',
      });
    },
    { noOverlap: true },
  );
  const next = task.getNextRun();
  cli.out(`waiting${next === null ? '' : `; the next run is at ${moment(next.getTime())}`}\n`);
  await new Promise<void>((resolve) => {
    if (cli.stop.aborted) resolve();
    else cli.stop.addEventListener('abort', () => resolve(), { once: true });
  });
  await task.destroy();
};
