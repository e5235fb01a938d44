import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import xterm from '@xterm/headless';
import { quoteForRemoteShell } from '../src/ssh/quote.ts';

/**
 * A program on a real pseudo-terminal, which `script` (util-linux) keeps, with a terminal emulator on this side of it:
 * for what has to be seen from outside, by the benchmarks and the recording.
 */
export type PtyTerminal = {
  /** What is on the screen, lines trimmed at their ends. */
  readonly text: () => string;
  /** What a waiting condition looks at, and the recording draws. */
  readonly buffer: () => xterm.IBuffer;
  readonly type: (keys: string) => void;
  /** Resolves as soon as the screen fulfils it; rejects at the deadline, or when the program ends before. */
  readonly waitFor: (holds: (text: string) => boolean, what: string) => Promise<void>;
  /** The process on the terminal: its id, once it has written something. */
  readonly pid: () => number;
  /** Resolves with its exit code. */
  readonly ended: Promise<number>;
  /** Ends the program, where it has not ended by itself. */
  readonly close: () => Promise<void>;
};

export type PtyOptions = {
  readonly columns: number;
  readonly rows: number;
  /** On top of a plain environment: no NO_COLOR, no CI, 24-bit colour. */
  readonly env?: Readonly<Record<string, string>>;
  /** Each piece of output as it came, before the emulator has read it. */
  readonly onOutput?: (data: Buffer) => void;
  readonly deadlineMs?: number;
};

const usualDeadlineMs = 60_000;

const textOf = (terminal: xterm.Terminal): string => {
  const { active } = terminal.buffer;
  return Array.from({ length: terminal.rows }, (_, row) =>
    (active.getLine(active.baseY + row)?.translateToString(true) ?? '').trimEnd(),
  ).join('\n');
};

const childOf = (pid: number): number => {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]);
  if (!(child > 0)) throw new Error(`process ${pid} has no child: nothing runs on the terminal`);
  return child;
};

export const openPty = (argv: readonly string[], options: PtyOptions): PtyTerminal => {
  const { columns, rows, deadlineMs = usualDeadlineMs } = options;
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
  const { HOME = '/', PATH = '' } = process.env;
  // `script` starts it with no size, for it has no terminal of its own to take one from.
  const command = `stty cols ${columns} rows ${rows}; exec ${quoteForRemoteShell(argv)}`;
  const script = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: {
      ...{ HOME, PATH, SHELL: '/bin/sh', LANG: 'C.UTF-8', TERM: 'xterm-256color', COLORTERM: 'truecolor' },
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const watchers = new Set<() => void>();
  const look = (): void => {
    for (const watcher of watchers) watcher();
  };
  // Whoever writes after the end finds out from `ended`.
  script.stdin.on('error', () => {});
  // A terminal answers what it is asked.
  terminal.onData((answer) => void script.stdin.write(answer));
  script.stdout.on('data', (data: Buffer) => {
    options.onOutput?.(data);
    terminal.write(data, look);
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number>();
  ended.catch(() => {});
  script.once('error', (error) => reject(new Error(`\`script\` of util-linux is needed: ${error.message}`)));
  script.once('close', (code) => resolve(code ?? -1));

  const waitFor: PtyTerminal['waitFor'] = async (holds, what) => {
    const seen = Promise.withResolvers<void>();
    const say = (why: string): void =>
      seen.reject(new Error(`${why} while waiting for ${what}; on the screen:\n${textOf(terminal)}`));
    const watcher = (): void => {
      if (holds(textOf(terminal))) seen.resolve();
    };
    const deadline = setTimeout(() => say('time ran out'), deadlineMs);
    watchers.add(watcher);
    // The emulator reads what came last a moment later.
    ended.then(
      (code) => terminal.write('', () => say(`the program ended with exit code ${code}`)),
      (error: Error) => say(error.message),
    );
    watcher();
    try {
      await seen.promise;
    } finally {
      clearTimeout(deadline);
      watchers.delete(watcher);
    }
  };

  return {
    text: () => textOf(terminal),
    buffer: () => terminal.buffer.active,
    type: (keys) => void script.stdin.write(keys),
    waitFor,
    pid: () => childOf(script.pid ?? 0),
    ended,
    close: async () => {
      // `script` ends with what runs on its terminal; asked to end itself, it waits for seconds, and talks.
      try {
        process.kill(childOf(script.pid ?? 0), 'SIGKILL');
      } catch {
        script.kill('SIGKILL');
      }
      await ended.catch(() => {});
      terminal.dispose();
    },
  };
};
