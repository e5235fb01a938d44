import { describe, expect, test } from 'vitest';
import { editText, type KeyFlags, keyLabel, keysOf } from '../../../src/tui/state/keys.ts';

const none: KeyFlags = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageDown: false,
  pageUp: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  shift: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
};
const keys = (input: string, flags: Partial<KeyFlags> = {}, typing = false) =>
  keysOf(input, { ...none, ...flags }, typing);

describe('what was pressed', () => {
  test('keys that have names', () => {
    expect(keys('', { downArrow: true })).toEqual(['down']);
    expect(keys('', { escape: true })).toEqual(['esc']);
    expect(keys('\r', { return: true })).toEqual(['enter']);
    expect(keys('', { tab: true, shift: true })).toEqual(['shift-tab']);
    expect(keys('c', { ctrl: true })).toEqual(['ctrl-c']);
    expect(keys(' ')).toEqual(['space']);
    expect(keys('J', { shift: true })).toEqual(['J']);
  });

  test('fast keys that arrive together are told apart', () => {
    expect(keys('jj')).toEqual(['j', 'j']);
    expect(keys('jjjjjjjjjjjjjjjjjjjj')).toHaveLength(20);
    expect(keys('j\r')).toEqual(['j', 'enter']);
  });

  test('Ctrl and a letter right behind another key is not lost', () => {
    expect(keys('j\u001a')).toEqual(['j', 'ctrl-z']);
    expect(keys('j\u0003')).toEqual(['j', 'ctrl-c']);
    expect(keys(' jj\u0000')).toEqual(['space', 'j', 'j', 'ctrl-space']);
    expect(keys('*\u001cg')).toEqual(['*', 'ctrl-\\', 'g']);
    expect(keys(' ', { ctrl: true })).toEqual(['ctrl-space']);
    expect(keys('\\', { ctrl: true })).toEqual(['ctrl-\\']);
    expect(keys('ab\u007f', {}, true)).toEqual(['a', 'b', 'backspace']);
  });

  test('a key that is let go is no key', () => {
    expect(keys('j', { eventType: 'release' })).toEqual([]);
  });

  test('Esc and a key sent together are Esc and that key, not Alt', () => {
    expect(keys('j', { meta: true })).toEqual(['esc', 'j']);
  });
});

describe('what was pasted without brackets', () => {
  test('text with an Enter in it presses nothing', () => {
    expect(keys('reboot everything\r')).toEqual([]);
    expect(keys('D\rR\r')).toEqual([]);
    expect(keys('rD\nx')).toEqual([]);
  });

  test('a long mixture presses nothing', () => {
    expect(keys('sleeper-service')).toEqual([]);
  });

  test('into a line that is being typed it goes, but never its Enter', () => {
    expect(keys('sleeper-service\r', {}, true)).toEqual([...'sleeper-service']);
    expect(keys('/sleeper-service\rD')).toEqual([...'/sleeper-service']);
    expect(keys(':reboot nas\r')).not.toContain('enter');
  });
});

describe('typing', () => {
  test('a line is edited at its end', () => {
    expect(editText('na', 's')).toBe('nas');
    expect(editText('nas', 'backspace')).toBe('na');
    expect(editText('one two', 'ctrl-w')).toBe('one ');
    expect(editText('one two', 'ctrl-u')).toBe('');
    expect(editText('one', 'space')).toBe('one ');
    expect(editText('one', 'pgdn')).toBeNull();
    expect(editText('漢字', 'backspace')).toBe('漢');
  });

  test('a line does not grow without end', () => {
    expect(editText('x'.repeat(200), 'y')).toHaveLength(200);
  });
});

test('keys are written as people write them', () => {
  expect(['enter', 'ctrl-l', 'pgdn', 'D', '?'].map(keyLabel)).toEqual(['Enter', 'Ctrl-L', 'PgDn', 'D', '?']);
});
