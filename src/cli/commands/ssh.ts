import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { withFlakeAlone } from '../options.ts';

export const registerSsh = (program: Command, cli: Cli): void => {
  withFlakeAlone(
    program
      .command('ssh')
      .description('open a shell on a machine, or run a command there, with its lab settings'),
  )
    .argument('<machine>', 'one machine')
    .argument('[command...]', 'command to run there, after --')
    .addHelpText(
      'after',
      '\nExit code: that of ssh.\n\nExamples:\n  lab ssh grey-area\n  lab ssh sleeper-service -- zpool status\n',
    )
    .action(async (name: string, words: string[], _options, command: Command) =>
      (await import('../deeds/ssh.ts')).ssh(cli, command, name, words),
    );
};
