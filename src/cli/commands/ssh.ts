import type { Command } from 'commander';
import { choose } from '../choose.ts';
import type { Cli } from '../lab.ts';
import { done, usage, useLab, withFlake } from '../options.ts';

export const registerSsh = (program: Command, cli: Cli): void => {
  withFlake(
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
      }),
    );
};
