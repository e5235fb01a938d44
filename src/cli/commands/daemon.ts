import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { selectorArgument, withFlakeAlone } from '../options.ts';

/** `lab daemon`: the schedule for places without systemd timers. One run at a time; a run that overlaps is left out. */
export const registerDaemon = (program: Command, cli: Cli): void => {
  withFlakeAlone(
    program
      .command('daemon')
      .description('stay and start `lab run --yes` by a cron expression (where there is no systemd timer)'),
  )
    .requiredOption('--cron <expression>', 'when, as in crontab: "0 4 * * 6" is Saturdays at four')
    .argument(...selectorArgument)
    .option('--no-update', 'leave flake.lock as it is')
    .addHelpText(
      'after',
      '\nEach run is reported as `lab run` would; Ctrl-C lets one under way end its step, then leaves.\nA time that was missed, because the machine was suspended for one, is made up for once.\n\nExamples:\n  lab daemon --cron "0 4 * * *" --flake /etc/nixos\n',
    )
    .action(async (selectors: string[], options: { cron: string; update: boolean }, command: Command) =>
      (await import('../deeds/daemon.ts')).daemon(cli, command, selectors, options),
    );
};
