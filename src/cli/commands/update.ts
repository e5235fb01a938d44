import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { withFlake } from '../options.ts';

export const registerUpdate = (program: Command, cli: Cli): void => {
  withFlake(
    program.command('update').description('update flake.lock and show what moved; touches no machine'),
  )
    .argument('[inputs...]', 'inputs to update (default: all)')
    .option('--dry-run', 'show what would move and leave flake.lock as it is', false)
    .addHelpText(
      'after',
      '\nThe journal keeps what was moved. While a run is under way flake.lock stays as it is (exit 5).\n\nExamples:\n  lab update --dry-run\n  lab update nixpkgs\n',
    )
    .action(async (inputs: string[], options: { dryRun: boolean }, command: Command) =>
      (await import('../deeds/update.ts')).update(cli, command, inputs, options),
    );
};
