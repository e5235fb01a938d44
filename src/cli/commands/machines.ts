import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { selectorArgument, withFlake } from '../options.ts';

export const registerMachines = (program: Command, cli: Cli): void => {
  withFlake(program.command('machines').description('list the machines of the flake'))
    .argument(...selectorArgument)
    .addHelpText('after', "\nExamples:\n  lab machines\n  lab machines @backend '!laptop' --json\n")
    .action(async (selectors: string[], _options, command: Command) =>
      (await import('../deeds/machines.ts')).machines(cli, command, selectors),
    );
};
