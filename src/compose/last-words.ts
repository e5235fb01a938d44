import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { FailureRecord, type RunId } from '../run/event.ts';
import { sanitiseLine } from '../text/sanitise.ts';

/**
 * Why an engine gave its run up: it cannot be in the journal when the journal is what broke. The room for it is taken
 * before the run begins, so that a full disk does not silence it as well.
 */

const roomBytes = 8_192;
const logCharsShown = 300;

/** Takes the room. Fails where there is none: then there is none for a run either. */
export const reserveLastWords = (path: string): Result<void> => {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, ' '.repeat(roomBytes), { mode: 0o600, flush: true });
    return ok(undefined);
  } catch (error) {
    return fail({
      kind: 'state-directory',
      machine: null,
      phase: 'start',
      message: `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'make it writable and give it room, or choose another state directory with LAB_STATE_DIR',
    });
  }
};

/** Writes into the room that was taken. Never throws: who speaks last has nobody to complain to. */
export const writeLastWords = (path: string, failure: Failure): void => {
  try {
    const { detail: _evidence, ...bare } = failure;
    const text = Buffer.from(JSON.stringify(bare)).subarray(0, roomBytes);
    const file = openSync(path, 'r+');
    try {
      writeSync(file, text, 0, text.length, 0);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch {
    return;
  }
};

export const dropLastWords = (path: string): void => rmSync(path, { force: true });

/** The end of the file; empty where there is none. */
const readEnd = (path: string): string => {
  try {
    const file = openSync(path, 'r');
    try {
      const room = Buffer.alloc(roomBytes);
      const read = readSync(file, room, 0, roomBytes, Math.max(0, fstatSync(file).size - roomBytes));
      return room.toString('utf8', 0, read).trim();
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
};

const asFailure = (text: string): Failure | null => {
  try {
    return FailureRecord.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
};

/**
 * Why the process of a run is gone, as far as it could say: its last words, else the end of its log, which holds what a
 * defect says. Null when it said nothing: it was killed.
 */
export const readWhyDied = (run: RunId, lastWordsPath: string, logPath: string): Failure | null => {
  const said = asFailure(readEnd(lastWordsPath));
  if (said !== null) return said;
  const log = readEnd(logPath);
  if (log === '') return null;
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const error = lines.find((line) => /error/iu.test(line)) ?? lines.at(-1) ?? '';
  return {
    kind: 'died',
    machine: null,
    phase: 'run',
    message: `the process of run ${run} died: ${sanitiseLine(error, logCharsShown)}`,
    remedy: `\`lab resume ${run}\` looks at every machine and goes on from there; what it said is in ${logPath}`,
  };
};
