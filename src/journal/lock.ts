import { hash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { type Journal, JournalFailure } from './journal.ts';
import { makeFolder } from './state-directory.ts';

/** Who holds the lock: written beside it for people; the lock itself is the kernel's. */
const Holder = z.object({
  pid: z.int(),
  run: z.string().max(64),
  host: z.string().max(256),
  since: z.int(),
  /** Boot and moment in which the process began, as Linux counts it: with its number it is given only once. */
  began: z.string().max(100).exactOptional(),
  /** The machine it runs on, whatever that is called by then: a hash of its machine-id(5). */
  machine: z.string().max(100).exactOptional(),
});
type LockHolder = z.infer<typeof Holder>;

export type RunLock = { readonly release: () => void };
/** `keep`: whether it is still held. Where somebody has removed its file, it is taken again, unless another run was faster. */
export type HeldLock = RunLock & { readonly keep: () => boolean };

const readHolder = (path: string): LockHolder | null => {
  try {
    return Holder.safeParse(JSON.parse(readFileSync(path, 'utf8').slice(0, 4_096))).data ?? null;
  } catch {
    return null;
  }
};

/** proc_pid_stat(5): state is the first and the start time the 20th field after the name, which may hold anything. */
const beganOf = (pid: number): string | null => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\)\s/su, '')
      .split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X' || fields[19] === undefined) return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`;
  } catch {
    return null;
  }
};

const wordsIn = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

/** The id itself is confidential: what is made of it says nothing to others. Without one, this boot stands for it. */
const machineHere = (): string => {
  const id = wordsIn('/etc/machine-id') || wordsIn('/proc/sys/kernel/random/boot_id');
  return hash('sha256', `lab run lock ${id}`, 'hex').slice(0, 32);
};

/**
 * Whoever wrote itself down as holder and still runs, though its lock is free: who holds a lock takes its name back
 * before it gives the lock back, so somebody has removed the file. People do, to files called lock.
 */
const holderInSpite = (directory: string): LockHolder | null => {
  const holder = readHolder(holderPathIn(directory));
  if (holder?.began === undefined || holder.pid === process.pid) return null;
  return beganOf(holder.pid) === holder.began ? holder : null;
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
  const free = (): ReturnType<typeof lookAtRunLock> => {
    const holder = holderInSpite(directory);
    return holder === null ? { held: false } : { held: true, holder };
  };
  if (!existsSync(lockPathIn(directory))) return free();
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(lockPathIn(directory), { readOnly: true, timeout: 0 });
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return free();
  } catch (error) {
    // What cannot be looked at is not taken for dead.
    return { held: true, holder: isHeldError(error) ? readHolder(holderPathIn(directory)) : null };
  } finally {
    db?.close();
  }
};

/** Magic numbers of file systems that other machines may use as well (statfs(2)): NFS, SMB, 9P, AFS, Ceph, FUSE. */
const sharedFileSystems = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x5346414f, 0x00c36400, 0x65735546,
]);
const isShared = (directory: string): boolean => sharedFileSystems.has(statfsSync(directory).type >>> 0);

/**
 * Whether a process executes this very run, as far as that can be told here: the lock tells, which the kernel drops with its
 * process. One of another machine that shares the directory may not show; then its name does, until it takes it back. A
 * machine of our name is ours, though its machine-id be another one since (made anew at each boot, where /etc is not kept),
 * unless the directory is one that two machines of one name may share.
 */
export const isExecuting = (
  directory: string,
  run: string,
  hostName: string,
  shared: (directory: string) => boolean = isShared,
): boolean => {
  const lock = lookAtRunLock(directory);
  if (lock.held) return lock.holder === null || lock.holder.run === run;
  const named = readHolder(holderPathIn(directory));
  if (named === null || named.run !== run) return false;
  if (named.machine === undefined) return named.host !== hostName;
  return named.machine !== machineHere() && (named.host !== hostName || shared(directory));
};

type Taken =
  | { readonly kind: 'taken'; readonly db: DatabaseSync }
  | { readonly kind: 'held'; readonly by: LockHolder | null }
  | { readonly kind: 'unusable'; readonly message: string };

