import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { JournalFailure, type JournalTrouble } from './journal.ts';
import { prepareStateDirectory, whatIsShortAt } from './state-directory.ts';

/** The file of the journal: opened, brought up to date, or refused with what to do about it. */

/** Raised when the shape of the tables or of an event changes so that an older `lab` would misread it. */
const schemaVersion = 3;
export const busyTimeoutMs = 5_000;
/** The smallest page of SQLite, and so its smallest file that holds anything. */
const smallestDatabaseBytes = 512;

export const journalPathIn = (directory: string): string => join(directory, 'journal.db');

const moveAway = (path: string): string =>
  `move ${path} and its -wal and -shm away to begin a new journal; past runs are then no longer listed`;

const troubles: readonly {
  readonly said: RegExp;
  readonly trouble: JournalTrouble;
  readonly remedy: (path: string) => string;
}[] = [
  {
    said: /disk is full|ENOSPC|EDQUOT/iu,
    trouble: 'no-room',
    remedy: () => 'make room on that file system, then `lab resume` goes on, or a new run begins',
  },
  {
    said: /readonly|read-only|EROFS|EACCES|EPERM|unable to open/iu,
    trouble: 'unwritable',
    remedy: () => 'make the state directory writable for this user, or choose another with LAB_STATE_DIR',
  },
  {
    said: /locked|busy/iu,
    trouble: 'busy',
    remedy: () => 'another program holds the journal: end it, then try again',
  },
  {
    said: /malformed|not a database|corrupt|no such (?:table|column)/iu,
    trouble: 'damaged',
    remedy: moveAway,
  },
  {
    said: /disk I\/O/iu,
    trouble: 'other',
    remedy: () => 'see whether that disk is full or failing (`dmesg` tells), then try again',
  },
];

/** A failure of the database in words that say what to do about it. */
export const explainJournal = (path: string, doing: string, error: unknown): JournalFailure => {
  const said = error instanceof Error ? error.message : String(error);
  // The index beside its log is the one file that SQLite does not call full when the disk is.
  const short = /disk I\/O|unable to open/iu.test(said) ? whatIsShortAt(dirname(path)) : null;
  const message = short ?? said;
  const known = troubles.find((trouble) => trouble.said.test(message));
  return new JournalFailure(
    `the journal ${path} could not be ${doing}: ${message}`,
    known?.remedy(path) ?? moveAway(path),
    { trouble: known?.trouble ?? 'other', cause: error },
  );
};

/** How the files begin: https://sqlite.org/fileformat.html, 1.3 and 4.1. The log has either byte order of checksums. */
const beginnings = {
  '': [Buffer.from('SQLite format 3\0')],
  '-wal': [Buffer.from('377f0682', 'hex'), Buffer.from('377f0683', 'hex')],
} as const;

const beginsLike = (file: number, expected: readonly Buffer[]): boolean => {
  const read = Buffer.alloc(16);
  const length = readSync(file, read, 0, read.length, 0);
  return expected.some((bytes) => read.subarray(0, Math.min(length, bytes.length)).equals(bytes));
};

/** SQLite has no lock on its log, so that it may be opened and closed. */
const logBegins = (path: string): boolean => {
  const file = openSync(path, 'r');
  try {
    return beginsLike(file, beginnings['-wal']);
  } finally {
    closeSync(file);
  }
};

/** Databases that this process reads besides SQLite, by device and inode. */
const heldOpen = new Map<string, { readonly file: number; watchers: number }>();

/**
 * The same of the database itself, through one descriptor for all journals of this process. To close a file gives up
 * every lock that the process has on it (fcntl_locking(2)), SQLite's among them: the next program to close the journal
 * would then take itself for the last one, and remove the log under a run.
 */
const watchDatabase = (path: string, identity: string): { begins: () => boolean; close: () => void } => {
  const held = heldOpen.get(identity) ?? { file: openSync(path, 'r'), watchers: 0 };
  held.watchers += 1;
  heldOpen.set(identity, held);
  return {
    begins: () => beginsLike(held.file, beginnings['']),
    close: () => {
      held.watchers -= 1;
      if (held.watchers > 0) return;
      heldOpen.delete(identity);
      closeSync(held.file);
    },
  };
};

const look = (path: string) => statSync(path, { bigint: true, throwIfNoEntry: false });
const identityOf = (found: ReturnType<typeof look>): string | null =>
  found === undefined ? null : `${found.dev}:${found.ino}`;

/** Looks whether a file still is the one that was first seen here, still begins as it must, and has lost nothing. */
const watchOne = (path: string, begins: () => boolean) => {
  let seen: string | null = null;
  let size = 0n;
  return {
    isSame: (): boolean => {
      const found = look(path);
      const identity = identityOf(found);
      seen ??= identity;
      size = found?.size ?? 0n;
      return identity === seen && (identity === null || begins());
    },
    /** One that is gone, or another, is told as that once something was written. */
    isWhole: (): boolean => {
      const found = look(path);
      return found === undefined || identityOf(found) !== seen || found.size >= size;
    },
  };
};

