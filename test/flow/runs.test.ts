import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { ok } from '../../src/failure.ts';
import type { ConductDeps } from '../../src/flow/conduct.ts';
import { hostRuns, watch } from '../../src/flow/runs.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openJournal } from '../../src/journal/sqlite.ts';

let directory: string;
let journal: Journal;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-runs-'));
  journal = openJournal(directory, systemClock.now);
});
afterEach(() => {
  journal.close();
  rmSync(directory, { recursive: true, force: true });
});

test('a defect that ends a run in the process of its timer is told, not swallowed', async () => {
  const never = new AbortController().signal;
  const deps = {
    journal,
    clock: systemClock,
    lock: () => ok({ release: () => {} }),
    flake: '/lab',
    by: { user: 'root', host: 'desk', pid: 1, via: 'timer' },
    labVersion: 'test',
    opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
    nix: {
      evaluate: async () => {
        throw new TypeError('cannot read what is not there\u001b[2J');
      },
    },
  } as unknown as ConductDeps;
  const runs = hostRuns(deps, { stop: never, abort: never });
  const begun = await runs.start({
    goal: { kind: 'run', update: false },
    selectors: [],
    consent: { kind: 'given', confirmed: [] },
  } as unknown as Parameters<typeof runs.start>[0]);
  const run = begun.ok ? begun.value : '';
  expect(await watch(runs, run, () => {}, never)).toBe('died');
  const why = runs.whyDied(run);
  expect(why).toMatchObject({
    kind: 'died',
    message: expect.stringMatching(/TypeError: cannot read what is not there$/),
    remedy: expect.stringContaining(`lab resume ${run}`),
  });
  // Where, for whoever mends it.
  expect(why?.detail?.join('\n')).toContain('runs.test.ts');
});
