import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { selectorArgument, withFlake } from '../options.ts';

export const registerDiff = (program: Command, cli: Cli): void => {
  withFlake(
    program
      .command('diff')
      .description('compare the packages that machines run with those that the flake wants'),
  )
    .argument(...selectorArgument)
    .option('--build', 'first build what the flake wants, where it is not built', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 all compared · 3 some not · 1 none\n\nExamples:\n  lab diff\n  lab diff grey-area --build\n  lab diff @backend --json\n',
    )
    .action(async (selectors: string[], options: { build: boolean }, command: Command) =>
      (await import('../deeds/diff.ts')).diff(cli, command, selectors, options),
    );
};
