import type { Command } from 'commander';
import type { Cli } from '../lab.ts';

export const registerSchema = (program: Command, cli: Cli): void => {
  program
    .command('schema')
    .description('print the JSON Schema of what --json prints: of one document, or of all by name')
    .argument('[name]', 'the document, as its field `schema` names it: lab/NAME/1')
    .addHelpText(
      'after',
      '\n`event` is a line of `lab journal --json`. Later builds may print more fields than a schema names.\n\nExamples:\n  lab schema status > status.schema.json\n  lab schema | jq keys\n',
    )
    .action(async (name: string | undefined) =>
      (await import('../deeds/schema.ts')).schema(cli, name ?? null),
    );
};
