import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { selectorArgument, withFlake } from '../options.ts';

export const registerHealth = (program: Command, cli: Cli): void => {
  withFlake(program.command('health').description('run the health checks of every machine now'))
    .argument(...selectorArgument)
    .addHelpText(
      'after',
      '\nExit codes: 0 all healthy · 3 some not · 1 none\n\nExamples:\n  lab health\n  lab health grey-area --json\n',
    )
    .action(async (selectors: string[], _options, command: Command) =>
      (await import('../deeds/health.ts')).health(cli, command, selectors),
    );
};
