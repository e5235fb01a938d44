import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { directoryOf, type FlakeRef } from './flake-ref.ts';
import { replaceFile } from './replace-file.ts';

export const lockFailure = (
  kind: string,
  message: string,
  remedy: string,
): { readonly ok: false; readonly failure: Failure } =>
  fail({ kind, machine: null, phase: 'update', message, remedy });

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/** Where flake.lock of a local flake lies. Failure kind `not-local`. */
export const lockPathOf = (flake: FlakeRef): Result<string> => {
  const directory = directoryOf(flake);
  return directory === null
    ? lockFailure(
        'not-local',
        `The flake ${sanitiseLine(flake.url)} is not a folder on this machine, so its lock cannot be moved.`,
        'Give --flake a local checkout.',
      )
    : ok(join(directory, 'flake.lock'));
};

/** The text of a lock file; null where there is none. Failure kind `lock-file`. */
export const readLock = async (path: string): Promise<Result<string | null>> => {
  try {
    return ok(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ok(null);
    return lockFailure(
      'lock-file',
      `${sanitiseLine(path)} cannot be read (${codeOf(error)}).`,
      'Check who owns the file.',
    );
  }
};

/** SHA-256 (hex) of a lock file's text; null for no file. */
export const lockHash = (text: string | null): string | null =>
  text === null ? null : createHash('sha256').update(text).digest('hex');

/**
 * Puts the lock file back to what it was; null removes it. Only what `lab` wrote (`movedHash`) is overwritten: somebody
 * may have worked on the file since. Failure kinds `lock-changed`, `lock-file`, `not-local`.
 */
export const restoreLock = async (
  flake: FlakeRef,
  previous: string | null,
  movedHash: string | null,
): Promise<Result<void>> => {
  const path = lockPathOf(flake);
  if (!path.ok) return path;
  const now = await readLock(path.value);
  if (!now.ok) return now;
  if (now.value === previous) return ok(undefined);
  if (lockHash(now.value) !== movedHash) {
    return lockFailure(
      'lock-changed',
      `${sanitiseLine(path.value)} is no longer what lab wrote: somebody changed it since, so it stays as it is.`,
      'Compare and restore it with git: git diff flake.lock; git checkout flake.lock',
    );
  }
  try {
    if (previous === null) await rm(path.value, { force: true });
    else await replaceFile(path.value, previous, 0o644);
    return ok(undefined);
  } catch (error) {
    return lockFailure(
      'lock-file',
      `${sanitiseLine(path.value)} cannot be put back (${codeOf(error)}).`,
      'Restore it by hand: git checkout flake.lock',
    );
  }
};
