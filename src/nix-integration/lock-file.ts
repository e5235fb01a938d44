import { createHash } from 'node:crypto';
import { lstat, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { withoutPasswords } from '../text/passwords.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { directoryOf, type FlakeRef } from './flake-ref.ts';
import { lockCharsMax } from './lock.ts';

export const lockFailure = (
  kind: string,
  message: string,
  remedy: string,
): { readonly ok: false; readonly failure: Failure } =>
  fail({ kind, machine: null, phase: 'update', message, remedy });

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/** Where flake.lock of a local flake lies. Failure kind `not-local`. */
export const lockPathOf = (flake: FlakeRef): Result<string> => {
  const directory = directoryOf(flake);
  return directory === null
    ? lockFailure(
        'not-local',
        `The flake ${sanitiseLine(withoutPasswords(flake.url))} is not a folder on this machine, so its lock cannot be moved.`,
        'Give --flake a local checkout.',
      )
    : ok(join(directory, 'flake.lock'));
};

const isLink = async (path: string): Promise<boolean> => {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
};

const unreadable = (path: string, code: string): ReturnType<typeof lockFailure> =>
  lockFailure('lock-file', `${sanitiseLine(path)} cannot be read (${code}).`, 'Check who owns the file.');

/** The file that holds the lock: what a symbolic link leads to. Failure kind `lock-file`: it leads nowhere. */
export const lockTarget = async (path: string): Promise<Result<string>> => {
  try {
    return ok(await realpath(path));
  } catch (error) {
    const code = codeOf(error);
    const link = await isLink(path);
    if (code === 'ENOENT' && !link) return ok(path);
    return link
      ? lockFailure(
          'lock-file',
          `${sanitiseLine(path)} is a symbolic link that leads nowhere (${code}).`,
          'Remove the link, or restore what it leads to.',
        )
      : unreadable(path, code);
  }
};

/** The text of a lock file; null where there is none. Failure kind `lock-file`. */
export const readLock = async (path: string): Promise<Result<string | null>> => {
  const target = await lockTarget(path);
  if (!target.ok) return target;
  try {
    const { size } = await stat(target.value);
    if (size > lockCharsMax)
      return lockFailure(
        'lock-file',
        `${sanitiseLine(path)} cannot be read: it is too large.`,
        'Restore it from git.',
      );
    return ok(await readFile(target.value, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ok(null);
    return unreadable(path, codeOf(error));
  }
};

/** SHA-256 (hex) of a lock file's text. */
export const lockHash = (text: string): string => createHash('sha256').update(text).digest('hex');
/** The same; null for no file. */
export const hashOrNone = (text: string | null): string | null => (text === null ? null : lockHash(text));
