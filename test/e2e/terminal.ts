import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';

/** A real terminal for a test file: tmux, with a shell in it. */

const socket = `lab-screen-${process.pid}`;
const deadlineMs = 100_000;

const tmux = (...args: readonly string[]): string => {
  const done = spawnSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });
  if (done.error !== undefined)
    throw new Error(`tmux is needed here (bin/setup --tests installs it): ${done.error.message}`);
  return done.stdout;
};
/** To be called once in a file: the server of its terminals. */
export const withTmux = (): void => {
  // A server ends with its last session: without this one, a session could be made on a server that is about to be gone.
  beforeAll(() => void tmux('new-session', '-d', '-s', 'keeper', 'sleep', 'infinity'));
  afterAll(() => void tmux('kill-server'));
};

export type Terminal = {
  readonly type: (line: string) => void;
  readonly keys: (...keys: readonly string[]) => void;
  readonly text: () => string;
  readonly waitFor: (wanted: RegExp) => Promise<string>;
  /** Asked of tmux: whether the alternate screen is on, and whether the cursor shows. */
  readonly state: () => { readonly alternate: boolean; readonly cursor: boolean };
  readonly resize: (columns: number, rows: number) => void;
  /** Sends a signal to the screen's own process. */
  readonly signal: (name: 'TERM' | 'HUP' | 'INT') => void;
};

let sessions = 0;
export const terminal = async (folder: string, columns = 100, rows = 30): Promise<Terminal> => {
  sessions += 1;
  const name = `s${sessions}`;
  tmux('new-session', '-d', '-s', name, '-x', String(columns), '-y', String(rows), 'env', 'PS1=$ ', 'sh');
  onTestFinished(() => void tmux('kill-session', '-t', name));
  const text = (): string => tmux('capture-pane', '-p', '-t', name);
  const waitFor = async (wanted: RegExp): Promise<string> => {
    await expect.poll(text, { timeout: deadlineMs, interval: 100 }).toMatch(wanted);
    return text();
  };
  const it: Terminal = {
    type: (line) => void tmux('send-keys', '-t', name, line, 'Enter'),
    keys: (...keys) => {
      for (const key of keys) tmux('send-keys', '-t', name, key);
    },
    text,
    waitFor,
    state: () => {
      const [alternate, cursor] = tmux('display-message', '-p', '-t', name, '#{alternate_on} #{cursor_flag}')
        .trim()
        .split(' ');
      return { alternate: alternate === '1', cursor: cursor === '1' };
    },
    resize: (width, height) =>
      void tmux('resize-window', '-t', name, '-x', String(width), '-y', String(height)),
    signal: (signal) => {
      const shell = tmux('display-message', '-p', '-t', name, '#{pane_pid}').trim();
      const [child] = spawnSync('pgrep', ['-P', shell], { encoding: 'utf8' }).stdout.trim().split('\n');
      if (child === undefined || child === '') throw new Error('nothing runs in the terminal');
      process.kill(Number(child), `SIG${signal}`);
    },
  };
  await waitFor(/\$/u);
  it.type(`cd ${folder} && export TERM=screen-256color LANG=C.UTF-8 && clear`);
  return it;
};

/** The shell has its terminal back as it was: its own screen, a cursor, an echo, whole lines. */
export const isTheShells = async (it: Terminal): Promise<void> => {
  expect(it.state()).toEqual({ alternate: false, cursor: true });
  it.type('stty -a | tr " ;" "\\n\\n" | grep -cx -e icanon -e echo -e isig');
  await it.waitFor(/^3$/mu);
};
