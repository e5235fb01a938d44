import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import {
  cellsOf,
  cutText,
  cutTextStart,
  fitLine,
  joined,
  type Line,
  sliceLine,
  span,
  spread,
  widthOf,
  wrapText,
} from '../../../src/tui/draw/line.ts';
import { makePen } from '../../../src/tui/draw/pen.ts';
import { plainTextOf } from '../fixtures/text.ts';

const anyText = fc.string({ unit: 'grapheme', maxLength: 40 });
const cleanLine = fc
  .array(anyText, { maxLength: 5 })
  .map((texts): Line => texts.map((text) => span(makePen(false).clean(text))));

describe('lines', () => {
  test('a fitted line has exactly its width, whatever is in it', () => {
    fc.assert(
      fc.property(cleanLine, fc.integer({ min: 0, max: 60 }), (content, width) => {
        expect(widthOf(fitLine(content, width, '…'))).toBe(width);
      }),
    );
  });

  test('two ends on one line never overlap and never spill', () => {
    fc.assert(
      fc.property(cleanLine, cleanLine, fc.integer({ min: 1, max: 60 }), (left, right, width) => {
        expect(widthOf(spread(left, right, width, '…'))).toBe(width);
      }),
    );
  });

  test('slices put together again have the width of the whole', () => {
    fc.assert(
      fc.property(cleanLine, fc.nat({ max: 40 }), (content, at) => {
        const whole = widthOf(content);
        const cut = Math.min(at, whole);
        const width = widthOf(sliceLine(content, 0, cut)) + widthOf(sliceLine(content, cut, whole));
        expect(width).toBe(whole);
      }),
    );
  });

  test('wrapped text fits its width and loses no letter', () => {
    fc.assert(
      // Narrower is never asked for, and some characters are three cells wide.
      fc.property(anyText, fc.integer({ min: 8, max: 30 }), (text, width) => {
        const clean = makePen(false).clean(text);
        const lines = wrapText(clean, width);
        for (const part of lines) expect(cellsOf(part)).toBeLessThanOrEqual(width);
        expect(lines.join('').replace(/\s/gu, '')).toBe(clean.replace(/\s/gu, ''));
      }),
    );
  });

  test('what was cut is marked, at the end or in front', () => {
    expect(cutText('sleeper-service', 8, '…')).toBe('sleeper…');
    expect(cutTextStart('/home/geir/home-lab', 9, '…')).toBe('…home-lab');
    expect(cutText('nas', 8, '…')).toBe('nas');
  });

  test('a wide character that is cut in half leaves a space, not a shifted line', () => {
    expect(plainTextOf(sliceLine([span('a漢b')], 0, 2))).toBe('a ');
    expect(plainTextOf(sliceLine([span('a漢b')], 2, 4))).toBe(' b');
  });

  test('no span holds an escape or a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(span(text).text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/u);
      }),
    );
  });
});

describe('the pen', () => {
  test('emoji and characters without width become one plain sign', () => {
    expect(makePen(false).clean('ok 🎉 done')).toBe('ok ▪ done');
    expect(makePen(false).clean('flag 🇩🇰!')).toBe('flag ▪!');
    expect(makePen(false).clean('naïve Ångström 漢字')).toBe('naïve Ångström 漢字');
  });

  test('every character of cleaned text takes one or two cells', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const clean = makePen(false).clean(text);
        expect(clean).not.toMatch(/\p{Emoji_Presentation}|\ufe0f|\u200d/u);
      }),
    );
  });

  test('in ASCII the words of lab stay readable and nothing else gets through', () => {
    const { clean } = makePen(true);
    expect(clean('kernel 6.12.8 → 6.12.11')).toBe('kernel 6.12.8 -> 6.12.11');
    expect(clean('flake ≠ running')).toBe('flake != running');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(clean(text)).toMatch(/^[\x20-\x7e]*$/u);
      }),
    );
  });

  test('every sign is one cell wide, in both sets; the branches of trees are two', () => {
    for (const ascii of [false, true])
      for (const [name, glyphs] of Object.entries(makePen(ascii).glyphs))
        for (const glyph of [glyphs].flat())
          expect([name, cellsOf(glyph)]).toEqual([name, name === 'branch' || name === 'last' ? 2 : 1]);
  });
});

describe('a line for its painter', () => {
  test('is one piece where nothing shows a difference', () => {
    const bold = span('name', 'strong');
    expect(joined([bold, span('   '), span('more', 'strong'), span('x', 'bad'), span('  ')])).toEqual([
      span('name   more', 'strong'),
      span('x', 'bad'),
    ]);
  });

  test('keeps the spaces of a coloured surface, and one of a blank line', () => {
    const row = [span('name', 'plain', 'row'), span('   ', 'quiet', 'row')];
    expect(joined(row)).toEqual([span('name   ', 'plain', 'row')]);
    expect(joined([span('name', 'plain', 'row'), span('   ')])).toEqual([
      span('name', 'plain', 'row'),
      span(' '),
    ]);
    expect(joined([span('     ')])).toEqual([span(' ')]);
  });

  test('reads as before, but for the end', () => {
    fc.assert(
      fc.property(cleanLine, (content) => {
        expect(plainTextOf(joined(content)).trimEnd()).toBe(plainTextOf(content).trimEnd());
      }),
    );
  });
});

test('the characters that are not measured are those that take one cell and one place', () => {
  const marks = '·–—‘’“”…›→≠≈↑↓─│├└╭╮╰╯█░▁▂▃▄▅▆▇▲▶●◆✔✖▪⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
  for (const char of marks) {
    expect({ char, cells: stringWidth(char), units: char.length }).toEqual({ char, cells: 1, units: 1 });
    expect(cellsOf(char)).toBe(1);
  }
  for (let code = 0xc0; code <= 0xff; code += 1) expect(stringWidth(String.fromCharCode(code))).toBe(1);
  // A mark that joins the letter before it is measured.
  expect(cellsOf('e\u0301')).toBe(1);
  expect(cellsOf('漢字')).toBe(4);
});
