import type { Command } from 'commander';
import type { Cli } from '../lab.ts';

/** `lab config`: the configuration of the screen, checked. */
export const registerConfig = (program: Command, cli: Cli): void => {
  program
    .command('config')
    .description('check the configuration of the screen, and say where it lies')
    .option('--schema', 'print the JSON Schema of the file instead', false)
    .option('--example', 'print an example to begin with instead', false)
    .addHelpText(
      'after',
      '\nExamples:\n  lab config\n  lab config --schema > lab-config.schema.json\n  lab config --example > ~/.config/lab/config.json\n',
    )
    .action(async (options: { schema: boolean; example: boolean }) => {
      cli.setExitCode(
        await cli.tellConfig(options.schema ? 'schema' : options.example ? 'example' : 'check'),
      );
    });
};
