import './fixtures/colour.ts';
import { expect, test } from 'vitest';
import type { Progress } from '../../src/ports.ts';
import { EventBody } from '../../src/run/event.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { preparingSnapshot, started, withRun } from './fixtures/runs.ts';
import { openScreen } from './fixtures/terminal.ts';

/** A run before its plan: how far Nix is, in bars. */

const amounts: Progress['amounts'] = [
  { of: 'systems', done: 1, all: 4 },
  { of: 'builds', done: 12, all: 40 },
  { of: 'paths', done: 30, all: 60 },
  { of: 'bytes', done: 45_600_000, all: 101_300_000 },
];
const building = withRun({ kind: 'preparing' }, [
  started({ kind: 'run', update: false }),
  { kind: 'preparation-started', work: 'build' },
  { kind: 'preparation-noted', work: 'build', note: 'built the system of nas', amounts, built: ['nas'] },
  { kind: 'preparation-noted', work: 'build', note: 'building linux-6.12.11' },
]);

test.each([
  { columns: 120, rows: 30 },
  { columns: 80, rows: 24 },
  { columns: 60, rows: 20 },
  { columns: 40, rows: 20 },
  { columns: 80, rows: 24, ascii: true, colour: 'none' as const },
])('every count has its bar, which stays while something else is said, at $columns × $rows', async (size) => {
  const screen = await openScreen(fakeSession(building).session, size);
  await screen.press('3');
  const text = screen.text();
  expect(text).toMatch(/systems +\S+ 1 of 4/u);
  expect(text).toMatch(/builds +\S+ 12 of 40/u);
  expect(text).toMatch(/paths.* 30 of 60/u);
  expect(text).toMatch(/bytes.* 46 MB of 101 MB/u);
  expect(text).toMatch(/built +nas/u);
  expect(text).toContain('building linux-6.12.11');
});

test.each([
  { columns: 40, rows: 12 },
  { columns: 60, rows: 12 },
  { columns: 80, rows: 12 },
])('the bars come before what is over, and above the fold, at $columns × $rows', async (size) => {
  const long = withRun({ kind: 'preparing' }, [
    started({ kind: 'run', update: true }),
    ...(['update', 'evaluate', 'observe'] as const).flatMap((work): EventBody[] => [
      { kind: 'preparation-started', work },
      {
        kind: 'preparation-finished',
        work,
        note: 'as many words as do not fit into a line',
        failure: null,
      },
    ]),
    { kind: 'preparation-started', work: 'build' },
    { kind: 'preparation-noted', work: 'build', note: 'building linux', amounts, built: ['nas'] },
  ]);
  const screen = await openScreen(fakeSession(long).session, size);
  await screen.press('3');
  const text = screen.text();
  expect(text).toMatch(/bytes.* 46 MB of 101 MB/u);
  expect(text).toMatch(/\d+ more lines below/u);
});

test('where Nix counts nothing, the numbers in what was said last make the bar', async () => {
  const screen = await openScreen(fakeSession(preparingSnapshot).session);
  await screen.press('3');
  expect(screen.text()).toMatch(/█+\S* 12\/40/u);
});

test('notes of earlier builds of lab, which count nothing, are still read', () => {
  expect(EventBody.parse({ kind: 'preparation-noted', work: 'build', note: 'building x' })).toEqual({
    kind: 'preparation-noted',
    work: 'build',
    note: 'building x',
  });
});
