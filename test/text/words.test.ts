import { expect, test } from 'vitest';
import { duration, roughly } from '../../src/text/words.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

test.each([
  [0, '0 s'],
  [45 * second, '45 s'],
  [89 * second, '89 s'],
  [100 * second, '1 min 40 s'],
  [10 * minute, '10 min'],
  [1_000 * second, '16 min 40 s'],
  [hour + 5 * minute, '65 min'],
  [hour + 35 * minute, '1 h 35 min'],
  [2 * hour + 5 * minute + 59 * second, '2 h 05 min'],
  [2 * 24 * hour + 4 * hour, '2 d 4 h'],
])('%i ms last %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  [45 * second, '45 s'],
  [100 * second, '2 min'],
  [347 * second, '6 min'],
  [95 * minute, '1 h 35 min'],
])('%i ms are expected as %s', (ms, text) => {
  expect(roughly(ms)).toBe(text);
});