/**
 * Sees that the journal is still the file that was opened, with the log beside it: SQLite goes on writing into one that
 * was removed, emptied or written over by somebody, where nobody will ever read it, and the lock of a run goes the same
 * way. Each is to be asked around every write, and throws `JournalFailure` when it is another. One that was cut short shows
 * that only before: what is written next lies behind the hole, where no recovery after a crash would look. Whether one that
 * became smaller still holds all of it, `isStillThere` tells. To be closed
 * once the journal is. Who reads again and again asks `reading`: nothing new would ever come.
 */
export const watchOverFile = (
  path: string,
  isStillThere: () => boolean,
): {
  readonly before: () => void;
  readonly after: () => void;
  readonly reading: () => void;
  readonly close: () => void;
} => {
  const identity = identityOf(look(path));
  const database = identity === null ? null : watchDatabase(path, identity);
  const files = [
    watchOne(path, () => database?.begins() ?? false),
    watchOne(`${path}-wal`, () => logBegins(`${path}-wal`)),
  ];
  files[0]?.isSame();
  const gone = (what: string, doing = 'written'): JournalFailure =>
    new JournalFailure(
      `the journal ${path} was ${what} while it was ${doing}`,
      'find out by whom; `lab status` tells what the machines run, and a new run begins from there',
      { trouble: 'damaged' },
    );
  return {
    before: () => {
      if (!files.every(({ isWhole }) => isWhole()) && !isStillThere()) throw gone('cut short');
    },
    after: () => {
      if (!files.every(({ isSame }) => isSame())) throw gone('removed or replaced');
    },
    // Its log comes and goes with whoever writes.
    reading: () => {
      if (identityOf(look(path)) !== identity) throw gone('removed or replaced', 'read');
    },
    close: () => database?.close(),
  };
};

/** A record that this lab cannot read: it says which one, and never shrugs it off. */
export const unreadableRecord = (path: string, seq: number): JournalFailure =>
  new JournalFailure(
    `the journal ${path} holds a record that this lab cannot read (event ${seq})`,
    `it is damaged or from another version; ${moveAway(path)}`,
    { trouble: 'damaged' },
  );

const versionOf = (db: DatabaseSync, path: string): number => {
  const found = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  if (found > schemaVersion)
    throw new JournalFailure(
      `the journal ${path} was written by a newer lab (schema ${found}, this one knows ${schemaVersion})`,
      'use that newer lab, or choose another state directory with LAB_STATE_DIR',
      { trouble: 'newer' },
    );
  return found;
};

const bringUpToDate = (db: DatabaseSync): void =>
  db.exec(`
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
      kind TEXT NOT NULL,
      by TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS events_by_run ON events (run, seq);
    -- Schema 2 knew nothing that is asked about one machine.
    CREATE TABLE asked (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      run TEXT NOT NULL,
      kind TEXT NOT NULL
        CHECK (kind IN ('approve', 'decline', 'stop', 'abort', 'pause', 'unpause', 'skip', 'retry')),
      by TEXT NOT NULL,
      machine TEXT
    ) STRICT;
    INSERT INTO asked (id, at, run, kind, by) SELECT id, at, run, kind, by FROM controls;
    DROP TABLE controls;
    ALTER TABLE asked RENAME TO controls;
    -- Schema 1 had no list of runs.
    INSERT OR IGNORE INTO runs (first, run) SELECT min(seq), run FROM events GROUP BY run;
    PRAGMA user_version = ${schemaVersion};
    COMMIT;
  `);

/** Whatever happens while it is made ready, the file does not stay open. */
const readied = (db: DatabaseSync, makeReady: (db: DatabaseSync) => void): DatabaseSync => {
  try {
    makeReady(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

/** Opens the journal for writing, in WAL mode with full sync; its directory is made where it is missing. */
export const openToWrite = (directory: string): DatabaseSync => {
  prepareStateDirectory(directory, process.getuid?.() ?? -1);
  const path = journalPathIn(directory);
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  // SQLite takes a file that is shorter than its header for an empty one, and would begin anew over it.
  if (bytes > 0 && bytes < smallestDatabaseBytes)
    throw explainJournal(path, 'opened', new Error(`file is not a database (${bytes} bytes)`));
  return readied(new DatabaseSync(path, { timeout: busyTimeoutMs }), (db) => {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    if (versionOf(db, path) < schemaVersion) bringUpToDate(db);
  });
};

/**
 * Opens what is there for reading alone, on a file system that is full or takes no writes. SQLite's log beside the file
 * is read where something is in it; without one the file is complete by itself, and may be read as one that nobody changes.
 */
export const openToRead = (directory: string): DatabaseSync => {
  const path = journalPathIn(directory);
  const url = pathToFileURL(path);
  url.searchParams.set('mode', 'ro');
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0)
    url.searchParams.set('immutable', '1');
  return readied(new DatabaseSync(url, { readOnly: true, timeout: busyTimeoutMs }), (db) => {
    if (versionOf(db, path) < schemaVersion)
      throw new JournalFailure(
        `the journal ${path} is of an older lab, and has to be brought up to date before it can be read`,
        'make the state directory writable for this user once',
        { trouble: 'unwritable' },
      );
  });
};
