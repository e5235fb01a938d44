import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { execa } from 'execa';
import { folderForPrograms } from './folder.ts';
import { readOutput } from './output.ts';

/** What became of one local process. `timedOut` and `cancelled` come with whatever output there was. */
export type ProcessResult = {
  /** null when a signal ended it or it never started. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly cancelled: boolean;
  /** Output passed the bound and was cut: stdout keeps its beginning, stderr its end. */
  readonly truncated: boolean;
  /** Set when the program could not be started at all: not found, no permission. */
  readonly startError: string | null;
};

export type ProcessOptions = {
  /**
   * Whole time the process may take, milliseconds (none is left of it from 0 down); then SIGTERM, and SIGKILL after a grace
   * period. One that may not be ended from here is waited for no longer.
   */
  readonly deadlineMs: number;
  /** Ends the process the same way. */
  readonly signal?: AbortSignal;
  /**
   * It gets a process group of its own: whatever ends it before its time ends what it has started as well, and no key
   * pressed at the terminal reaches them.
   */
  readonly group?: boolean;
  /** By default the folder this process stands in, or the root where that has been removed. */
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Bound on stdout and on stderr, in characters. The process goes on when it is passed. */
  readonly outputCharsMax?: number;
  /** Called for each line as it arrives, without its newline; lines are bounded. */
  readonly onStdoutLine?: (line: string) => void;
  readonly onStderrLine?: (line: string) => void;
};

/** The seam that golden-argv tests replace. */
export type RunProcess = (argv: readonly string[], options: ProcessOptions) => Promise<ProcessResult>;

const outputCharsDefault = 64 * 1024 * 1024;
const killGraceMs = 5_000;
/** How long output may still come after the process has ended: a grandchild can hold the pipe open for ever. */
const drainGraceMs = 1_000;

const notStarted = { code: null, signal: null, stdout: '', stderr: '', timedOut: false, truncated: false };

const split = (argv: readonly string[]): { file: string; args: readonly string[] } => {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('argv is empty');
  return { file, args };
};

/** Ends what is left of the group that this process led. */
const endGroup = (leader: number | undefined): void => {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody was left.
  }
};

/** Leaders of groups that are under way: who leads one is not ended with this process by itself. */
const leaders = new Set<number>();
const endGroups = (): void => {
  for (const leader of leaders) endGroup(leader);
};
/** Ends the group with this process, too, until that is taken back. */
const endWithUs = (leader: number | undefined): (() => void) => {
  if (leader === undefined) return () => {};
  if (leaders.size === 0) process.once('exit', endGroups);
  leaders.add(leader);
  return () => {
    leaders.delete(leader);
    if (leaders.size === 0) process.off('exit', endGroups);
  };
};

/** Resolves when the kernel does not let us end the process: it is another user's, as those of sudo are. */
const beyondUs = (child: ChildProcess): Promise<null> =>
  new Promise((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.syscall === 'kill') resolve(null);
    });
  });

/** Runs one local program to its end. Programs are started in this folder only. Never rejects. */
export const runProcess: RunProcess = async (argv, options) => {
  const { file, args } = split(argv);
  if (argv.some((word) => word.includes('\0'))) {
    return { ...notStarted, cancelled: false, startError: 'a NUL byte cannot be part of a command' };
  }
  const isCancelled = (): boolean => options.signal?.aborted === true;
  if (isCancelled()) return { ...notStarted, cancelled: true, startError: null };
  const child = execa(file, args, {
    cwd: options.cwd ?? folderForPrograms(),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.group === true ? { detached: true } : {}),
    ...(options.stdin === undefined ? { stdin: 'ignore' as const } : { input: options.stdin }),
    stdout: 'pipe',
    stderr: 'pipe',
    // 0 would be no limit at all.
    timeout: Math.max(1, Math.ceil(options.deadlineMs)),
    forceKillAfterDelay: killGraceMs,
    buffer: false,
    reject: false,
  });
  const letGo = options.group === true ? endWithUs(child.pid) : () => {};
  const charsMax = options.outputCharsMax ?? outputCharsDefault;
  const stdout = readOutput(child.stdout, 'beginning', charsMax, options.onStdoutLine);
  const stderr = readOutput(child.stderr, 'end', charsMax, options.onStderrLine);
  // `exit` comes before the pipes close, and is the truth about the process even if they never do.
  const exited = once(child.nodeChildProcess, 'exit').catch(() => null);
  const ended = exited.then((exit) => {
    const timer = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, drainGraceMs);
    // A deadline or cancellation that comes after the exit, while output drains, has ended nothing.
    return { exit, timer, killed: child.nodeChildProcess.killed };
  });
  const result = await Promise.race([child, beyondUs(child.nodeChildProcess)]);
  letGo();
  if (result === null) {
    // It goes on. Whoever waits for it is told that its time is over all the same, and is kept by nothing of it.
    if (options.group === true) endGroup(child.pid);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    child.nodeChildProcess.unref();
    const cancelled = isCancelled();
    const [out, err] = await Promise.all([stdout, stderr]);
    return {
      ...notStarted,
      stdout: out.text,
      stderr: err.text,
      truncated: out.cut || err.cut,
      timedOut: !cancelled,
      cancelled,
      startError: null,
    };
  }
  if (
    result.exitCode === undefined &&
    result.signal === undefined &&
    !result.timedOut &&
    !result.isCanceled
  ) {
    child.stdout.destroy();
    child.stderr.destroy();
    return { ...notStarted, cancelled: false, startError: result.originalMessage ?? 'could not be started' };
  }
  const { exit, timer, killed } = await ended;
  if (options.group === true && killed) endGroup(child.pid);
  const [out, err] = await Promise.all([stdout, stderr]);
  clearTimeout(timer);
  const code: unknown = exit?.[0];
  const signal: unknown = exit?.[1];
  return {
    code: typeof code === 'number' ? code : null,
    signal: typeof signal === 'string' ? signal : null,
    stdout: out.text,
    stderr: err.text,
    timedOut: killed && result.timedOut,
    cancelled: killed && result.isCanceled,
    truncated: out.cut || err.cut,
    startError: null,
  };
};
