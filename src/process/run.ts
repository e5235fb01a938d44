import { execa } from 'execa';

/** What became of one local process. `timedOut` and `cancelled` come with whatever output there was. */
export type ProcessResult = {
  /** null when a signal ended it or it never started. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly cancelled: boolean;
  /** Output passed the bound and was cut. */
  readonly truncated: boolean;
  /** Set when the program could not be started at all: not found, no permission. */
  readonly startError: string | null;
};

export type ProcessOptions = {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Bound on stdout and on stderr, in characters. */
  readonly outputCharsMax?: number;
  /** Called for each line as it arrives. */
  readonly onStdoutLine?: (line: string) => void;
  readonly onStderrLine?: (line: string) => void;
};

/** The seam that golden-argv tests replace. */
export type RunProcess = (argv: readonly string[], options: ProcessOptions) => Promise<ProcessResult>;

const outputCharsDefault = 64 * 1024 * 1024;
const killGraceMs = 5_000;

/** Runs one local program to its end. The only place in the project that starts processes. Never rejects. */
export const runProcess: RunProcess = async (argv, options) => {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('argv is empty');
  const child = execa(file, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.stdin === undefined ? { stdin: 'ignore' as const } : { input: options.stdin }),
    timeout: options.deadlineMs,
    forceKillAfterDelay: killGraceMs,
    maxBuffer: options.outputCharsMax ?? outputCharsDefault,
    reject: false,
    stripFinalNewline: false,
    encoding: 'utf8',
  });
  const follow = async (from: 'stdout' | 'stderr', onLine: ((line: string) => void) | undefined) => {
    if (onLine === undefined) return;
    try {
      for await (const line of child.iterable({ from })) onLine(String(line));
    } catch {
      // The failure is in the result below.
    }
  };
  const [result] = await Promise.all([
    child,
    follow('stdout', options.onStdoutLine),
    follow('stderr', options.onStderrLine),
  ]);
  const started = result.exitCode !== undefined || result.signal !== undefined;
  return {
    code: result.exitCode ?? null,
    signal: result.signal ?? null,
    stdout: result.stdout ?? '',
    stderr: result.stderr ?? '',
    timedOut: result.timedOut,
    cancelled: result.isCanceled,
    truncated: result.isMaxBuffer,
    startError:
      started || result.isCanceled || result.timedOut
        ? null
        : (result.shortMessage ?? 'could not be started'),
  };
};
