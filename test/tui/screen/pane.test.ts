import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { line, widthOf } from '../../../src/tui/draw/line.ts';
import { makePen } from '../../../src/tui/draw/pen.ts';
import {
  atEnd,
  atTop,
  bodyLines,
  moveBy,
  moveToEdge,
  type Pane,
  pageOf,
  selectedIndex,
  textPane,
  topOf,
} from '../../../src/tui/screen/pane.ts';
import { plainTextOf } from '../fixtures/text.ts';

const pen = makePen(false);

const listOf = (count: number, keyed: (index: number) => boolean = () => true): Pane => ({
  head: [line('HEAD')],
  count,
  keyAt: (index) => (keyed(index) ? `row ${index}` : null),
  lineAt: (index) => line(keyed(index) ? `row ${index}` : `heading ${index}`),
  kind: 'list',
  empty: [line('nothing')],
  foot: null,
  noun: 'row',
});

const shown = (pane: Pane, scroll = atTop, height = 6, width = 40): readonly string[] =>
  bodyLines(pane, scroll, width, height, pen).map((content) => plainTextOf(content).trimEnd());

describe('a list', () => {
  test('has its cursor on the first row, shown by a pointer', () => {
    expect(shown(listOf(3))).toEqual(['HEAD', '▶row 0', ' row 1', ' row 2', '', '']);
  });

  test('keeps the cursor on its row when rows come and go around it', () => {
    const scroll = { selected: 'row 2', top: 0 };
    expect(selectedIndex(listOf(5), scroll)).toBe(2);
    expect(
      selectedIndex(
        listOf(5, (index) => index !== 2),
        scroll,
      ),
    ).toBe(0);
  });

  test('passes over headings', () => {
    const waves = listOf(6, (index) => index % 3 !== 0);
    const moved = moveBy(waves, { selected: 'row 2', top: 0 }, 6, 1);
    expect(moved.selected).toBe('row 4');
    expect(moveBy(waves, moved, 6, -1).selected).toBe('row 2');
  });

  test('shows the heading above its first row again when one comes back to it', () => {
    const waves = listOf(20, (index) => index % 4 !== 0);
    const far = moveToEdge(waves, atTop, 6, 'last');
    expect(topOf(waves, moveToEdge(waves, far, 6, 'first'), 6)).toBe(0);
  });

  test('says why it is empty', () => {
    expect(shown(listOf(0))[1]).toBe('nothing');
  });

  test('asks for the rows of its window only', () => {
    const asked: number[] = [];
    const big: Pane = {
      ...listOf(5_000),
      lineAt: (index) => {
        asked.push(index);
        return line(`row ${index}`);
      },
    };
    bodyLines(big, { selected: 'row 2500', top: 0 }, 80, 20, pen);
    expect(asked).toHaveLength(19);
    expect(asked).toContain(2_500);
  });

  test('wherever one goes, the cursor is in the window and every line has its width', () => {
    const moves = fc.array(fc.oneof(fc.integer({ min: -30, max: 30 }), fc.constantFrom('first', 'last')), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        moves,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 3, max: 20 }),
        (steps, count, height) => {
          const pane = listOf(count, (index) => index % 5 !== 0 || count === 1);
          let scroll = atTop;
          for (const step of steps)
            scroll =
              typeof step === 'number'
                ? moveBy(pane, scroll, height, step)
                : moveToEdge(pane, scroll, height, step === 'first' ? 'first' : 'last');
          const lines = bodyLines(pane, scroll, 30, height, pen);
          expect(lines).toHaveLength(height);
          for (const content of lines) expect(widthOf(content)).toBe(30);
          const cursor = selectedIndex(pane, scroll);
          if (cursor >= 0) expect(lines.map(plainTextOf).some((text) => text.startsWith('▶'))).toBe(true);
        },
      ),
    );
  });
});

describe('a text', () => {
  const text = textPane(Array.from({ length: 12 }, (_, index) => line(`line ${index}`)));

  test('says how many lines are below', () => {
    expect(shown(text).at(-1)).toBe(' ↓ 7 more lines below');
    expect(shown(text, moveBy(text, atTop, 6, 6)).at(-1)).toBe(' ↓ 1 more line below');
    expect(shown(text, moveToEdge(text, atTop, 6, 'last')).at(-1)).toBe(' ↑ end; 7 lines above');
  });

  test('says nothing of the kind when all of it fits', () => {
    expect(shown(text, atTop, 12).at(-1)).toBe('line 11');
  });

  test('every line can be reached, page by page', () => {
    const seen = new Set<string>();
    let scroll = atTop;
    for (let page = 0; page < 12; page += 1) {
      for (const part of shown(text, scroll)) seen.add(part);
      scroll = moveBy(text, scroll, 6, pageOf(text, 6));
    }
    for (let index = 0; index < 12; index += 1) expect(seen).toContain(`line ${index}`);
  });

  test('that is followed stays at its end when lines come', () => {
    const longer = textPane(Array.from({ length: 30 }, (_, index) => line(`line ${index}`)));
    expect(shown(longer, atEnd)).toContain('line 29');
    const up = moveBy(text, atEnd, 6, -1);
    expect(up.top).toBe(6);
    expect(shown(longer, up)).not.toContain('line 29');
  });
});

describe('a foot', () => {
  const withFoot = (count: number): Pane => ({
    ...listOf(count),
    foot: {
      least: 3,
      lines: (height) => Array.from({ length: height }, (_, index) => line(`foot ${index}`)),
    },
  });

  test('gets what the rows leave, and never less than its share', () => {
    expect(shown(withFoot(2), atTop, 10).filter((text) => text.startsWith('foot'))).toHaveLength(7);
    expect(shown(withFoot(50), atTop, 10).filter((text) => text.startsWith('foot'))).toHaveLength(3);
  });

  test('leaves a row at least', () => {
    expect(shown(withFoot(50), atTop, 3)).toContain('▶row 0');
  });
});

describe('a head taller than the screen', () => {
  const tall: Pane = { ...listOf(20), head: Array.from({ length: 9 }, (_, index) => line(`head ${index}`)) };

  test('gives way to the rows, and says that it did', () => {
    const shown = bodyLines(tall, atTop, 40, 7, pen).map(plainTextOf);
    expect(shown).toHaveLength(7);
    expect(shown[2]).toContain('7 more lines in a taller window');
    expect(shown[3]).toContain('row 0');
  });

  test('does not keep the cursor out of sight', () => {
    const scroll = moveToEdge(tall, atTop, 7, 'last');
    expect(bodyLines(tall, scroll, 40, 7, pen).map(plainTextOf).join('\n')).toContain('row 19');
  });
});
