import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { chooseOne } from './choose.ts';
import { done, useLab } from './with-lab.ts';

export const ssh = async (
  cli: Cli,
  command: Command,
  name: string,
  words: readonly string[],
): Promise<void> =>
  useLab(cli, command, async ({ lab }) => {
    const chosen = await chooseOne(cli, lab, name);
    if (!chosen.ok) return chosen;
    const machine = chosen.value;
    cli.setExitCode(await cli.runInteractive(lab.sshArgv(machine, words)));
    return done;
  });
