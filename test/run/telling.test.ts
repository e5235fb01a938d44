import { expect, test } from 'vitest';
import { RunResult } from '../../src/run/event.ts';
import { resultWords, tellEvent } from '../../src/run/telling.ts';

test('the end of a run is told in the words that every front end uses', () => {
  for (const result of RunResult.options)
    expect(tellEvent({ kind: 'run-ended', result, reason: 'so it is', failure: null })).toMatchObject({
      text: `run ${resultWords[result].text}: so it is`,
      mark: resultWords[result].mark,
    });
});
