import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { EventBody, type RunEvent, RunId } from '../run/event.ts';
import {
  busyTimeoutMs,
  explainJournal,
  journalPathIn,
  openToRead,
  openToWrite,
  unreadableRecord,
  watchOverFile,
} from './database.ts';
import { fitted } from './fitted.ts';
import { type Control, type Journal, JournalFailure, type RunSummary } from './journal.ts';
import { recollectionsIn } from './recollections.ts';
import { isStillThere, type Written } from './still-there.ts';

const bodyCharsMax = 32 * 1024 * 1024;
const controlByCharsMax = 200;
/** Runs that are kept; older ones are removed when a new one starts, so that the file stays bounded. */
const runsKept = 500;

type Row = { readonly seq: number; readonly at: number; readonly run: string; readonly body: string };

const readRow = (path: string, row: unknown): RunEvent => {
  const { seq, at, run, body } = row as Row;
  const parsed = (() => {
    try {
      return EventBody.safeParse(JSON.parse(body));
    } catch {
      return null;
    }
  })();
  if (parsed?.success !== true || !RunId.safeParse(run).success) throw unreadableRecord(path, seq);
  return { seq, at, run, body: parsed.data };
};

const prepareStatements = (db: DatabaseSync) => ({
  insert: db.prepare('INSERT INTO events (at, run, body) VALUES (?, ?, ?)'),
  byRun: db.prepare('SELECT seq, at, run, body FROM events WHERE run = ? AND seq > ? ORDER BY seq'),
  latest: db.prepare(
    'SELECT * FROM (SELECT seq, at, run, body FROM events ORDER BY seq DESC LIMIT ?) ORDER BY seq',
  ),
  later: db.prepare('SELECT seq, at, run, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?'),
  summaries: db.prepare(
    `SELECT run,
       (SELECT at FROM events WHERE seq = first) AS startedAt,
       (SELECT at FROM events WHERE events.run = runs.run ORDER BY seq DESC LIMIT 1) AS lastAt,
       (SELECT max(seq) FROM events WHERE events.run = runs.run) AS lastSeq,
       (SELECT count(*) FROM events WHERE events.run = runs.run) AS events
     FROM runs ORDER BY first DESC LIMIT ?`,
  ),
  enlist: db.prepare('INSERT INTO runs (first, run) VALUES (?, ?)'),
  pruneRuns: db.prepare(
    'DELETE FROM runs WHERE run NOT IN (SELECT run FROM runs ORDER BY first DESC LIMIT ?)',
  ),
  prune: db.prepare('DELETE FROM events WHERE run NOT IN (SELECT run FROM runs)'),
  pruneControls: db.prepare('DELETE FROM controls WHERE run NOT IN (SELECT run FROM events)'),
  insertControl: db.prepare('INSERT INTO controls (at, run, kind, by, machine) VALUES (?, ?, ?, ?, ?)'),
  controls: db.prepare(
    'SELECT id, at, run, kind, by, machine FROM controls WHERE run = ? AND id > ? ORDER BY id LIMIT 100',
  ),
});

type OpenDatabase = (directory: string) => DatabaseSync;

const journalOver = (open: OpenDatabase, directory: string, now: () => number): Journal => {
  const path = journalPathIn(directory);
  const guard = <T>(doing: string, act: () => T): T => {
    try {
      return act();
    } catch (error) {
      if (error instanceof JournalFailure) throw error;
      throw explainJournal(path, doing, error);
    }
  };
  const db = guard('opened', () => open(directory));
  const prepared = guard('opened', () => {
    try {
      return prepareStatements(db);
    } catch (error) {
      db.close();
      throw error;
    }
  });
  const {
    insert,
    byRun,
    latest,
    later,
    summaries,
    enlist,
    pruneRuns,
    prune,
    pruneControls,
    insertControl,
    controls,
  } = prepared;
  let last: Written | null = null;
  const file = watchOverFile(path, () => isStillThere(path, last, busyTimeoutMs));
  const recollections = recollectionsIn(db);
  /** A run and its place in the list come together or not at all. */
  const begin = (at: number, run: RunId, text: string): number => {
    db.exec('BEGIN IMMEDIATE');
    try {
      pruneRuns.run(runsKept - 1);
      prune.run();
      pruneControls.run();
      const seq = Number(insert.run(at, run, text).lastInsertRowid);
      enlist.run(seq, run);
      db.exec('COMMIT');
      return seq;
    } catch (error) {
      // After a full disk SQLite has rolled back by itself.
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  const read = (rows: readonly unknown[]): readonly RunEvent[] => rows.map((row) => readRow(path, row));
  return {
    append: (run, given) =>
      guard('written', () => {
        const body = fitted(given);
        const text = JSON.stringify(body);
        if (text.length > bodyCharsMax)
          throw new JournalFailure(
            `an event of ${text.length} characters is too large for the journal`,
            'choose fewer machines',
          );
        const at = now();
        file.before();
        const seq =
          body.kind === 'run-started'
            ? begin(at, run, text)
            : Number(insert.run(at, run, text).lastInsertRowid);
        last = { seq, text };
        file.after();
        return { seq, at, run, body };
      }),
    eventsOf: (run, afterSeq = 0) => guard('read', () => read(byRun.all(run, afterSeq))),
    tail: (count) => guard('read', () => read(latest.all(count))),
    after: (seq, count) =>
      guard('read', () => {
        file.reading();
        return read(later.all(seq, count));
      }),
    runs: (count) =>
      guard('read', () => summaries.all(count).map((row) => ({ ...row }) as unknown as RunSummary)),
    recalled: (run) => guard('read', () => recollections.recalled(run)),
    keepRecalled: (run, seq, text) => guard('written', () => recollections.keep(run, seq, text)),
    ask: (run, kind, by, machine) =>
      guard('written', () => {
        file.reading();
        insertControl.run(
          now(),
          run,
          kind,
          by.slice(0, controlByCharsMax),
          machine?.slice(0, controlByCharsMax) ?? null,
        );
      }),
    asked: (run, afterId) =>
      guard('read', () => controls.all(run, afterId).map((row) => ({ ...row }) as unknown as Control)),
    close: () => {
      db.close();
      file.close();
    },
  };
};

/**
 * Opens the journal in `directory` (made if missing): SQLite in WAL mode with full sync, so that an append is on disk
 * when it returns. `now` gives the date of new events in milliseconds. Throws `JournalFailure`.
 */
export const openJournal = (directory: string, now: () => number): Journal =>
  journalOver(openToWrite, directory, now);

/** The same for who only reads: a journal that is there is read also where nothing can be written. */
export const openJournalToRead = (directory: string, now: () => number): Journal => {
  try {
    return openJournal(directory, now);
  } catch (error) {
    const unwritable =
      error instanceof JournalFailure && (error.trouble === 'no-room' || error.trouble === 'unwritable');
    if (!unwritable || !existsSync(journalPathIn(directory))) throw error;
    return journalOver(openToRead, directory, now);
  }
};
