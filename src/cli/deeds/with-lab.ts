import type { Command } from 'commander';
import { z } from 'zod';
import { type Failure, fail, ok, type Result } from '../../failure.ts';
import type { Runs } from '../../flow/runs.ts';
import { JournalFailure } from '../../journal/journal.ts';
import { exitCodeOfFailure } from '../../run/report.ts';
import { ImpossibleHistory } from '../../run/state.ts';
import { printableJson } from '../../text/sanitise.ts';
import type { DocumentName, DocumentOf } from '../documents/documents.ts';
import type { Cli, Lab, LabOptions } from '../lab.ts';
import { failureLines } from '../render.ts';

/** What every command does before and after its own work: read its options, open the lab, print, tell failures. */

/** Options of every command that reads the flake. Parsed by commander, checked here once more. */
const FlakeOptions = z.object({
  /** What is no reference is refused in words, by whoever reads it. */
  flake: z.string(),
  overrideInput: z.array(z.object({ name: z.string(), url: z.string() })),
  nixOption: z.array(z.object({ name: z.string(), value: z.string() })),
  sshConfig: z.string().max(4_096).exactOptional(),
  refresh: z.boolean(),
  /** Absent where a command prints no document. */
  json: z.boolean().default(false),
});

export type Opened = { readonly lab: Lab; readonly json: boolean };

export const labOptionsOf = (command: Command): { readonly options: LabOptions; readonly json: boolean } => {
  const parsed = FlakeOptions.parse(command.optsWithGlobals());
  return {
    json: parsed.json,
    options: {
      flake: parsed.flake,
      overrideInputs: parsed.overrideInput,
      nixOptions: parsed.nixOption,
      sshConfig: parsed.sshConfig ?? null,
      refresh: parsed.refresh,
    },
  };
};

/** Prints a failure, as JSON where asked, and sets the exit code it stands for. */
export const reportFailure = (
  cli: Cli,
  failure: Failure,
  json: boolean,
  layout: JsonLayout = 'document',
): void => {
  if (json) printJson(cli, 'failure', { failure }, layout);
  else cli.err(`${failureLines(failure).join('\n')}\n`);
  cli.setExitCode(exitCodeOfFailure(failure));
};

export const printLines = (cli: Cli, lines: readonly string[]): void =>
  cli.out(lines.map((line) => `${line}\n`).join(''));

/** A document for people and programs, or one line of a stream that is read line by line. */
type JsonLayout = 'document' | 'line';

/** Prints a document as `lab schema` publishes it. */
export const printJson = <Name extends DocumentName>(
  cli: Cli,
  schema: Name,
  value: DocumentOf<Name>,
  layout: JsonLayout = 'document',
): void => {
  const indent = layout === 'line' ? 0 : 2;
  cli.out(`${printableJson(JSON.stringify({ schema: `lab/${schema}/1`, ...value }, null, indent))}\n`);
};

/** What a journal that broke in the middle of a command says; anything else is a bug, and thrown on. */
export const failureOfJournal = (error: unknown): Failure => {
  if (!(error instanceof JournalFailure || error instanceof ImpossibleHistory)) throw error;
  return {
    kind: 'journal',
    machine: null,
    phase: 'journal',
    message: error.message,
    remedy:
      error instanceof JournalFailure
        ? error.remedy
        : 'that run cannot be continued: look at the machines, then begin a new one',
  };
};

/** Opens the lab for one command, hands it over, and closes it whatever happens. */
export const useLab = async (
  cli: Cli,
  command: Command,
  act: (opened: Opened) => Promise<Result<void>>,
): Promise<void> => {
  const { options, json } = labOptionsOf(command);
  const opened = await cli.openLab(options);
  if (!opened.ok) return reportFailure(cli, opened.failure, json);
  try {
    const done = await act({ lab: opened.value, json });
    if (!done.ok) reportFailure(cli, done.failure, json);
  } catch (error) {
    reportFailure(cli, failureOfJournal(error), json);
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
  } catch (error) {
    reportFailure(cli, failureOfJournal(error), false);
  } finally {
    opened.value.journal.close();
  }
};

export const usage = (message: string, remedy: string): Result<never> =>
  fail({ kind: 'usage', machine: null, phase: 'command line', message, remedy });

export const done: Result<void> = ok(undefined);
