import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EventBody, type RunEvent, RunId } from '../run/event.ts';
import { type Control, type Journal, JournalFailure, type RunSummary } from './journal.ts';

/** Raised when the shape of the tables or of an event changes so that an older `lab` would misread it. */
const schemaVersion = 2;
const bodyCharsMax = 32 * 1024 * 1024;
const controlByCharsMax = 200;
const busyTimeoutMs = 5_000;
/** Runs that are kept; older ones are removed when a new one starts, so that the file stays bounded. */
const runsKept = 500;

type Row = { readonly seq: number; readonly at: number; readonly run: string; readonly body: string };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A failure of the database in words that say what to do about it. */
const explain = (path: string, doing: string, error: unknown): JournalFailure => {
  const message = messageOf(error);
  const remedy = /full|ENOSPC|disk I\/O/iu.test(message)
    ? 'make room on that file system, then run again'
    : /readonly|read-only|EROFS|EACCES|unable to open/iu.test(message)
      ? 'make the state directory writable for this user, or choose another with LAB_STATE_DIR'
      : /locked|busy/iu.test(message)
        ? 'another program holds the journal: end it, then run again'
        : 'move the file away to begin a new journal (past runs are then no longer listed)';
  return new JournalFailure(`the journal ${path} could not be ${doing}: ${message}`, remedy, error);
};

const readRow = (path: string, row: unknown): RunEvent => {
  const { seq, at, run, body } = row as Row;
  const parsed = (() => {
    try {
      return EventBody.safeParse(JSON.parse(body));
    } catch {
      return null;
    }
  })();
  if (parsed?.success !== true || !RunId.safeParse(run).success)
    throw new JournalFailure(
      `the journal ${path} holds a record that this lab cannot read (event ${seq})`,
      'it is damaged or from another version: move the file away to begin a new journal',
    );
  return { seq, at, run, body: parsed.data };
};

const prepareStatements = (db: DatabaseSync) => ({
  insert: db.prepare('INSERT INTO events (at, run, body) VALUES (?, ?, ?)'),
  byRun: db.prepare('SELECT seq, at, run, body FROM events WHERE run = ? AND seq > ? ORDER BY seq'),
  last: db.prepare(
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
  insertControl: db.prepare('INSERT INTO controls (at, run, kind, by) VALUES (?, ?, ?, ?)'),
  controls: db.prepare(
    'SELECT id, at, run, kind, by FROM controls WHERE run = ? AND id > ? ORDER BY id LIMIT 100',
  ),
});

/**
 * Opens the journal in `directory` (made if missing): SQLite in WAL mode with full sync, so that an append is on disk
 * when it returns. `now` gives the date of new events in milliseconds. Throws `JournalFailure`.
 */
export const openJournal = (directory: string, now: () => number): Journal => {
  const path = join(directory, 'journal.db');
  const guard = <T>(doing: string, act: () => T): T => {
    try {
      return act();
    } catch (error) {
      if (error instanceof JournalFailure) throw error;
      throw explain(path, doing, error);
    }
  };
  const db = guard('opened', () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const opened = new DatabaseSync(path, { timeout: busyTimeoutMs });
    opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    const found = Number(opened.prepare('PRAGMA user_version').get()?.user_version ?? 0);
    if (found > schemaVersion) {
      opened.close();
      throw new JournalFailure(
        `the journal ${path} was written by a newer lab (schema ${found}, this one knows ${schemaVersion})`,
        'use that newer lab, or choose another state directory with LAB_STATE_DIR',
      );
    }
    if (found < schemaVersion)
      opened.exec(`
        BEGIN IMMEDIATE;
        CREATE TABLE IF NOT EXISTS events (
          seq INTEGER PRIMARY KEY AUTOINCREMENT,
          at INTEGER NOT NULL,
          run TEXT NOT NULL,
          body TEXT NOT NULL
        ) STRICT;
        -- One row a run, so that listing runs does not read every event.
        CREATE TABLE IF NOT EXISTS runs (
          first INTEGER PRIMARY KEY,
          run TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE TABLE IF NOT EXISTS controls (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          at INTEGER NOT NULL,
          run TEXT NOT NULL,
          kind TEXT NOT NULL CHECK (kind IN ('approve', 'decline', 'stop', 'abort', 'pause', 'unpause')),
          by TEXT NOT NULL
        ) STRICT;
        CREATE INDEX IF NOT EXISTS events_by_run ON events (run, seq);
        -- Schema 1 had no list of runs.
        INSERT OR IGNORE INTO runs (first, run) SELECT min(seq), run FROM events GROUP BY run;
        PRAGMA user_version = ${schemaVersion};
        COMMIT;
      `);
    return opened;
  });
  const prepared = guard('opened', () => prepareStatements(db));
  const {
    insert,
    byRun,
    last,
    later,
    summaries,
    enlist,
    pruneRuns,
    prune,
    pruneControls,
    insertControl,
    controls,
  } = prepared;
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
      db.exec('ROLLBACK');
      throw error;
    }
  };
  const read = (rows: readonly unknown[]): readonly RunEvent[] => rows.map((row) => readRow(path, row));
  return {
    append: (run, body) =>
      guard('written', () => {
        const text = JSON.stringify(EventBody.parse(body));
        if (text.length > bodyCharsMax)
          throw new JournalFailure(
            `an event of ${text.length} characters is too large for the journal`,
            'choose fewer machines',
          );
        const at = now();
        const seq =
          body.kind === 'run-started'
            ? begin(at, run, text)
            : Number(insert.run(at, run, text).lastInsertRowid);
        return { seq, at, run, body };
      }),
    eventsOf: (run, afterSeq = 0) => guard('read', () => read(byRun.all(run, afterSeq))),
    tail: (count) => guard('read', () => read(last.all(count))),
    after: (seq, count) => guard('read', () => read(later.all(seq, count))),
    runs: (count) =>
      guard('read', () => summaries.all(count).map((row) => ({ ...row }) as unknown as RunSummary)),
    ask: (run, kind, by) =>
      guard('written', () => void insertControl.run(now(), run, kind, by.slice(0, controlByCharsMax))),
    asked: (run, afterId) =>
      guard('read', () => controls.all(run, afterId).map((row) => ({ ...row }) as unknown as Control)),
    close: () => db.close(),
  };
};
