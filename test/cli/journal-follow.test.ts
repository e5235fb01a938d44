import { expect, test } from 'vitest';
import { journal } from '../../src/cli/deeds/journal.ts';
import type { Cli } from '../../src/cli/lab.ts';
import { ok } from '../../src/failure.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';

test('who follows the journal misses nothing, also what is written as the first lines are shown', async () => {
  const kept = createMemoryJournal(() => 0);
  const note = (text: string) =>
    kept.append('20260101-000000-0001', { kind: 'step-noted', step: 'nas/copy', note: text });
  note('before');
  const printed: string[] = [];
  const stop = new AbortController();
  let meanwhile: string | null = 'meanwhile';
  const opened = {
    journal: {
      ...kept,
      close: () => {},
      tail: (count: number) => {
        const read = kept.tail(count);
        if (meanwhile !== null) note(meanwhile);
        meanwhile = null;
        return read;
      },
    },
  };
  const cli = {
    out: (text: string) => void printed.push(text),
    openJournal: async () => ok(opened),
    stop: stop.signal,
    clock: { sleep: async () => stop.abort() },
  } as unknown as Cli;
  await journal(cli, { lines: 10, follow: true, runs: false, report: false, json: true });
  expect(printed.map((line) => (JSON.parse(line) as { body: { note: string } }).body.note)).toEqual([
    'before',
    'meanwhile',
  ]);
});
