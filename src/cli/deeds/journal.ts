import { type Journal, JournalFailure } from '../../journal/journal.ts';
import { goalWords } from '../../plan/goal-words.ts';
import { RunId } from '../../run/event.ts';
import { reportOf } from '../../run/report.ts';
import { ImpossibleHistory, replay } from '../../run/state.ts';
import { resultWords } from '../../run/telling.ts';
import { moment, table } from '../../text/words.ts';
import type { Cli } from '../lab.ts';
import { eventLine, reportLines } from '../render-run.ts';
import { printJson, printLines, reportFailure } from './with-lab.ts';

const runsShown = 30;
const nothingRecorded = 'no run is recorded yet';
const followPauseMs = 300;
const followBatch = 1_000;

export type JournalOptions = {
  readonly lines: number;
  readonly follow: boolean;
  readonly run?: string;
  readonly runs: boolean;
  readonly report: boolean;
  readonly json: boolean;
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
  else if (runs.length === 0) printLines(cli, [nothingRecorded]);
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
          ended === null
            ? 'not ended (under way, or its process died)'
            : `${resultWords[ended.result].text}: ${ended.reason}`,
        ]),
      ]),
    );
};

const isRunId = (text: string): boolean => RunId.safeParse(text).success;

const showReport = (cli: Cli, journal: Journal, run: string | undefined, json: boolean): void => {
  const chosen = run ?? journal.runs(1)[0]?.run;
  const state = chosen === undefined || !isRunId(chosen) ? null : replay(journal.eventsOf(chosen));
  if (state === null) {
    const empty = journal.runs(1).length === 0;
    reportFailure(
      cli,
      {
        kind: 'usage',
        machine: null,
        phase: 'journal',
        message: empty ? nothingRecorded : `no run "${run}" is recorded`,
        remedy: empty ? '`lab run` begins the first' : '`lab journal --runs` lists them',
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

const show = async (cli: Cli, journal: Journal, options: JournalOptions): Promise<void> => {
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
  if (first.length === 0 && !options.json && journal.runs(1).length === 0) printLines(cli, [nothingRecorded]);
  let lastSeq = journal.tail(1)[0]?.seq ?? 0;
  while (options.follow && !cli.stop.aborted) {
    const fresh = journal.after(lastSeq, followBatch);
    print(fresh);
    lastSeq = fresh.at(-1)?.seq ?? lastSeq;
    if (fresh.length === 0) await cli.clock.sleep(followPauseMs, cli.stop);
  }
};

export const journal = async (cli: Cli, options: JournalOptions): Promise<void> => {
  const opened = await cli.openJournal();
  if (!opened.ok) {
    reportFailure(cli, opened.failure, options.json);
    return;
  }
  const journal = opened.value;
  try {
    if (options.runs) listRuns(cli, journal, options.json);
    else if (options.report) showReport(cli, journal, options.run, options.json);
    else await show(cli, journal, options);
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
};
