import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { done, printJson, printLines, useLab, withFlake } from '../options.ts';
import { lockLines } from '../render.ts';

export const registerUpdate = (program: Command, cli: Cli): void => {
  withFlake(
    program.command('update').description('update flake.lock and show what moved; touches no machine'),
  )
    .argument('[inputs...]', 'inputs to update (default: all)')
    .option('--dry-run', 'show what would move and leave flake.lock as it is', false)
    .addHelpText('after', '\nExamples:\n  lab update --dry-run\n  lab update nixpkgs\n')
    .action(async (inputs: string[], options: { dryRun: boolean }, command: Command) =>
      useLab(cli, command, async ({ lab, json }) => {
        const asked = { signal: cli.stop };
        const moved = options.dryRun
          ? await lab.nix.previewUpdate(inputs, asked)
          : await lab.nix.update(inputs, asked);
        if (!moved.ok) return moved;
        const changes = 'changes' in moved.value ? moved.value.changes : moved.value;
        if (json) printJson(cli, 'update', { flake: lab.flake, dryRun: options.dryRun, changes });
        else
          printLines(cli, [
            ...lockLines(changes),
            ...(options.dryRun && changes.length > 0 ? ['Dry run: flake.lock was not changed.'] : []),
          ]);
        return done;
      }),
    );
};
