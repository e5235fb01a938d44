import { accessSync, constants, mkdirSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { JournalFailure } from './journal.ts';

/**
 * What a run needs of its state directory before anything is touched: a folder of this user, writable, with room for
 * the whole record. Found out beforehand, for a record that breaks midway leaves machines in the middle of something.
 */

/**
 * Free space that a run asks for before it begins. A plan of 100 machines takes about 1 MB and its events some more;
 * SQLite keeps as much again in its log.
 */
export const roomForARunBytes = 16 * 1024 * 1024;

/** Free space for generated files: some kilobytes, and no less than any sane disk has. */
const roomForFilesBytes = 256 * 1024;
/** New files that a command makes there, with those of SQLite beside its databases. */
const filesMade = 16;

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const chooseAnother = 'or choose another with LAB_STATE_DIR';

const unusable = (message: string, remedy: string, cause?: unknown): JournalFailure =>
  new JournalFailure(message, remedy, { trouble: 'unwritable', cause });

const fullRemedy = (directory: string): string =>
  `make room on the file system of ${directory}, ${chooseAnother}`;

/** Node says ENOENT for a folder that a read-only file system does not take, so the nearest one that exists is asked. */
const nearestWritable = (directory: string): boolean => {
  let at = directory;
  while (statSync(at, { throwIfNoEntry: false }) === undefined && dirname(at) !== at) at = dirname(at);
  try {
    accessSync(at, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/**
 * Makes a folder and those above it, like `mkdir -p`. Node's own `recursive` tries for ever where a file system says
 * ENOENT below a folder that is there, as /proc and automounters do. Throws what the file system said.
 */
export const makeFolder = (directory: string): void => {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return;
    const above = dirname(directory);
    if (codeOf(error) !== 'ENOENT' || statSync(above, { throwIfNoEntry: false }) !== undefined) throw error;
    makeFolder(above);
    makeFolder(directory);
  }
};

const make = (directory: string): void => {
  try {
    makeFolder(directory);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new JournalFailure(
        `the state directory ${directory} cannot be made: its file system is full`,
        fullRemedy(directory),
        { trouble: 'no-room', cause: error },
      );
    if (code === 'ENOTDIR' || code === 'EEXIST')
      throw unusable(
        `the state directory ${directory} cannot be made: something that is no folder stands in its way`,
        `move that away, ${chooseAnother}`,
        error,
      );
    const why = nearestWritable(directory)
      ? error instanceof Error
        ? error.message
        : String(error)
      : 'the folder it belongs in is read-only or not writable for this user';
    throw unusable(
      `the state directory ${directory} cannot be made: ${why}`,
      `make that folder writable, ${chooseAnother}`,
      error,
    );
  }
};

/**
 * Makes the directory where it is missing and sees that it is this user's, and writable. `uid` is that of this process,
 * -1 where there is none. Throws `JournalFailure`.
 */
export const prepareStateDirectory = (directory: string, uid: number): void => {
  make(directory);
  const { uid: owner, mode } = statSync(directory);
  // Its owner could rewrite what is recorded here, and approve what was not; root would leave files the owner cannot use.
  if (uid !== -1 && owner !== uid)
    throw unusable(
      `the state directory ${directory} belongs to user ${owner}, and this is user ${uid}`,
      `run lab as its owner, ${chooseAnother}`,
    );
  if ((mode & constants.S_IWOTH) !== 0)
    throw unusable(
      `the state directory ${directory} can be written by every user`,
      `\`chmod o-w ${directory}\`, ${chooseAnother}`,
    );
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(
      codeOf(error) === 'EROFS'
        ? `the state directory ${directory} is on a read-only file system`
        : `the state directory ${directory} is not writable for this user`,
      `make it writable, ${chooseAnother}`,
      error,
    );
  }
};

/** How a journal that cannot be opened travels as a failure. */
export const failureOfOpening = ({ trouble, message, remedy }: JournalFailure): Failure => ({
  kind: trouble === 'unwritable' ? 'state-directory' : trouble === 'no-room' ? 'no-room' : 'journal',
  machine: null,
  phase: 'journal',
  message,
  remedy,
});

/** Free bytes where the directory lies, or null where its file system does not tell. */
const freeBytesAt = (directory: string): number | null => {
  const { bavail, bsize, blocks } = statfsSync(directory);
  return blocks === 0 ? null : bavail * bsize;
};

/** Whether the file system has no inodes for more files, though perhaps room; some (btrfs) count none. */
const isOutOfFiles = (directory: string): boolean => {
  const { files, ffree } = statfsSync(directory);
  return files > 0 && ffree < filesMade;
};

/** What SQLite takes for the index of its log, at least. */
const sharedIndexBytes = 32_768;

/** What keeps SQLite from a file there, which it calls an I/O error or does not name at all; null for nothing that shows. */
export const whatIsShortAt = (directory: string): string | null => {
  try {
    if ((freeBytesAt(directory) ?? Number.POSITIVE_INFINITY) < sharedIndexBytes)
      return 'database or disk is full';
    return isOutOfFiles(directory) ? 'disk is full (no inodes are left there: `df -i`)' : null;
  } catch {
    return null;
  }
};

/** Prepares the directory, and sees that it has this much room. `forWhat`: what asks for it, in words. */
const seeRoom = (directory: string, uid: number, bytes: number, forWhat: string): Result<void> => {
  try {
    prepareStateDirectory(directory, uid);
  } catch (error) {
    if (error instanceof JournalFailure) return fail(failureOfOpening(error));
    throw error;
  }
  if (isOutOfFiles(directory))
    return fail({
      kind: 'no-room',
      machine: null,
      phase: 'journal',
      message: `the file system of the state directory ${directory} has no room for more files (no inodes): no machine was touched`,
      remedy: `remove files there (\`df -i\` tells where they are short), ${chooseAnother}`,
    });
  const free = freeBytesAt(directory);
  if (free === null || free >= bytes) return ok(undefined);
  return fail({
    kind: 'no-room',
    machine: null,
    phase: 'journal',
    message: `the state directory ${directory} has ${megabytes(free)} left, and ${forWhat} asks for ${megabytes(bytes)}: no machine was touched`,
    remedy: fullRemedy(directory),
  });
};

/** Whether small files can be written in the directory: what is generated for ssh. */
export const seeStateDirectory = (directory: string, uid: number): Result<void> =>
  seeRoom(directory, uid, roomForFilesBytes, 'what is generated there for ssh');

/** Whether a run can be recorded in this directory to its end, as far as that can be told beforehand. */
export const seeRoomForARun = (directory: string, uid: number): Result<void> =>
  seeRoom(directory, uid, roomForARunBytes, 'the journal of a run');