const takeLock = (directory: string, own: LockHolder): Taken => {
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(lockPathIn(directory), { timeout: lookTimeoutMs });
    db.exec('BEGIN EXCLUSIVE');
    const by = holderInSpite(directory);
    if (by === null) {
      writeFileSync(holderPathIn(directory), `${JSON.stringify(own)}\n`, { mode: 0o600 });
      return { kind: 'taken', db };
    }
    db.close();
    return { kind: 'held', by };
  } catch (error) {
    db?.close();
    if (isHeldError(error)) return { kind: 'held', by: readHolder(holderPathIn(directory)) };
    return { kind: 'unusable', message: error instanceof Error ? error.message : String(error) };
  }
};

/**
 * Takes the one lock that a run needs, or says who holds it. It is an exclusive transaction on a small database of
 * its own: SQLite keeps it as a POSIX file lock, which the kernel drops when the process dies, however it dies.
 */
export const acquireRunLock = (directory: string, holder: LockHolder): Result<HeldLock> => {
  const holderPath = holderPathIn(directory);
  const refuse = (kind: string, message: string, remedy: string): Result<HeldLock, Failure> =>
    fail({ kind, machine: null, phase: 'lock', message, remedy });
  const unusable = (message: string): Result<HeldLock, Failure> =>
    /not a database|malformed/iu.test(message)
      ? refuse(
          'state-directory',
          `the lock ${lockPathIn(directory)} is damaged: ${message}`,
          'see that no `lab` runs any more, then remove it: nothing is kept in it',
        )
      : refuse(
          'state-directory',
          `the state directory ${directory} cannot be used: ${message}`,
          'make it writable and give it room, or choose another with LAB_STATE_DIR',
        );
  const began = holder.pid === process.pid ? beganOf(process.pid) : null;
  const own: LockHolder = { ...holder, ...(began === null ? {} : { began }), machine: machineHere() };
  try {
    makeFolder(directory);
  } catch (error) {
    return unusable(error instanceof Error ? error.message : String(error));
  }
  const first = takeLock(directory, own);
  if (first.kind === 'unusable') return unusable(first.message);
  if (first.kind === 'held')
    return refuse(
      'locked',
      first.by === null
        ? 'another run is under way'
        : `run ${first.by.run} is under way (pid ${first.by.pid} on ${first.by.host}, since ${new Date(first.by.since).toISOString()})`,
      '`lab attach` shows it and answers its plan, `lab stop` ends it',
    );
  let held = first.db;
  const identity = (): string | null => {
    const found = statSync(lockPathIn(directory), { bigint: true, throwIfNoEntry: false });
    return found === undefined ? null : `${found.dev}:${found.ino}`;
  };
  let taken = identity();
  let released = false;
  const keep = (): boolean => {
    if (released || identity() === taken) return true;
    const again = takeLock(directory, own);
    if (again.kind !== 'taken') return false;
    held.close();
    held = again.db;
    taken = identity();
    return true;
  };
  return ok({
    keep,
    release: () => {
      released = true;
      // What is there now may be somebody else's.
      const named = readHolder(holderPath);
      if (identity() === taken && named?.run === own.run && named.pid === own.pid)
        rmSync(holderPath, { force: true });
      held.close();
    },
  });
};

/** The journal for who executes a run: neither written nor heard any more once the lock is lost. */
export const journalUnder = (journal: Journal, lock: () => HeldLock | null): Journal => {
  const see = (): void => {
    if (lock()?.keep() !== false) return;
    throw new JournalFailure(
      'the lock of the run was removed while it was under way, and another one has begun since or the state directory is gone',
      'leave lock.db alone: it holds nobody up once its process is gone; `lab status` tells what the machines run',
      { trouble: 'other' },
    );
  };
  return {
    ...journal,
    append: (run, body) => {
      see();
      return journal.append(run, body);
    },
    asked: (run, afterId) => {
      see();
      return journal.asked(run, afterId);
    },
  };
};
