import { type Command, InvalidArgumentError } from 'commander';
import { type Journal, JournalFailure } from '../../journal/journal.ts';
import { goalWords } from '../../plan/goal-words.ts';
import { reportOf } from '../../run/report.ts';
import { ImpossibleHistory, replay } from '../../run/state.ts';
import { moment, table } from '../../text/words.ts';
import type { Cli } from '../lab.ts';
import { printJson, printLines, reportFailure } from '../options.ts';
import { eventLine, reportLines } from '../render-run.ts';

const linesMax = 100_000;
const runsShown = 30;
const followPauseMs = 300;
const followBatch = 1_000;

type JournalOptions = {
  readonly lines: number;
  readonly follow: boolean;
  readonly run?: string;
  readonly runs: boolean;
  readonly report: boolean;
  readonly json: boolean;
};

const lineCount = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > linesMax)
    throw new InvalidArgumentError(`expected a whole number from 1 to ${linesMax}`);
  return number;
};

const listRuns = (cli: Cli, journal: Journal, json: boolean): void => {
  const runs = journal.runs(runsShown).flatMap(({ run }) => {
    const state = replay(journal.eventsOf(run));
    return state === null ? [] : [state];
  });
  if (json)
    printJson(cli, 'runs', {
      runs: runs.map(({ run, goal, flake, startedAt, by, ended }) => ({
        run,
        goal,
        flake,
        startedAt,
        by,
        ended,
      })),
    });
  else
    printLines(
      cli,
      table([
        ['RUN', 'STARTED', 'GOAL', 'BY', 'RESULT'],
        ...runs.map(({ run, startedAt, goal, by, ended }) => [
          run,
          moment(startedAt),
          goalWords(goal),
          by.via,
          ended === null ? 'not ended (under way, or its process died)' : `${ended.result}: ${ended.reason}`,
        ]),
      ]),
    );
};

type IsRunId = (text: string) => boolean;

const showReport = (
  cli: Cli,
  journal: Journal,
  run: string | undefined,
  json: boolean,
  isRunId: IsRunId,
): void => {
  const chosen = run ?? journal.runs(1)[0]?.run;
  const state = chosen === undefined || !isRunId(chosen) ? null : replay(journal.eventsOf(chosen));
  if (state === null) {
    reportFailure(
      cli,
      {
        kind: 'usage',
        machine: null,
        phase: 'journal',
        message: run === undefined ? 'no run is recorded yet' : `no run "${run}" is recorded`,
        remedy: '`lab journal --runs` lists them',
      },
      json,
    );
    return;
  }
  const report = reportOf(state);
  if (json) printJson(cli, 'report', { report, run: state.run });
  else
    printLines(
      cli,
      report === null
        ? [`Run ${state.run} has not ended: it is under way, or its process died.`]
        : reportLines(report),
    );
};

const show = async (cli: Cli, journal: Journal, options: JournalOptions, isRunId: IsRunId): Promise<void> => {
  const print = (events: ReturnType<Journal['tail']>): void => {
    for (const event of events) {
      if (options.run !== undefined && event.run !== options.run) continue;
      if (options.json) cli.out(`${JSON.stringify(event)}\n`);
      else cli.out(`${eventLine(event)}\n`);
    }
  };
  const first =
    options.run === undefined || !isRunId(options.run)
      ? journal.tail(options.lines)
      : journal.eventsOf(options.run).slice(-options.lines);
  print(first);
  let lastSeq = journal.tail(1)[0]?.seq ?? 0;
  while (options.follow && !cli.stop.aborted) {
    const fresh = journal.after(lastSeq, followBatch);
    print(fresh);
    lastSeq = fresh.at(-1)?.seq ?? lastSeq;
    if (fresh.length === 0) await cli.clock.sleep(followPauseMs, cli.stop);
  }
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
    .action(async (options: JournalOptions) => {
      const { RunId } = await import('../../run/event.ts');
      const isRunId: IsRunId = (text) => RunId.safeParse(text).success;
      const opened = await cli.openJournal();
      if (!opened.ok) {
        reportFailure(cli, opened.failure, options.json);
        return;
      }
      const journal = opened.value;
      try {
        if (options.runs) listRuns(cli, journal, options.json);
        else if (options.report) showReport(cli, journal, options.run, options.json, isRunId);
        else await show(cli, journal, options, isRunId);
      } catch (error) {
        if (!(error instanceof JournalFailure || error instanceof ImpossibleHistory)) throw error;
        reportFailure(
          cli,
          {
            kind: 'journal',
            machine: null,
            phase: 'journal',
            message: error.message,
            remedy:
              error instanceof JournalFailure
                ? error.remedy
                : 'the journal is damaged: move it away to begin a new one',
          },
          options.json,
        );
      } finally {
        journal.close();
      }
    });
};
