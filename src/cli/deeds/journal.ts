import { latestRun } from '../../flow/latest-run.ts';
import type { Journal } from '../../journal/journal.ts';
import { goalWords } from '../../plan/goal-words.ts';
import { RunId } from '../../run/event.ts';
import { exitCodes, reportOf } from '../../run/report.ts';
import { type RunState, replay } from '../../run/state.ts';
import { resultWords } from '../../run/telling.ts';
import { printableJson, sanitiseLine } from '../../text/sanitise.ts';
import { moment, table } from '../../text/words.ts';
import type { Cli, ReadRuns } from '../lab.ts';
import { eventLine, reportLines } from '../render-run.ts';
import { failureOfJournal, printJson, printLines, reportFailure } from './with-lab.ts';

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

/** A run as the list tells it; one whose record cannot be read does not hide the others. */
type Listed =
  | { readonly run: string; readonly state: RunState }
  | { readonly run: string; readonly startedAt: number; readonly unreadable: string };

const listed = ({ journal }: ReadRuns): readonly Listed[] =>
  journal.runs(runsShown).flatMap(({ run, startedAt }): readonly Listed[] => {
    try {
      const state = replay(journal.eventsOf(run));
      return state === null ? [] : [{ run, state }];
    } catch (error) {
      return [{ run, startedAt, unreadable: failureOfJournal(error).message }];
    }
  });

/** What became of a run. Only the lock tells whether one that has not ended is under way. */
const became = (runs: ReadRuns, { run, ended, pausedBy }: RunState, alive: boolean): string => {
  if (ended !== null) return `${resultWords[ended.result].text}: ${ended.reason}`;
  if (alive) return pausedBy === null ? 'under way' : 'paused';
  const why = runs.whyDied(run)?.message ?? 'its process died';
  return `not ended: ${why}`;
};

const listRuns = (cli: Cli, runs: ReadRuns, json: boolean): void => {
  const rows = listed(runs);
  if (rows.some((row) => 'unreadable' in row)) cli.setExitCode(exitCodes.partial);
  if (json)
    printJson(cli, 'runs', {
      runs: rows.flatMap((row) => {
        if ('unreadable' in row) return [];
        const { run, goal, flake, startedAt, by, ended } = row.state;
        return [{ run, goal, flake, startedAt, by, ended, alive: ended === null && runs.isAlive(row.state) }];
      }),
      unreadable: rows.flatMap((row) =>
        'unreadable' in row ? [{ run: row.run, startedAt: row.startedAt, message: row.unreadable }] : [],
      ),
    });
  else if (rows.length === 0) printLines(cli, [nothingRecorded]);
  else
    printLines(
      cli,
      table([
        ['RUN', 'STARTED', 'GOAL', 'BY', 'RESULT'],
        ...rows.map((row) => {
          if ('unreadable' in row)
            return [
              row.run,
              moment(row.startedAt),
              '-',
              '-',
              `cannot be read: ${sanitiseLine(row.unreadable)}`,
            ];
          const { run, startedAt, goal, by, ended } = row.state;
          const alive = ended === null && runs.isAlive(row.state);
          return [
            run,
            moment(startedAt),
            goalWords(goal),
            by.via,
            sanitiseLine(became(runs, row.state, alive)),
          ];
        }),
      ]),
    );
};

const isRunId = (text: string): boolean => RunId.safeParse(text).success;

const showReport = (cli: Cli, runs: ReadRuns, run: string | undefined, json: boolean): void => {
  const { journal } = runs;
  const chosen = run ?? latestRun(journal) ?? journal.runs(1)[0]?.run;
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
  if (json) printJson(cli, 'report', { run: state.run, report });
  else
    printLines(
      cli,
      report === null
        ? [
            runs.isAlive(state)
              ? `Run ${state.run} is under way: \`lab attach\` shows it.`
              : `Run ${state.run} has not ended: ${sanitiseLine(runs.whyDied(state.run)?.message ?? 'its process died')}. \`lab resume ${state.run}\` goes on with it.`,
          ]
        : reportLines(report),
    );
};

const show = async (cli: Cli, journal: Journal, options: JournalOptions): Promise<void> => {
  const print = (events: ReturnType<Journal['tail']>): void => {
    for (const event of events) {
      if (options.run !== undefined && event.run !== options.run) continue;
      if (options.json) cli.out(`${printableJson(JSON.stringify(event))}\n`);
      else cli.out(`${eventLine(event)}\n`);
    }
  };
  const first =
    options.run === undefined || !isRunId(options.run)
      ? journal.tail(options.lines)
      : journal.eventsOf(options.run).slice(-options.lines);
  print(first);
  if (first.length === 0 && !options.json && journal.runs(1).length === 0) printLines(cli, [nothingRecorded]);
  // From what was shown on: what was appended since is news.
  let lastSeq = first.at(-1)?.seq ?? 0;
  while (options.follow && !cli.stop.aborted) {
    const fresh = journal.after(lastSeq, followBatch);
    print(fresh);
    lastSeq = fresh.at(-1)?.seq ?? lastSeq;
    if (fresh.length === 0) await cli.clock.sleep(followPauseMs, cli.stop);
  }
};

export const journal = async (cli: Cli, options: JournalOptions): Promise<void> => {
  // Who reads events line by line reads a failure so, too.
  const layout = options.runs || options.report ? 'document' : 'line';
  const opened = await cli.openJournal();
  if (!opened.ok) {
    reportFailure(cli, opened.failure, options.json, layout);
    return;
  }
  const runs = opened.value;
  try {
    if (options.runs) listRuns(cli, runs, options.json);
    else if (options.report) showReport(cli, runs, options.run, options.json);
    else await show(cli, runs.journal, options);
  } catch (error) {
    reportFailure(cli, failureOfJournal(error), options.json, layout);
  } finally {
    runs.journal.close();
  }
};
