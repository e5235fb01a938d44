import type { ProcessResult } from '../../src/process/run.ts';

/** The result of a process that ended well and said nothing. */
export const ended: ProcessResult = {
  code: 0,
  signal: null,
  stdout: '',
  stderr: '',
  timedOut: false,
  cancelled: false,
  truncated: false,
  startError: null,
};
