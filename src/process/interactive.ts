import { constants } from 'node:os';
import { execa } from 'execa';
import { folderForPrograms } from './folder.ts';

/** What a shell says when a program cannot be started, and what it adds to the signal that ended one. */
const cannotStart = 127;
const endedBySignal = 128;

/** Runs a program on this terminal, its keys and screen given over to it, and gives its exit code as a shell would. */
export const runInteractive = async (
  argv: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<number> => {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('argv is empty');
  const result = await execa(file, args, {
    ...options,
    cwd: folderForPrograms(),
    stdio: 'inherit',
    reject: false,
  });
  if (result.signal !== undefined) return endedBySignal + constants.signals[result.signal];
  return result.exitCode ?? cannotStart;
};
