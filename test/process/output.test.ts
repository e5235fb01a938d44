import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCapture, createLineCutter, lineCharsMax } from '../../src/process/output.ts';

const linesOf = (pieces: readonly string[]): string[] => {
  const lines: string[] = [];
  const cutter = createLineCutter((line) => lines.push(line));
  for (const piece of pieces) cutter.push(piece);
  cutter.end();
  return lines;
};

test('lines do not depend on how the stream was cut into pieces', () => {
  const piece = fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'ü'), maxLength: 8 });
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      expect(linesOf(pieces)).toEqual(linesOf([pieces.join('')]));
    }),
  );
});

test('a line of ten million characters is cut and its neighbours are whole', () => {
  const lines = linesOf(['before\n', ...Array<string>(100).fill('x'.repeat(100_000)), '\nafter']);
  expect(lines.map((line) => line.length)).toEqual([6, lineCharsMax, 5]);
});

test('a capture keeps exactly the beginning or the end', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 9 }), (pieces, max) => {
      const beginning = createCapture('beginning', max);
      const end = createCapture('end', max);
      for (const piece of pieces) {
        beginning.push(piece);
        end.push(piece);
      }
      const whole = pieces.join('');
      const cut = whole.length > max;
      expect(beginning.take()).toEqual({ text: whole.slice(0, max), cut });
      expect(end.take()).toEqual({ text: whole.slice(-max), cut });
    }),
  );
});
