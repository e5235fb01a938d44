import { DatabaseSync } from 'node:sqlite';

/** What was written last, as it must be found again. */
export type Written = { readonly seq: number; readonly text: string };

/**
 * Whether a journal whose files became smaller has lost nothing: SQLite, asked over a connection that remembers nothing, finds
 * it whole, with what was written last. So it is after somebody had SQLite itself tidy it (`PRAGMA wal_checkpoint(TRUNCATE)`,
 * `VACUUM`), as backups do; a log that was cut by other hands lacks what its index names. Reads all of it: for the rare case.
 */
export const isStillThere = (path: string, last: Written | null, busyTimeoutMs: number): boolean => {
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs });
    if (db.prepare('PRAGMA quick_check(1)').get()?.quick_check !== 'ok') return false;
    return (
      last === null || db.prepare('SELECT body FROM events WHERE seq = ?').get(last.seq)?.body === last.text
    );
  } catch {
    return false;
  } finally {
    db?.close();
  }
};
