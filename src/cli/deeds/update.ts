import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { lockLines } from '../render.ts';
import { done, printJson, printLines, useLab } from './with-lab.ts';

export const update = async (
  cli: Cli,
  command: Command,
  inputs: readonly string[],
  options: { readonly dryRun: boolean },
): Promise<void> =>
  useLab(cli, command, async ({ lab, json }) => {
    const moved = options.dryRun
      ? await lab.nix.proposeUpdate(inputs, { signal: cli.stop })
      : await lab.updateLock(inputs, { via: 'cli', signal: cli.stop });
    if (!moved.ok) return moved;
    const { changes, notAsked, remark } = moved.value;
    if (json)
      printJson(cli, 'update', { flake: lab.flake, dryRun: options.dryRun, changes, notAsked, remark });
    else
      printLines(cli, [
        ...lockLines(changes, remark),
        ...(options.dryRun && changes.length > 0 ? ['Dry run: flake.lock was not changed.'] : []),
      ]);
    return done;
  });
