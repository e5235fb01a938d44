import { closeSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sanitiseLine } from '../text/sanitise.ts';
import { typedLinesMax, typedWith } from '../tui/state/input.ts';
import { typedTextMax } from '../tui/state/keys.ts';

/** Lines typed after `:`, kept from one session to the next: one to a line, the newest last. */

/** What is read of the file: a few bytes for each character of as many lines as are kept. */
const fileBytesMax = 4 * typedLinesMax * (typedTextMax + 1);

const pathIn = (stateDirectory: string): string => join(stateDirectory, 'typed-lines');

/** Somebody may have edited the file, or a disk may have broken it: what could not have been typed is left out. */
const couldBeTyped = (line: string): boolean =>
  line.trim() !== '' &&
  line.length <= typedTextMax &&
  sanitiseLine(line) === line &&
  !line.includes('\ufffd');

const read = (path: string): readonly string[] => {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    const buffer = Buffer.alloc(fileBytesMax);
    const text = buffer.toString('utf8', 0, readSync(file, buffer, 0, fileBytesMax, 0));
    return text
      .split('\n')
      .filter(couldBeTyped)
      .reduce(typedWith, [] as readonly string[]);
  } catch {
    return [];
  } finally {
    closeSync(file);
  }
};

export type TypedLines = {
  readonly lines: readonly string[];
  /** Keeps one more line; null, or why it could not be kept. */
  readonly remember: (line: string) => string | null;
};

/** `keep: false` reads what there is and writes nothing, as a read-only screen does. */
export const openTypedLines = (stateDirectory: string, keep: boolean): TypedLines => {
  const path = pathIn(stateDirectory);
  return {
    lines: read(path),
    remember: (line) => {
      if (!keep || !couldBeTyped(line)) return null;
      const fresh = `${path}.${process.pid}.new`;
      try {
        // Read anew: another screen may have kept lines meanwhile.
        const text = typedWith(read(path), line).map((one) => `${one}\n`);
        rmSync(fresh, { force: true });
        writeFileSync(fresh, text.join(''), { mode: 0o600, flag: 'wx' });
        renameSync(fresh, path);
        return null;
      } catch (error) {
        rmSync(fresh, { force: true });
        return `what is typed after : is not kept: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
  };
};
