import type { Command } from 'commander';
import { moment } from '../../text/words.ts';
import { selectorArgument } from '../choose.ts';
import type { Cli } from '../lab.ts';
import { withFlake } from '../options.ts';

/** `lab daemon`: the schedule for places without systemd timers. One run at a time; a run that overlaps is left out. */
export const registerDaemon = (program: Command, cli: Cli): void => {
  withFlake(
    program
      .command('daemon')
      .description('stay and start `lab run --yes` by a cron expression (where there is no systemd timer)'),
  )
    .requiredOption('--cron <expression>', 'when, as in crontab: "0 4 * * 6" is Saturdays at four')
    .argument(...selectorArgument)
    .option('--no-update', 'leave flake.lock as it is')
    .addHelpText(
      'after',
      '\nEach run is reported as `lab run` would; Ctrl-C lets one under way end its step, then leaves.\n\nExamples:\n  lab daemon --cron "0 4 * * *" --flake /etc/nixos\n',
    )
    .action(async (selectors: string[], options: { cron: string; update: boolean }, command: Command) => {
      const [cron, { act }] = await Promise.all([import('node-cron'), import('./act.ts')]);
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
    });
};
