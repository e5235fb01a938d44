import './fixtures/colour.ts';
import { describe, expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { bigSnapshot, emptySnapshot, seedSnapshot } from './fixtures/lab.ts';
import { heldSnapshot, liveSnapshot, waitingSnapshot, withPastSnapshot } from './fixtures/runs.ts';
import { keys, openScreen } from './fixtures/terminal.ts';

/** Screens as a real terminal emulator shows them. */

const sizes = [
  [80, 24],
  [120, 40],
  [60, 20],
  [40, 12],
] as const;
const variants = [
  { name: 'full colour', ascii: false, colour: 'full' },
  { name: 'sixteen colours', ascii: false, colour: '16' },
  { name: 'no colour', ascii: false, colour: 'none' },
  { name: 'ASCII, no colour', ascii: true, colour: 'none' },
] as const;
const moments: readonly (readonly [string, LabSnapshot])[] = [
  ['nothing known yet', emptySnapshot],
  ['a lab', seedSnapshot],
  ['a thousand machines', bigSnapshot(1_000)],
  ['a plan that waits', waitingSnapshot],
  ['a live run', liveSnapshot],
  ['a held run', heldSnapshot],
  ['past runs', withPastSnapshot],
];

const sgr = /\u001b\[[\d;]+m/u;

describe.each(sizes)('at %i × %i', (columns, rows) => {
  test.each(variants)(
    '$name: every view of every moment is on the terminal as it was meant',
    async ({ ascii, colour }) => {
      for (const [, snapshot] of moments) {
        const screen = await openScreen(fakeSession(snapshot).session, { columns, rows, ascii, colour });
        // Each press waits until the terminal shows exactly the frame of the shell.
        for (const key of [
          'd',
          ']',
          ']',
          ']',
          keys.esc,
          '2',
          'j',
          '3',
          'a',
          keys.esc,
          '4',
          '5',
          '6',
          '7',
          '8',
          '?',
          'G',
          keys.esc,
          ':',
        ])
          await screen.press(key);
        if (colour === 'none') expect(screen.written()).not.toMatch(sgr);
        else expect(screen.written()).toMatch(sgr);
        if (ascii) expect(screen.text()).toMatch(/^[\x20-\x7e\n]*$/u);
        await screen.press(keys.esc);
        screen.tui.shell.key('q');
        screen.tui.shell.key('tab');
      }
    },
  );
});

test('without colour the row under the cursor, the open tab and the focus are still told', async () => {
  const screen = await openScreen(fakeSession(waitingSnapshot).session, { colour: 'none' });
  expect(screen.text()).toContain('[1 Machines]');
  expect(screen.text()).toContain('▶  congenital-optimist');
  await screen.press('3', 'a');
  expect(screen.text()).toContain('[▶ Cancel ]');
});

test('what a remote machine says cannot drive the terminal', async () => {
  const evil = '\u001b[2J\u001b[31mowned\u0007\u001b]0;title\u0007\r\nsecond \u202eline 🎉';
  const snapshot: LabSnapshot = {
    ...seedSnapshot,
    messages: [{ at: seedSnapshot.now, level: 'error', text: evil }],
  };
  const screen = await openScreen(fakeSession(snapshot).session, { colour: 'none' });
  await screen.press('4');
  expect(screen.text()).toContain('owned second line ▪');
  expect(screen.written()).not.toContain('title');
  expect(screen.written()).not.toContain('\u202e');
});

describe('resizing', () => {
  test('shows as much as there is room for, and comes back unharmed', async () => {
    const screen = await openScreen(fakeSession(seedSnapshot).session);
    const before = screen.cells();
    await screen.resize(120, 40);
    expect(screen.text()).toContain('ROLE');
    await screen.resize(39, 10);
    expect(screen.text()).toContain('The terminal is too small');
    await screen.resize(61, 13);
    await screen.resize(80, 24);
    expect(screen.cells()).toBe(before);
  });
});

describe('news', () => {
  test('appear by themselves', async () => {
    const lab = fakeSession(emptySnapshot);
    const screen = await openScreen(lab.session);
    expect(screen.text()).toContain('evaluating the flake');
    lab.show(seedSnapshot);
    await screen.waitFor('sleeper-service');
    expect(screen.text()).not.toContain('evaluating the flake');
  });

  test('that change five cells cost less than a kilobyte', async () => {
    const lab = fakeSession(liveSnapshot);
    const screen = await openScreen(lab.session, { columns: 120, rows: 40 });
    await screen.press('3');
    const before = screen.written().length;
    lab.pass(5_000);
    screen.tui.shell.tick();
    await screen.settle();
    expect(screen.text()).toContain('6 s / 12:00');
    expect(screen.written().length - before).toBeLessThan(1_024);
  });
});
