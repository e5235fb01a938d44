import type { DatabaseSync } from 'node:sqlite';

/** What was recalled is kept for so many runs: the latest may go on, and then the one before it counts. */
const keptMax = 5;

/**
 * What past runs were found to know, kept beside their events in a table of its own. It comes into being with the first
 * thing that is kept: a journal from before it, or one that can only be read, simply has none.
 */
export const recollectionsIn = (db: DatabaseSync) => {
  const exists = (): boolean =>
    db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'recollections'").get() !==
    undefined;
  return {
    recalled: (run: string): { readonly seq: number; readonly text: string } | null => {
      const row = exists()
        ? db.prepare('SELECT seq, text FROM recollections WHERE run = ?').get(run)
        : undefined;
      return row === undefined ? null : { seq: Number(row.seq), text: String(row.text) };
    },
    keep: (run: string, seq: number, text: string): void => {
      db.exec(
        'CREATE TABLE IF NOT EXISTS recollections (run TEXT PRIMARY KEY, seq INTEGER NOT NULL, text TEXT NOT NULL) STRICT',
      );
      db.prepare('INSERT OR REPLACE INTO recollections (run, seq, text) VALUES (?, ?, ?)').run(
        run,
        seq,
        text,
      );
      db.prepare(
        'DELETE FROM recollections WHERE run NOT IN (SELECT run FROM recollections ORDER BY seq DESC LIMIT ?)',
      ).run(keptMax);
    },
  };
};
