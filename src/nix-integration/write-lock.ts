import { access, constants, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { ok, type Result } from '../failure.ts';
import type { LockMove, LockWrite } from '../ports.ts';
import type { RunProcess } from '../process/run.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { codeOf, hashOrNone, lockFailure, lockTarget, readLock } from './lock-file.ts';
import { replaceFile } from './replace-file.ts';

/**
 * Writing flake.lock and putting it back. Nix computes the lock and writes nothing, so that what is about to be written
 * can be recorded before it is.
 */

/** One name, so that what a killed process left is found and removed. */
const freshOf = (target: string): string => `${target}.lab-new`;
const newFileMode = 0o644;

const gitDeadlineMs = 10_000;
const gitCharsMax = 64 * 1024;
const gitOn = (runProcess: RunProcess, path: string, words: readonly string[]) =>
  runProcess(['git', '-C', dirname(path), ...words, '--', basename(path)], {
    deadlineMs: gitDeadlineMs,
    outputCharsMax: gitCharsMax,
  });

/**
 * Whether git holds nothing of a file, so that Nix does not see it. What is ignored on purpose stays so, as with Nix
 * itself; and where git does not say, an answer would be a guess.
 */
export const isUnseen = async (runProcess: RunProcess, path: string): Promise<boolean> => {
  // Exit code 1: not tracked; 128: no work tree, or git refuses it.
  if ((await gitOn(runProcess, path, ['ls-files', '--error-unmatch'])).code !== 1) return false;
  return (await gitOn(runProcess, path, ['check-ignore', '--quiet'])).code === 1;
};

/** Lets Nix see a new lock file, as Nix itself does: git holds the name, its content is for who commits. */
const track = async (runProcess: RunProcess, path: string): Promise<Result<void>> => {
  if (!(await isUnseen(runProcess, path))) return ok(undefined);
  const added = await gitOn(runProcess, path, ['add', '--intent-to-add']);
  return added.code === 0
    ? ok(undefined)
    : lockFailure(
        'lock-untracked',
        `git does not take ${sanitiseLine(path)}, so Nix would not see it: ${sanitiseLine(added.stderr, 200)}`,
        'Add it by hand: git add --intent-to-add flake.lock',
      );
};

/** Takes a name out of git again that holds no content yet. */
const untrack = async (runProcess: RunProcess, path: string): Promise<void> => {
  const status = await gitOn(runProcess, path, ['status', '--porcelain=v2']);
  if (status.code === 0 && status.stdout.startsWith('1 .A '))
    await gitOn(runProcess, path, ['rm', '--cached', '--force', '--quiet']);
};

const cannot = (path: string, what: string, error: unknown): ReturnType<typeof lockFailure> => {
  const code = codeOf(error);
  const place = sanitiseLine(path);
  if (['EROFS', 'EACCES', 'EPERM'].includes(code))
    return lockFailure(
      'lock-read-only',
      `${place} cannot be ${what}: it, or its folder, is read-only (${code}).`,
      'Make it writable for this user, or run with --no-update.',
    );
  if (['ENOSPC', 'EDQUOT'].includes(code))
    return lockFailure(
      'lock-no-room',
      `${place} cannot be ${what}: the disk is full (${code}).`,
      'Make room, then run again.',
    );
  return lockFailure(
    'lock-file',
    `${place} cannot be ${what} (${code}).`,
    'Look at the file and its folder.',
  );
};

const seeWritable = async (target: string): Promise<void> => {
  try {
    await access(target, constants.W_OK);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
};

const changed = (path: string, since: string): ReturnType<typeof lockFailure> =>
  lockFailure(
    'lock-changed',
    `${sanitiseLine(path)} is no longer ${since}: somebody changed it since, so it stays as it is.`,
    'Compare and restore it with git: git diff flake.lock; git checkout flake.lock',
  );

/** Writes a lock that was proposed. Failure kinds as the port says. */
export const writeLock = async (runProcess: RunProcess, write: LockWrite): Promise<Result<void>> => {
  const { path, previous, text } = write;
  const target = await lockTarget(path);
  if (!target.ok) return target;
  const now = await readLock(path);
  if (!now.ok) return now;
  if (now.value !== previous && now.value !== text) return changed(path, 'what the update began with');
  try {
    await seeWritable(target.value);
    if (now.value !== text) await replaceFile(target.value, text, newFileMode, freshOf(target.value));
  } catch (error) {
    return cannot(path, 'written', error);
  }
  return track(runProcess, path);
};

/**
 * Puts the lock file at `path` back to what it was; null removes it. Only what `lab` wrote is overwritten: somebody may
 * have worked on the file since. Failure kinds `lock-changed`, `lock-read-only`, `lock-no-room`, `lock-file`.
 */
export const restoreLock = async (
  runProcess: RunProcess,
  path: string,
  { previous, movedHash }: LockMove,
): Promise<Result<void>> => {
  const target = await lockTarget(path);
  if (!target.ok) return target;
  const now = await readLock(path);
  if (!now.ok) return now;
  try {
    await rm(freshOf(target.value), { force: true });
    if (now.value === previous) return ok(undefined);
    if (hashOrNone(now.value) !== movedHash) return changed(path, 'what lab wrote');
    if (previous !== null) await replaceFile(target.value, previous, newFileMode, freshOf(target.value));
    else {
      await untrack(runProcess, path);
      await rm(target.value, { force: true });
    }
    return ok(undefined);
  } catch (error) {
    return cannot(path, 'put back', error);
  }
};

/** What the lock file at `path` holds, seen from a move of it. Failure kind `lock-file`. */
export const lockHolds = async (
  path: string,
  { previous, movedHash }: LockMove,
): Promise<Result<'previous' | 'moved' | 'other'>> => {
  const now = await readLock(path);
  if (!now.ok) return now;
  if (now.value === previous) return ok('previous');
  return ok(hashOrNone(now.value) === movedHash ? 'moved' : 'other');
};
