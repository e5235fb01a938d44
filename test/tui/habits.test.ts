import './fixtures/colour.ts';
import { describe, expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { commands } from '../../src/tui/commands/registry.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { bigSnapshot, seedSnapshot } from './fixtures/lab.ts';
import { heldSnapshot, liveSnapshot, waitingSnapshot, withPastSnapshot } from './fixtures/runs.ts';
import { opened } from './fixtures/shell.ts';
import { keys, openScreen } from './fixtures/terminal.ts';

/** What fingers bring along from k9s, lazygit, btop, vim and less: it does the obvious thing, or says a short word. */

const open = async (snapshot: LabSnapshot, columns = 80, rows = 24) => {
  const lab = fakeSession(snapshot);
  const screen = await openScreen(lab.session, { columns, rows });
  return { ...screen, lab };
};

describe('/', () => {
  test('in a text goes to what holds the words; n and N go on, round at the end; Esc ends it', async () => {
    const screen = await open(heldSnapshot);
    await screen.press('3', '/', 'did not', keys.enter);
    expect(screen.text()).toMatch(/\d lines? with "did not"/u);
    const first = screen
      .text()
      .split('\n')
      .find((text) => text.startsWith('▶'));
    expect(first).toContain('did not');
    await screen.press('n');
    expect(screen.text()).toMatch(/did not: 2 of \d/u);
    await screen.press('N');
    expect(screen.text()).toMatch(/did not: 1 of \d/u);
    await screen.press(keys.esc);
    expect(screen.text()).toContain('[3 Run]');
    await screen.press('n');
    expect(screen.text()).toContain('/ begins');
  });

  test('finds while it is typed, and Esc goes back to where one was', async () => {
    const screen = await open(waitingSnapshot);
    await screen.press('3');
    const before = screen.text();
    await screen.press('/', 'Left out');
    expect(screen.text()).toMatch(/^▶ *Left out/mu);
    await screen.press(keys.esc);
    expect(screen.text()).toBe(before);
  });

  test('of what is nowhere says so', async () => {
    const screen = await open(waitingSnapshot);
    await screen.press('3', '/', 'zzzz', keys.enter);
    expect(screen.text()).toContain('nothing here holds "zzzz"');
  });

  test('in the sequence and in a run goes to the machine', async () => {
    const screen = await open(liveSnapshot);
    await screen.press('2', '/', 'reverse', keys.enter);
    expect(screen.text()).toMatch(/▶.*reverse-proxy/u);
    await screen.press('3', '/', 'congenital', keys.enter);
    expect(screen.text()).toMatch(/▶ congenital-optimist/u);
  });

  test('in the history lists the runs that hold the text', async () => {
    const screen = await open(withPastSnapshot);
    await screen.press('7', '/', 'no such run', keys.enter);
    expect(screen.text()).toContain('no run holds that text');
    await screen.press(keys.esc);
    expect(screen.text()).toContain('held');
  });
});

describe('the views with a digit', () => {
  test('follow each other on Tab, ] and back on [, round at the ends', async () => {
    const screen = await open(seedSnapshot, 120, 40);
    await screen.press(']');
    expect(screen.text()).toContain('[2 Sequence]');
    await screen.press(keys.tab, keys.tab, '[');
    expect(screen.text()).toContain('[3 Run]');
    await screen.press('1', '[');
    expect(screen.text()).toContain('[8 Pulse]');
  });
});

describe('columns that have no room', () => {
  test('are counted, and come on Ctrl-W or Right, the name always with them', async () => {
    const screen = await open(seedSnapshot, 60, 20);
    expect(screen.text()).toMatch(/MACHINE.* \+\d+/u);
    const titles = new Set<string>();
    for (let press = 0; press < 12; press += 1) {
      const header =
        screen
          .text()
          .split('\n')
          .find((text) => text.includes('MACHINE')) ?? '';
      for (const title of header.trim().split(/ {2,}/u)) titles.add(title.replace(/[↓↑].*$/u, ''));
      await screen.press(press % 2 === 0 ? '\u0017' : keys.right);
    }
    for (const title of [
      'STATE',
      'DRIFT',
      'REBOOT NEEDED',
      'ROLE',
      'GROUPS',
      'SSH',
      'PLATFORM',
      'SEEN',
      'UP',
    ])
      expect([...titles]).toContain(title);
    await screen.press(keys.left);
    expect(screen.text()).toContain('MACHINE');
  });
});

describe('one key, one obvious thing', () => {
  const cases: readonly (readonly [string, LabSnapshot, readonly string[], RegExp])[] = [
    ['k9s: y shows what is written of it', seedSnapshot, ['y'], /\[meta(?:data)?\]/u],
    ['k9s: Ctrl-A lists what can be typed', seedSnapshot, ['ctrl-a'], /GO TO/u],
    ['k9s: 0 shows all again', seedSnapshot, ['/', 'n', 'a', 's', 'enter', '0'], /1 of 5 machines/u],
    ['k9s: :pulses', seedSnapshot, [':', ...'pulses', 'enter'], /\[8 Pulse\]/u],
    ['k9s: :xray', seedSnapshot, [':', ...'xray', 'enter'], /\[2 Sequence\]/u],
    ['lazygit: @ shows the log', seedSnapshot, ['@'], /\[4 Log\]/u],
    ['btop: f filters', seedSnapshot, ['f'], / \/█/u],
    ['less: q closes the help', seedSnapshot, ['?', 'q'], /\[1 Machines\]/u],
    ['Backspace leads back', seedSnapshot, ['2', 'backspace'], /\[1 Machines\]/u],
    ['vim: Ctrl-D is half a page', bigSnapshot(100), ['ctrl-d'], /(?:9|10|11|12|13|14|15|16|17) of 100/u],
    ['less: Space reads on', heldSnapshot, ['3', 'space'], /lines above/u],
    ['lazygit: . is the next page', bigSnapshot(100), ['.'], /[23]\d of 100/u],
    ['k9s: Ctrl-Space marks a stretch', seedSnapshot, ['space', 'j', 'ctrl-space'], /3 marked/u],
    ['k9s: Ctrl-\\ takes all marks away', seedSnapshot, ['*', 'ctrl-\\', 'ctrl-\\'], /nothing is marked/u],
    ['vim: gg and G', bigSnapshot(100), ['G', 'g', 'g'], /1 of 100/u],
  ];
  test.each(cases)('%s', (_, snapshot, pressed, shows) => {
    const { press, text } = opened(snapshot);
    press(...pressed);
    expect(text()).toMatch(shows);
  });

  test.each([':q!', ':qa', ':quit'])('%s quits', (line) => {
    const { press, type, terminal } = opened(seedSnapshot);
    type(line);
    press('enter');
    expect(terminal).toEqual([{ kind: 'quit' }]);
  });
});

describe('a key that means nothing here', () => {
  test('answers with a word, never with silence and never with a deed', () => {
    const letters = [
      ...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!@#$%^&*()-=_+,.;\'"\\|`~',
    ];
    const controls = [...'abdefghijkmnopqrstuvwxy\\]^_'].map((letter) => `ctrl-${letter}`);
    const harmless = new Set(['refresh', 'copy', 'suspend', 'quit', 'ssh', 'edit', 'repaint']);
    for (const key of [...letters, ...controls]) {
      const { press, shell, lab, terminal } = opened({ ...seedSnapshot });
      press('5');
      const before = shell.moment().ui;
      press(key);
      const { ui } = shell.moment();
      const said = ui.notice !== null || ui.input !== null || ui.dialog !== null;
      // Where one is already there is nothing to go to, and at an edge nothing to move.
      const moved = ui.stack !== before.stack || ui.scrolls !== before.scrolls || key === '5';
      const told = said || moved;
      expect({ key, told: told || lab.asked.length + terminal.length > 0 }).toEqual({ key, told: true });
      expect(
        lab.asked.filter((asked) => asked === 'approve' || asked === 'stop' || asked === 'abort'),
      ).toEqual([]);
      expect(terminal.filter(({ kind }) => !harmless.has(kind))).toEqual([]);
    }
  });

  test('Ctrl-K kills nothing, and says what stops a run', () => {
    const { press, lab, text } = opened(liveSnapshot);
    press('3', 'ctrl-k');
    expect(text()).toContain('x stops a run');
    expect(lab.asked).toEqual([]);
  });

  test('a key of several other views is named with them, not with one of them alone', () => {
    const { press, text } = opened(seedSnapshot);
    press('8', 'enter');
    expect(text()).toMatch(/Enter means nothing here; elsewhere: .*details/u);
  });

  test('a key of another view is named with its reason', () => {
    const { press, text } = opened(seedSnapshot);
    press('a');
    expect(text()).toContain('a ("approve"): no plan waits for approval');
  });
});

describe('a question', () => {
  test.each(['q', 'n', 'esc'])('%s takes it back', (key) => {
    const { press, lab, text } = opened(liveSnapshot);
    press('3', 'x', key);
    expect(text()).not.toContain('Stop the run?');
    expect(lab.asked).toEqual([]);
  });

  test('y answers nothing, and says how one does', () => {
    const { press, lab, text } = opened(liveSnapshot);
    press('3', 'x', 'y');
    expect(text()).toContain('Tab chooses, Enter takes');
    expect(lab.asked).toEqual([]);
  });
});

describe('long lines of a log', () => {
  const long =
    'a message that goes on and on and on until nobody on a telephone could read its end, which matters';
  const said: LabSnapshot = {
    ...seedSnapshot,
    messages: [{ at: seedSnapshot.now, level: 'warning', text: long }],
  };

  test('are wrapped in a narrow window, and w cuts them', async () => {
    const screen = await open(said, 40, 15);
    await screen.press('4');
    expect(screen.text().replaceAll(/\s+/gu, '')).toContain(long.replaceAll(' ', ''));
    await screen.press('w');
    expect(screen.text()).toContain('…');
  });

  test('are cut in a wide one, and w wraps them', async () => {
    const screen = await open(said, 90, 24);
    await screen.press('4');
    expect(screen.text()).not.toContain('matters');
    await screen.press('w');
    expect(screen.text()).toContain('matters');
  });
});

test('+ gives the rows the whole window, and + again what stands below them', async () => {
  const screen = await open(liveSnapshot);
  await screen.press('3');
  expect(screen.text()).toContain(' Log ─');
  await screen.press('+');
  expect(screen.text()).not.toContain(' Log ─');
  await screen.press('+');
  expect(screen.text()).toContain(' Log ─');
});

test('no plain key approves, stops or changes anything without a question or a plan first', () => {
  const plain = commands.filter(({ danger, keys: bound }) => danger === 'changes' && bound.length > 0);
  for (const { id, keys: bound } of plain)
    for (const key of bound)
      for (const snapshot of [seedSnapshot, waitingSnapshot, liveSnapshot, heldSnapshot]) {
        const { press, lab } = opened(snapshot);
        press('3', key);
        // A plan that is prepared waits for its approval; a pause only holds back; a decline touches nothing.
        const direct = lab.asked.filter((asked) => /^(?:approve|stop|abort|update)/u.test(asked));
        expect({ id, key, direct }).toEqual({ id, key, direct: [] });
      }
});
