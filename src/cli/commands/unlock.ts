import type { Command } from 'commander';
import type { Cli } from '../lab.ts';
import { withFlakeAlone } from '../options.ts';

export const registerUnlock = (program: Command, cli: Cli): void => {
  withFlakeAlone(
    program
      .command('unlock')
      .description('say which run holds a machine, here or elsewhere, and take the machine away from it'),
  )
    .argument('<machine>', 'one machine')
    .option('--run <id>', 'break the lease of this run; without it, nothing is changed')
    .addHelpText(
      'after',
      '\nA run leases every machine it acts on. The lease of a run that is gone runs out by itself within minutes;\nbreak it only when you know that nobody is at work. The run that had it can do nothing more to the machine.\n\nExit codes: 0 nobody holds it, or broken · 2 somebody holds it\n\nExamples:\n  lab unlock grey-area\n  lab unlock grey-area --run 20261120-234101-3fa9\n',
    )
    .action(async (name: string, options: { run?: string }, command: Command) =>
      (await import('../deeds/unlock.ts')).unlock(cli, command, name, options.run ?? null),
    );
};
