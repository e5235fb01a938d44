import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import type { Runs } from '../flow/runs.ts';
import { exitCodeOfFailure } from '../run/report.ts';
import type { Cli, Lab, LabOptions } from './lab.ts';
import { failureLines } from './render.ts';

/**
 * What commands are made of. Modules that declare commands are loaded whatever `lab` is asked, also for `--help`: what
 * only the work needs (schemas, the engine) is imported by the action.
 */

/** `NAME=URL`; the two-word form of Nix is joined by `joinPairs` before commander sees it. */
const pair = (text: string): readonly [string, string] => {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('expected two words: NAME VALUE');
  return [text.slice(0, at), text.slice(at + 1)];
};

export const withFlake = (command: Command): Command =>
  command
    .addOption(
      new Option('--flake <ref>', 'the flake: a folder or a flake URL').env('LAB_FLAKE').default('.'),
    )
    .addOption(
      new Option('--override-input <name url>', 'hand this override to Nix (repeatable)')
        .default([], 'none')
        .argParser((text: string, all: readonly { name: string; url: string }[]) => {
          const [name, url] = pair(text);
          return [...all, { name, url }];
        }),
    )
    .addOption(
      new Option('--nix-option <name value>', 'hand `--option NAME VALUE` to Nix (repeatable)')
        .default([], 'none')
        .argParser((text: string, all: readonly { name: string; value: string }[]) => {
          const [name, value] = pair(text);
          return [...all, { name, value }];
        }),
    )
    .addOption(
      new Option('--ssh-config <file>', 'ssh_config to use instead of your own').env('LAB_SSH_CONFIG'),
    )
    .option('--refresh', 'evaluate anew even where the cache knows', false)
    .option('--json', 'print one JSON document instead of text', false);

/** Options that take two words after them, as in Nix: joined into `--option=A=B` so that commander sees one value. */
const pairOptions: ReadonlySet<string> = new Set(['--override-input', '--nix-option']);

export const joinPairs = (argv: readonly string[]): readonly string[] => {
  const joined: string[] = [];
  const end = argv.indexOf('--');
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    const inOptions = end === -1 || index < end;
    const [first, second] = [argv[index + 1], argv[index + 2]];
    if (
      inOptions &&
      pairOptions.has(word) &&
      first !== undefined &&
      second !== undefined &&
      !second.startsWith('--')
    ) {
      joined.push(`${word}=${first}=${second}`);
      index += 2;
    } else joined.push(word);
  }
  return joined;
};

export type Opened = { readonly lab: Lab; readonly json: boolean };

export const labOptionsOf = async (
  command: Command,
): Promise<{ readonly options: LabOptions; readonly json: boolean }> => {
  const { readFlakeOptions } = await import('./flake-options.ts');
  return readFlakeOptions(command.optsWithGlobals());
};

/** Prints a failure, as JSON where asked, and sets the exit code it stands for. */
export const reportFailure = (cli: Cli, failure: Failure, json: boolean): void => {
  if (json) cli.out(`${JSON.stringify({ schema: 'lab/failure/1', failure }, null, 2)}\n`);
  else cli.err(`${failureLines(failure).join('\n')}\n`);
  cli.setExitCode(exitCodeOfFailure(failure));
};

export const printLines = (cli: Cli, lines: readonly string[]): void =>
  cli.out(lines.map((line) => `${line}\n`).join(''));
export const printJson = (cli: Cli, schema: string, value: object): void =>
  cli.out(`${JSON.stringify({ schema: `lab/${schema}/1`, ...value }, null, 2)}\n`);

/** Opens the lab for one command, hands it over, and closes it whatever happens. */
export const useLab = async (
  cli: Cli,
  command: Command,
  act: (opened: Opened) => Promise<Result<void>>,
): Promise<void> => {
  const { options, json } = await labOptionsOf(command);
  const opened = await cli.openLab(options);
  if (!opened.ok) return reportFailure(cli, opened.failure, json);
  try {
    const done = await act({ lab: opened.value, json });
    if (!done.ok) reportFailure(cli, done.failure, json);
  } finally {
    await opened.value.close();
  }
};

/** Opens the journal and what can be said of its runs, for commands that need no flake. */
export const useRuns = async (cli: Cli, work: (runs: Runs) => Promise<Result<void>>): Promise<void> => {
  const opened = await cli.openRuns();
  if (!opened.ok) {
    reportFailure(cli, opened.failure, false);
    return;
  }
  try {
    const result = await work(opened.value);
    if (!result.ok) reportFailure(cli, result.failure, false);
  } finally {
    opened.value.journal.close();
  }
};

export const usage = (message: string, remedy: string): Result<never> =>
  fail({ kind: 'usage', machine: null, phase: 'command line', message, remedy });

export const done: Result<void> = ok(undefined);
