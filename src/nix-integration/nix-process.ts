import type { ProcessResult, RunProcess } from '../process/run.ts';
import { type NixEvent, parseNixLine } from './internal-json.ts';

/** What every Nix process of one `createNix` shares. */
export type NixProcesses = {
  readonly runProcess: RunProcess;
  /** Added to the environment of every Nix process. */
  readonly env: Readonly<Record<string, string>>;
};

export type NixRun = {
  readonly result: ProcessResult;
  /** Errors, warnings and plain lines: the last of them, for finding the cause of a failure. */
  readonly said: readonly NixEvent[];
};

const saidMax = 200;
const outputCharsDefault = 16 * 1024 * 1024;
const stderrLevelMax = 1;

/** Runs one Nix command and reads its events as they come. */
export const runNix = async (
  nix: NixProcesses,
  argv: readonly string[],
  options: {
    readonly deadlineMs: number;
    readonly signal?: AbortSignal | undefined;
    readonly env?: Readonly<Record<string, string>>;
    readonly onEvent?: (event: NixEvent) => void;
    readonly outputCharsMax?: number;
  },
): Promise<NixRun> => {
  const said: NixEvent[] = [];
  const result = await nix.runProcess(argv, {
    deadlineMs: options.deadlineMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    // Its git and ssh would outlive it on a connection that hangs; and a key for this program is none for them.
    group: true,
    env: { ...nix.env, ...options.env },
    outputCharsMax: options.outputCharsMax ?? outputCharsDefault,
    onStderrLine: (line) => {
      const event = parseNixLine(line);
      if (event.kind === 'plain' || (event.kind === 'message' && event.level <= stderrLevelMax)) {
        said.push(event);
        if (said.length > saidMax) said.shift();
      }
      options.onEvent?.(event);
    },
  });
  return { result, said };
};
