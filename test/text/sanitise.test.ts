import { expect, test } from 'vitest';
import { sanitiseLine, sanitiseLines } from '../../src/text/sanitise.ts';

test('lines that become one stay apart, however they ended', () => {
  expect(sanitiseLine('400 Bad Request\r\nconnection: close')).toBe('400 Bad Request connection: close');
  for (const end of ['\n', '\r', '\u2028', '\u0085']) expect(sanitiseLine(`one${end}two`)).toBe('one two');
});

test('nothing that moves the cursor or turns the direction is left', () => {
  expect(sanitiseLine('\u001b[2Jred\u001b[0m\u0007\u202etext\u200b')).toBe('redtext');
});

test('a long line is cut where it is said to be', () => {
  expect(sanitiseLine('abcdef', 4)).toBe('abc…');
});

test('of many lines the last are kept, the empty ones are not', () => {
  expect(sanitiseLines('one\r\n\r\ntwo\nthree\r', 2)).toEqual(['two', 'three']);
});
