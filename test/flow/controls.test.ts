import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { listenToControls } from '../../src/flow/controls.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openJournal } from '../../src/journal/sqlite.ts';
import { runId } from '../run/history.ts';

let directory = '';
let journal: Journal;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-controls-'));
  journal = openJournal(directory, () => 5);
});
afterEach(() => {
  journal.close();
  rmSync(directory, { recursive: true, force: true });
});

test('what was asked of a process that is gone is not heard by the next, however much it was', async () => {
  for (let times = 0; times < 150; times += 1)
    journal.ask(runId, times % 2 === 0 ? 'pause' : 'unpause', 'amy');
  journal.ask(runId, 'skip', 'amy', 'nas');
  journal.ask(runId, 'stop', 'amy');
  const clock = {
    now: () => 0,
    elapsed: () => 0,
    sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
  };
  const never = new AbortController().signal;
  const controls = listenToControls(journal, runId, clock, { stop: never, abort: never });
  // It hears in the order in which things were asked: once it has heard this, it has heard the rest.
  journal.ask(runId, 'pause', 'bob');
  await vi.waitFor(() => expect(controls.pause.by()).toBe('bob'), { timeout: 30_000 });
  controls.close();
  expect([controls.stop.aborted, controls.pause.endedBy?.(), controls.steering.take()]).toEqual([
    false,
    null,
    [],
  ]);
});
