import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { selectorArgument, withFlake } from '../options.ts';

export const registerStatus = (program: Command, cli: Cli): void => {
  withFlake(
    program
      .command('status')
      .description(
        'look at every machine: what it runs, since when, whether it needs a reboot, and what it is owed',
      ),
  )
    .argument(...selectorArgument)
    .option('--wanted', 'also evaluate what the flake wants, and compare', false)
    .addHelpText(
      'after',
      '\nUnder DRIFT: `as it booted` compares the machine with itself, `in sync with the flake` also with what the flake wants (--wanted).\n\nExit codes: 0 all seen · 3 some not reachable · 1 none reachable\n\nExamples:\n  lab status\n  lab status @infrastructure --wanted\n',
    )
    .action(async (selectors: string[], options: { wanted: boolean }, command: Command) =>
      (await import('../deeds/status.ts')).status(cli, command, selectors, options),
    );
};
