import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { choose } from './choose.ts';
import { done, usage, useLab } from './with-lab.ts';

export const ssh = async (
  cli: Cli,
  command: Command,
  name: string,
  words: readonly string[],
): Promise<void> =>
  useLab(cli, command, async ({ lab }) => {
    const chosen = await choose(cli, lab, [name]);
    if (!chosen.ok) return chosen;
    const [machine, ...others] = chosen.value.machines;
    if (machine === undefined)
      return usage(`${name} could not be evaluated`, 'run `lab machines` to see why');
    if (others.length > 0)
      return usage(`"${name}" chooses ${others.length + 1} machines`, 'name one machine');
    cli.setExitCode(await cli.runInteractive(lab.sshArgv(machine, words)));
    return done;
  });
