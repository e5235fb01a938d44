import { expect, test } from 'vitest';
import { lockInDoubt } from '../../src/flow/leftover.ts';
import type { EventBody } from '../../src/run/event.ts';
import { replay } from '../../src/run/state.ts';

/** What is said of flake.lock where a process died: Nix moves the file, and the journal hears of it only afterwards. */

const run = '20260101-000000-0001';
const after = (...bodies: readonly EventBody[]): string => {
  const started: EventBody = {
    kind: 'run-started',
    goal: { kind: 'run', update: true },
    flake: '/etc/nixos',
    selectors: [],
    by: { user: 'iris', host: 'desk', pid: 1, via: 'cli' },
    labVersion: 'test',
    opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
  };
  const state = replay([started, ...bodies].map((body, index) => ({ seq: index + 1, at: index, run, body })));
  if (state === null) throw new TypeError('no history');
  return lockInDoubt(state);
};

const begins: EventBody = { kind: 'preparation-started', work: 'update' };
const moved: EventBody = { kind: 'lock-moved', changes: [], previous: '{}', movedHash: 'a' };
const ends: EventBody = { kind: 'preparation-finished', work: 'update', failure: null, note: '' };

test('is in doubt between the beginning of an update and its record, and only then', () => {
  expect(after(begins)).toContain('which may be the new one: `git diff flake.lock` shows it');
  expect(after({ kind: 'preparation-started', work: 'evaluate' })).toBe('');
  expect(after(begins, moved)).toBe('');
  expect(after(begins, ends)).toBe('');
});
