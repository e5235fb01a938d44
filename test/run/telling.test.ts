import { expect, test } from 'vitest';
import { type EventBody, RunResult } from '../../src/run/event.ts';
import { resultWords, tellEvent, tookWords } from '../../src/run/telling.ts';

test('the end of a run is told in the words that every front end uses', () => {
  for (const result of RunResult.options)
    expect(tellEvent({ kind: 'run-ended', result, reason: 'so it is', failure: null })).toMatchObject({
      text: `run ${resultWords[result].text}: so it is`,
      mark: resultWords[result].mark,
    });
});

test('what a run took leaves out how long its plan waited for an answer, and says so', () => {
  const run = { startedAt: 1_000, endedAt: 1_000 + 192_000, waitedMs: 180_000 };
  expect(tookWords(run)).toBe('12 s (its plan waited 3 min for an answer)');
  expect(tookWords({ ...run, waitedMs: 40 })).toBe('3 min 12 s');
});

test('the password in the address of a flake is not told', () => {
  const begun: EventBody = {
    kind: 'run-started',
    goal: { kind: 'run', update: false },
    flake: 'git+https://me:s3cret@git.lan/lab',
    selectors: [],
    by: { user: 'ada', host: 'desk', pid: 1, via: 'cli' },
    labVersion: 'test',
    opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
  };
  expect(tellEvent(begun).text).toContain('of git+https://me:...@git.lan/lab, begun by');
});
