import './fixtures/colour.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { bigSnapshot, emptySnapshot, now, seedSnapshot } from './fixtures/lab.ts';
import {
  criticalRebootSnapshot,
  heldSnapshot,
  liveSnapshot,
  preparingSnapshot,
  runId,
  waitingSnapshot,
  withPastSnapshot,
} from './fixtures/runs.ts';
import { keys, openScreen } from './fixtures/terminal.ts';

/** A log that came from a machine, hostile lines included. */
const loggingSnapshot: LabSnapshot = {
  ...seedSnapshot,
  logs: {
    machine: 'grey-area',
    unit: null,
    since: now,
    status: 'following',
    message: '',
    lines: [
      '2026-11-21T02:55:01+0000 grey-area sshd[1]: ok',
      '\u001b[2J\u001b[31mevil 🎉\u0007',
      '漢字'.repeat(80),
    ].map((text) => ({ at: now, text })),
    count: 3,
  },
};

const snapshots = [
  emptySnapshot,
  seedSnapshot,
  bigSnapshot(300),
  preparingSnapshot,
  waitingSnapshot,
  criticalRebootSnapshot,
  liveSnapshot,
  heldSnapshot,
  { ...withPastSnapshot, opened: { run: runId, events: heldSnapshot.events, problem: null } },
  loggingSnapshot,
];

const chunk = fc.constantFrom(
  ...[
    'j',
    'k',
    'jjj',
    'g',
    'G',
    ' ',
    '*',
    '/',
    ':',
    '?',
    'd',
    '1',
    '2',
    '3',
    '4',
    '5',
    ']',
    '[',
    'N',
    'S',
    'B',
    'A',
    '6',
    '7',
    '8',
    'l',
    't',
    'o',
    'b',
    'z',
    'X',
    'K',
    'c',
    '<',
    '>',
    '\u0010',
  ],
  ...[
    'u',
    'r',
    'D',
    'R',
    'a',
    'x',
    'p',
    'web',
    '@infra',
    '\r',
    keys.tab,
    keys.up,
    keys.down,
    keys.left,
    keys.right,
  ],
  ...[
    keys.pageUp,
    keys.pageDown,
    keys.home,
    keys.end,
    keys.backspace,
    keys.esc,
    keys.ctrlR,
    '\u001b[200~paste\r\u001b[201~',
  ],
  ...['漢字', 'é', '🎉', '\u001b[I', '\u001b[99~', '\u001bOP'],
);
const step = fc.oneof(
  { weight: 8, arbitrary: chunk.map((text) => ({ kind: 'keys' as const, text })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('size' as const),
      columns: fc.integer({ min: 36, max: 400 }),
      rows: fc.integer({ min: 8, max: 45 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.nat({ max: snapshots.length - 1 }).map((index) => ({ kind: 'news' as const, index })),
  },
  { weight: 2, arbitrary: fc.nat({ max: 90_000 }).map((ms) => ({ kind: 'time' as const, ms })) },
);

/**
 * Keys, sizes, news and time in any order. After every step the terminal must show the frame that was meant (`settle`
 * waits for it and fails otherwise); at the end, what was drawn change by change must not differ in any cell, colours
 * included, from what one full redraw gives. A failure prints the steps and the seed that repeats them.
 */
test('what is drawn change by change is what a full redraw would give', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const lab = fakeSession(seedSnapshot);
      const screen = await openScreen(lab.session, { columns: 100, rows: 30 });
      for (const item of steps) {
        switch (item.kind) {
          case 'keys':
            await screen.press(item.text);
            break;
          case 'size':
            await screen.resize(item.columns, item.rows);
            break;
          case 'news':
            lab.show(snapshots[item.index] ?? seedSnapshot);
            await screen.settle();
            break;
          case 'time':
            lab.pass(item.ms);
            screen.tui.shell.tick();
            await screen.settle();
            break;
          default:
            item satisfies never;
        }
      }
      // Where nothing goes on, nothing moves by itself between the two looks.
      lab.show(seedSnapshot);
      await screen.settle();
      const drawn = screen.cells();
      await screen.press(keys.ctrlL);
      expect(drawn).toBe(screen.cells());
      await screen.close();
    }),
    // Shrinking would wait for a deadline at every step; the failing steps are printed as they are.
    { numRuns: 12, endOnFailure: true },
  );
});
