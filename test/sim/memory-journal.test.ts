import { expect, test } from 'vitest';
import { JournalFailure } from '../../src/journal/journal.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';

test('numbers and dates events, and tells them by run and by place', () => {
  let now = 1_000;
  const journal = createMemoryJournal(() => now);
  const [first, second] = ['20260101-000000-0001', '20260101-000000-0002'] as const;
  for (const run of [first, second, first]) {
    journal.append(run, { kind: 'resumed', pid: 1 });
    now += 500;
  }
  expect(journal.eventsOf(first).map(({ seq, at }) => [seq, at])).toEqual([
    [1, 1_000],
    [3, 2_000],
  ]);
  expect(journal.eventsOf(first, 1).map(({ seq }) => seq)).toEqual([3]);
  expect(journal.tail(2).map(({ seq }) => seq)).toEqual([2, 3]);
  expect(journal.tail(99)).toHaveLength(3);
  expect(journal.after(1, 1).map(({ seq }) => seq)).toEqual([2]);
  expect(journal.runs(5)).toEqual([
    { run: first, startedAt: 1_000, lastAt: 2_000, lastSeq: 3, events: 2 },
    { run: second, startedAt: 1_500, lastAt: 1_500, lastSeq: 2, events: 1 },
  ]);
});

test('a closed journal takes nothing', () => {
  const journal = createMemoryJournal(() => 0);
  journal.close();
  expect(() => journal.append('20260101-000000-0001', { kind: 'resumed', pid: 1 })).toThrow(JournalFailure);
});
