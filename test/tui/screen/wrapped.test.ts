import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellsOf, line } from '../../../src/tui/draw/line.ts';
import { wrapRows } from '../../../src/tui/screen/wrapped.ts';

const rowsOf = (texts: readonly string[], width: number, indent: number): readonly string[] => {
  const entries = texts.map((text) => ({ text }));
  const { count, lineAt } = wrapRows(
    {
      count: texts.length,
      cellsAt: (index) => cellsOf(texts[index] ?? ''),
      entryAt: (index) => entries[index],
      lineAt: (index) => line(texts[index] ?? ''),
    },
    width,
    indent,
  );
  return Array.from({ length: count }, (_, row) =>
    lineAt(row)
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
};

test('lines are broken between words, and go on below their beginning', () => {
  expect(rowsOf([' 12:00:00  the service answered with an error', 'short'], 24, 11)).toEqual([
    ' 12:00:00  the service',
    '           answered with',
    '           an error',
    'short',
  ]);
});

test('a word that fits no row is broken, and fills what is left of the one it begins in', () => {
  expect(rowsOf(['at /nix/store/0123456789abcdef-linux is it'], 16, 4)).toEqual([
    'at /nix/store/01',
    '    23456789abcd',
    '    ef-linux is',
    '    it',
  ]);
});

test('a word that fits a row whole stands in the next one where it does not fit this one', () => {
  expect(rowsOf([' 12:00:00  systemd-networkd.service'], 36, 10)).toEqual([
    ' 12:00:00  systemd-networkd.service',
  ]);
  expect(rowsOf([' 12:00:00  systemd-networkd.service'], 34, 10)).toEqual([
    ' 12:00:00',
    '          systemd-networkd.service',
  ]);
});

test('whatever is said: rows fit, nothing is lost, and no word that fits is broken', () => {
  const word = fc.oneof(
    fc.stringMatching(/^[a-z/.-]{1,30}$/),
    fc.constantFrom('漢字', '漢字漢字漢字漢字漢字', 'größer', '👩👩👧👩'),
  );
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 20, max: 60 }),
      fc.integer({ min: 0, max: 11 }),
      (words, width, indent) => {
        const rows = rowsOf([words.join(' ')], width, indent);
        for (const row of rows) expect(cellsOf(row)).toBeLessThanOrEqual(width);
        expect(rows.join('').replaceAll(' ', '')).toBe(words.join(''));
        const shown = rows
          .map((row, index) => (index === 0 ? row : row.slice(indent)))
          .join(' ')
          .split(' ');
        const rest = Math.max(8, width - indent);
        for (const one of words.filter((each) => cellsOf(each) <= rest)) expect(shown).toContain(one);
      },
    ),
  );
});
