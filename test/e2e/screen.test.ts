import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

/**
 * The screen in a real terminal: tmux, a shell in it, and `lab demo` started from that shell. What matters here is what
 * no emulator in the process can show: signals, job control, exit codes, and the terminal as the shell finds it again.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const socket = `lab-screen-${process.pid}`;
const deadlineMs = 40_000;

const tmux = (...args: readonly string[]): string => {
  const done = spawnSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });
  if (done.error !== undefined)
    throw new Error(`tmux is needed here (bin/setup --tests installs it): ${done.error.message}`);
  return done.stdout;
};
// A server ends with its last session: without this one, a session could be made on a server that is about to be gone.
beforeAll(() => void tmux('new-session', '-d', '-s', 'keeper', 'sleep', 'infinity'));
afterAll(() => void tmux('kill-server'));

type Terminal = {
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
const terminal = async (columns = 100, rows = 30): Promise<Terminal> => {
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
  it.type(`cd ${root} && export TERM=screen-256color LANG=C.UTF-8 && clear`);
  return it;
};

const openDemo = async (it: Terminal): Promise<void> => {
  it.type('bin/lab demo --speed 3; echo "ended with $?"');
  await it.waitFor(/sleeper-service +\S (?:healthy|unhealthy|degraded)/u);
  expect(it.state()).toEqual({ alternate: true, cursor: false });
};

/** The shell has its terminal back as it was: its own screen, a cursor, an echo, whole lines. */
const isTheShells = async (it: Terminal): Promise<void> => {
  expect(it.state()).toEqual({ alternate: false, cursor: true });
  it.type('stty -a | tr " ;" "\\n\\n" | grep -cx -e icanon -e echo -e isig');
  await it.waitFor(/^3$/mu);
};

describe('leaving', () => {
  test('with q: exit code 0', async () => {
    const it = await terminal();
    await openDemo(it);
    it.keys('q');
    await it.waitFor(/ended with 0/u);
    await isTheShells(it);
  });

  test.each([
    ['TERM', 143],
    ['HUP', 129],
  ] as const)('by SIG%s: exit code %i', async (name, code) => {
    const it = await terminal();
    await openDemo(it);
    it.signal(name);
    await it.waitFor(new RegExp(`ended with ${code}`, 'u'));
    await isTheShells(it);
  });

  test('with Ctrl-C while a run is under way: asks, and stays by default', async () => {
    const it = await terminal();
    await openDemo(it);
    it.keys('r');
    await it.waitFor(/Plan: full run/u);
    it.keys('a');
    await it.waitFor(/Cancel/u);
    it.keys('Tab', 'Enter');
    await it.waitFor(/Running: full run/u);
    it.keys('C-c');
    await it.waitFor(/A run is under way/u);
    it.keys('Enter');
    await it.waitFor(/Running: full run/u);
    it.keys('q');
    await it.waitFor(/Quit at once/u);
    it.keys('Tab', 'Tab', 'Enter');
    await it.waitFor(/ended with 0/u);
    await isTheShells(it);
  });
});

test('Ctrl-Z gives the terminal to the shell, fg brings the screen back as it was', async () => {
  const it = await terminal();
  // Only a shell with job control can stop its children.
  it.type('exec bash --norc --noprofile');
  it.type('PS1="$ "; clear');
  it.type('bin/lab demo --speed 3');
  await it.waitFor(/sleeper-service/u);
  it.keys('j');
  it.keys('C-z');
  await it.waitFor(/Stopped/u);
  expect(it.state()).toEqual({ alternate: false, cursor: true });
  it.type('echo "the shell is here"');
  await it.waitFor(/^the shell is here/mu);
  it.type('fg');
  await it.waitFor(/\[1 Machines\]/u);
  await it.waitFor(/▶ +grey-area/u);
  it.keys('q');
  // `fg` names the command, and below it the prompt is back.
  await it.waitFor(/^bin\/lab demo --speed 3\n\$ *$/mu);
  await isTheShells(it);
});

test('resized again and again, it fits', async () => {
  const it = await terminal();
  await openDemo(it);
  for (const [columns, rows] of [
    [60, 20],
    [200, 50],
    [40, 12],
    [39, 10],
    [100, 30],
  ] as const) {
    it.resize(columns, rows);
    await it.waitFor(columns < 40 ? /too small/u : /grey-area/u);
    const lines = it.text().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  }
});

test('a shell on a machine and back: the program has the terminal, then the screen does', async () => {
  const it = await terminal();
  // The screen over a fixture, where `s` runs a shell in place of ssh.
  it.type('node_modules/.bin/node test/tui/by-hand/run.ts lab; echo "ended with $?"');
  await it.waitFor(/▶ +congenital-optimist/u);
  it.keys('s');
  await it.waitFor(/in place of ssh/u);
  expect(it.state()).toEqual({ alternate: false, cursor: true });
  it.type('echo "on the machine"; exit');
  await it.waitFor(/▶ +congenital-optimist/u);
  expect(it.state()).toEqual({ alternate: true, cursor: false });
  it.keys('q');
  await it.waitFor(/ended with 0/u);
  await isTheShells(it);
});

test('where there is no screen to be had, it says so and names the way out', async () => {
  const it = await terminal(220);
  it.type('TERM=dumb bin/lab demo; echo "ended with $?"');
  await it.waitFor(/use the plain commands instead(?:.|\n)*ended with 2/u);
  it.type('clear; bin/lab demo </dev/null; echo "ended with $?"');
  await it.waitFor(/the input is none(?:.|\n)*ended with 2/u);
});
