import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { selectorArgument, withFlake } from '../options.ts';

export const registerRebootSequence = (program: Command, cli: Cli): void => {
  withFlake(
    program
      .command('reboot-sequence')
      .alias('get-reboot-sequence')
      .description('print the order in which machines reboot, with their delays'),
  )
    .argument(...selectorArgument)
    .option('--format <how>', '"prose", or "lines" for machine:delay', 'prose')
    .addHelpText(
      'after',
      '\nExamples:\n  lab reboot-sequence\n  lab reboot-sequence --format lines\n  lab get-reboot-sequence --json\n',
    )
    .action(async (selectors: string[], options: { format: string }, command: Command) =>
      (await import('../deeds/reboot-sequence.ts')).rebootSequence(cli, command, selectors, options),
    );
};
