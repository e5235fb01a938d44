import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { selectorArgument, withFlake } from '../options.ts';

export const registerCheck = (program: Command, cli: Cli): void => {
  withFlake(
    program
      .command('check')
      .description(
        'find everything wrong with the fleet: cycles, missing dependencies, duplicates, failed assertions',
      ),
  )
    .argument(...selectorArgument)
    .option(
      '--quick',
      'leave out the evaluation of every toplevel (failed assertions show only there)',
      false,
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing wrong · 2 something is\n\nExamples:\n  lab check\n  lab check --quick\n',
    )
    .action(async (selectors: string[], options: { quick: boolean }, command: Command) =>
      (await import('../deeds/check.ts')).check(cli, command, selectors, options),
    );
};
