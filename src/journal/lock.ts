import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type Failure, fail, ok, type Result } from '../failure.ts';

/** Who holds the lock: written beside it for people; the lock itself is the kernel's. */
const Holder = z.object({ pid: z.int(), run: z.string().max(64), host: z.string().max(256), since: z.int() });
export type LockHolder = z.infer<typeof Holder>;

export type RunLock = { readonly release: () => void };

const readHolder = (path: string): LockHolder | null => {
  try {
    return Holder.safeParse(JSON.parse(readFileSync(path, 'utf8').slice(0, 4_096))).data ?? null;
  } catch {
    return null;
  }
};

/** Who looks whether the lock is held has a share in it for a moment: that must not refuse a run. */
const lookTimeoutMs = 250;

const lockPathIn = (directory: string): string => join(directory, 'lock.db');
const holderPathIn = (directory: string): string => join(directory, 'lock-holder.json');
const isHeldError = (error: unknown): boolean =>
  /locked|busy/iu.test(error instanceof Error ? error.message : String(error));

/**
 * Whether a process holds the lock, and who that says it is (null where nobody can tell). Process ids come back after a
 * while and after every boot; the lock of a process that is gone never does. Takes nothing and writes nothing.
 */
export const lookAtRunLock = (
  directory: string,
): { readonly held: false } | { readonly held: true; readonly holder: LockHolder | null } => {
  if (!existsSync(lockPathIn(directory))) return { held: false };
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(lockPathIn(directory), { readOnly: true, timeout: 0 });
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return { held: false };
  } catch (error) {
    // What cannot be looked at is not taken for dead.
    return { held: true, holder: isHeldError(error) ? readHolder(holderPathIn(directory)) : null };
  } finally {
    db?.close();
  }
};

/**
 * Takes the one lock that a run needs, or says who holds it. It is an exclusive transaction on a small database of
 * its own: SQLite keeps it as a POSIX file lock, which the kernel drops when the process dies, however it dies.
 */
export const acquireRunLock = (directory: string, holder: LockHolder): Result<RunLock> => {
  const holderPath = holderPathIn(directory);
  const refuse = (kind: string, message: string, remedy: string): Result<RunLock, Failure> =>
    fail({ kind, machine: null, phase: 'lock', message, remedy });
  let db: DatabaseSync | null = null;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    db = new DatabaseSync(lockPathIn(directory), { timeout: lookTimeoutMs });
    db.exec('BEGIN EXCLUSIVE');
    writeFileSync(holderPath, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  } catch (error) {
    db?.close();
    const message = error instanceof Error ? error.message : String(error);
    if (isHeldError(error)) {
      const other = readHolder(holderPath);
      return refuse(
        'locked',
        other === null
          ? 'another run is under way'
          : `run ${other.run} is under way (pid ${other.pid} on ${other.host}, since ${new Date(other.since).toISOString()})`,
        '`lab attach` shows it and answers its plan, `lab stop` ends it',
      );
    }
    return refuse(
      'state-directory',
      `the state directory ${directory} cannot be used: ${message}`,
      'make it writable and give it room, or choose another with LAB_STATE_DIR',
    );
  }
  const held = db;
  return ok({ release: () => held.close() });
};
