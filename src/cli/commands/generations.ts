import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { selectorArgument, withFlake } from '../options.ts';

export const registerGenerations = (program: Command, cli: Cli): void => {
  withFlake(
    program
      .command('generations')
      .description('list the generations a machine can be returned to, the newest first'),
  )
    .argument('<selectors...>', selectorArgument[1].replace(' (default: all)', ''))
    .addHelpText(
      'after',
      '\n`lab rollback MACHINE --to NUMBER` returns it to one of them.\n\nExit codes: 0 all read · 3 some not reachable · 1 none reachable\n\nExamples:\n  lab generations grey-area\n  lab generations @backend --json\n',
    )
    .action(async (selectors: string[], _options, command: Command) =>
      (await import('../deeds/generations.ts')).generations(cli, command, selectors),
    );
};
