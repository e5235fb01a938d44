import { type Command, InvalidArgumentError } from 'commander';
import type { JournalOptions } from '../deeds/journal.ts';
import type { Cli } from '../lab.ts';

const linesMax = 100_000;

const lineCount = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > linesMax)
    throw new InvalidArgumentError(`expected a whole number from 1 to ${linesMax}`);
  return number;
};

export const registerJournal = (program: Command, cli: Cli): void => {
  program
    .command('journal')
    .description('what runs have done: events, past runs, the report of one')
    .option('--lines <n>', 'the last N events', lineCount, 50)
    .option('--follow', 'go on printing events as they come, until interrupted', false)
    .option('--run <id>', 'only this run')
    .option('--runs', 'list past runs', false)
    .option('--report', 'print the report of --run (default: of the last run)', false)
    .option('--json', 'print JSON; events one a line', false)
    .addHelpText(
      'after',
      '\nExamples:\n  lab journal --lines 20\n  lab journal --follow\n  lab journal --runs\n  lab journal --report --json\n',
    )
    .action(async (options: JournalOptions) => (await import('../deeds/journal.ts')).journal(cli, options));
};
