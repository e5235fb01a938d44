import { expect, test } from 'vitest';
import { prepareColour, wantsAscii } from '../../src/tui/prepare-colour.ts';

const mode = (env: Record<string, string>) => {
  const copy: Record<string, string | undefined> = { ...env };
  const colour = prepareColour(copy);
  return [colour, copy.FORCE_COLOR];
};

test('NO_COLOR means none, whatever else is set', () => {
  expect(mode({ NO_COLOR: '1', TERM: 'xterm-256color', COLORTERM: 'truecolor' })).toEqual(['none', '0']);
  expect(mode({ NO_COLOR: '1', FORCE_COLOR: '3' })).toEqual(['none', '0']);
});

test('an empty NO_COLOR means nothing', () => {
  expect(mode({ NO_COLOR: '', TERM: 'xterm' })).toEqual(['16', '1']);
});

test('the terminal says how many colours it has', () => {
  expect(mode({ TERM: 'xterm' })).toEqual(['16', '1']);
  expect(mode({ TERM: 'screen-256color' })).toEqual(['full', '2']);
  expect(mode({ TERM: 'xterm-256color', COLORTERM: 'truecolor' })).toEqual(['full', '3']);
  expect(mode({ TERM: 'xterm-direct' })).toEqual(['full', '3']);
});

test('FORCE_COLOR is what the user said', () => {
  expect(mode({ FORCE_COLOR: '0', TERM: 'xterm-256color' })).toEqual(['none', '0']);
  expect(mode({ FORCE_COLOR: 'true', TERM: 'xterm-256color' })).toEqual(['16', '1']);
});

test('ASCII alone on the Linux console and where the locale is not UTF-8', () => {
  expect(wantsAscii({ TERM: 'linux', LANG: 'en_US.UTF-8' })).toBe(true);
  expect(wantsAscii({ TERM: 'xterm', LANG: 'C' })).toBe(true);
  expect(wantsAscii({ TERM: 'xterm' })).toBe(true);
  expect(wantsAscii({ TERM: 'xterm', LANG: 'C.UTF-8' })).toBe(false);
  expect(wantsAscii({ TERM: 'xterm', LC_ALL: 'C', LANG: 'en_US.UTF-8' })).toBe(true);
  expect(wantsAscii({ TERM: 'xterm', LC_ALL: '', LC_CTYPE: 'de_DE.utf8' })).toBe(false);
});
