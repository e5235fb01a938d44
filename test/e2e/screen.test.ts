import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isTheShells, type Terminal, terminal, withTmux } from './terminal.ts';

/**
 * The screen in a real terminal: tmux, a shell in it, and `lab demo` started from that shell. What matters here is what
 * no emulator in the process can show: signals, job control, exit codes, and the terminal as the shell finds it again.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
withTmux();

const openDemo = async (it: Terminal, speed = 3): Promise<void> => {
  it.type(`bin/lab demo --speed ${speed}; echo "ended with $?"`);
  await it.waitFor(/sleeper-service +\S (?:healthy|unhealthy|degraded)/u);
  expect(it.state()).toEqual({ alternate: true, cursor: false });
};

describe('leaving', () => {
  test('with q: exit code 0', async () => {
    const it = await terminal(root);
    await openDemo(it);
    it.keys('q');
    await it.waitFor(/ended with 0/u);
    await isTheShells(it);
  });

  test.each([
    ['TERM', 143],
    ['HUP', 129],
  ] as const)('by SIG%s: exit code %i', async (name, code) => {
    const it = await terminal(root);
    await openDemo(it);
    it.signal(name);
    await it.waitFor(new RegExp(`ended with ${code}`, 'u'));
    await isTheShells(it);
  });

  test('with Ctrl-C while a run is under way: asks, and stays by default', async () => {
    const it = await terminal(root);
    // On a busy machine a faster one is over before it is asked.
    await openDemo(it, 1);
    it.keys('r');
    await it.waitFor(/Plan: full run/u);
    it.keys('a');
    await it.waitFor(/Cancel/u);
    it.keys('Tab', 'Enter');
    await it.waitFor(/Running: full run/u);
    it.keys('C-c');
    await it.waitFor(/A run is under way/u);
    it.keys('Enter');
    // The run shows beside the question: gone is gone, or what is typed next could arrive together with the Enter.
    await it.waitFor(/^(?![\s\S]*Quit at once)[\s\S]*Running: full run/u);
    it.keys('q');
    await it.waitFor(/Quit at once/u);
    it.keys('Tab', 'Tab', 'Enter');
    await it.waitFor(/ended with 0/u);
    await isTheShells(it);
  });
});

test('Ctrl-Z gives the terminal to the shell, fg brings the screen back as it was', async () => {
  const it = await terminal(root);
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

test('left behind in a window that has grown is nothing of it', async () => {
  const it = await terminal(root);
  it.resize(60, 20);
  await openDemo(it);
  it.resize(80, 30);
  await it.waitFor(/REBOOT NEEDED/u);
  it.keys('q');
  await it.waitFor(/ended with 0/u);
  expect(it.text()).not.toMatch(/healthy|offline|grey-area/u);
  await isTheShells(it);
});

test('resized again and again, it fits', async () => {
  const it = await terminal(root);
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
  const it = await terminal(root);
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
  const it = await terminal(root, 220);
  it.type('TERM=dumb bin/lab demo; echo "ended with $?"');
  await it.waitFor(/use the plain commands instead(?:.|\n)*ended with 2/u);
  it.type('clear; bin/lab demo </dev/null; echo "ended with $?"');
  await it.waitFor(/the input is none(?:.|\n)*ended with 2/u);
});
