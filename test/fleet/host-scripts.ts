import { fileURLToPath } from 'node:url';
import type { ProcessResult } from '../../src/process/run.ts';

/** Path of a script of `host/`. */
export const script = (name: string): string => fileURLToPath(new URL(`host/${name}`, import.meta.url));

/** The result when it is a success; throws what was done, how it ended and what it said when it is not. */
export const checked = (what: string, result: ProcessResult): ProcessResult => {
  if (result.code === 0) return result;
  const said = `${result.stdout}${result.stderr}`.trim();
  const how = result.timedOut
    ? 'took too long'
    : `ended with ${result.code ?? result.signal ?? result.startError}`;
  throw new Error(`${what} ${how}${said === '' ? '' : `: ${said}`}`);
};
