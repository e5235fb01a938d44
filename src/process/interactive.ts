import { execa } from 'execa';

/** What a shell says when a program cannot be started. */
const cannotStart = 127;

/** Runs a program on this terminal, its keys and screen given over to it, and gives its exit code. */
export const runInteractive = async (argv: readonly string[]): Promise<number> => {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('argv is empty');
  const result = await execa(file, args, { stdio: 'inherit', reject: false });
  return result.exitCode ?? cannotStart;
};
