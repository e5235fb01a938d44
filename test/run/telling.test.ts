import { expect, test } from 'vitest';
import { RunResult } from '../../src/run/event.ts';
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
