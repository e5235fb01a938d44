import { cellsOf, graphemesOf, type Line, sliceLine, span } from '../draw/line.ts';

/** Lines that are longer than the window, told on as many rows as they need, broken between words. */
export type Wrapped = { readonly count: number; readonly lineAt: (index: number) => Line };

const plainAscii = /^[\x20-\x7e]*$/u;
/** One character for each cell: continued ones, of wide characters, are marked. */
const continued = '\u0000';
const cellwise = (text: string): string =>
  graphemesOf(text)
    .map((grapheme) => {
      const cells = cellsOf(grapheme);
      return cells === 1 ? grapheme.charAt(0) : cells === 0 ? '' : `x${continued.repeat(cells - 1)}`;
    })
    .join('');

/**
 * Where the rows below the first begin, in cells. A word that fits a row is never broken; one that does not fills what
 * is left of its row.
 */
export const breaksOf = (text: string, width: number, rest: number): readonly number[] => {
  const cells = plainAscii.test(text) ? text : cellwise(text);
  const breaks: number[] = [];
  for (let [from, room] = [0, width]; cells.length - from > room; room = rest) {
    const space = cells.lastIndexOf(' ', from + room);
    const end = cells.indexOf(' ', space + 1);
    const word = (end < 0 ? cells.length : end) - space - 1;
    const whole = space > from && word <= rest && cells.slice(from, space).trim() !== '';
    let next = whole ? space + 1 : from + room;
    if (!whole && cells[next] === continued && next - 1 > from) next -= 1;
    while (cells[next] === ' ') next += 1;
    // Spaces alone are no row.
    if (next >= cells.length) break;
    breaks.push(next);
    from = next;
  }
  return breaks;
};

/** Where the rows of a line begin, for as long as it is as wide and shown in the same width. */
const known = new WeakMap<
  object,
  {
    readonly cells: number;
    readonly width: number;
    readonly rest: number;
    readonly breaks: readonly number[];
  }
>();

/**
 * `cellsAt` is how wide a line is: it is asked of every line, the line itself only of those that are longer than the
 * window, once, and of those in it. `entryAt`: what the line is made of, the same object as long as it says the same.
 * What does not fit goes on below, `indent` cells from the left.
 */
export const wrapRows = (
  lines: {
    readonly count: number;
    readonly cellsAt: (index: number) => number;
    readonly entryAt: (index: number) => object | undefined;
    readonly lineAt: (index: number) => Line;
  },
  width: number,
  indent: number,
): Wrapped => {
  const rest = Math.max(8, width - indent);
  const breaksAt = (index: number): readonly number[] => {
    const cells = lines.cellsAt(index);
    if (cells <= width) return [];
    const entry = lines.entryAt(index);
    const before = entry === undefined ? undefined : known.get(entry);
    if (before?.cells === cells && before.width === width && before.rest === rest) return before.breaks;
    const text = lines
      .lineAt(index)
      .map((piece) => piece.text)
      .join('');
    const breaks = breaksOf(text, width, rest);
    if (entry !== undefined) known.set(entry, { cells, width, rest, breaks });
    return breaks;
  };
  /** The first row of each line. */
  const starts: number[] = [];
  let rows = 0;
  for (let index = 0; index < lines.count; index += 1) {
    starts.push(rows);
    rows += 1 + breaksAt(index).length;
  }
  const lineOf = (row: number): number => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    count: rows,
    lineAt: (row) => {
      const index = lineOf(row);
      const part = row - (starts[index] ?? 0);
      const content = lines.lineAt(index);
      const breaks = breaksAt(index);
      const next = breaks[part] ?? Number.POSITIVE_INFINITY;
      if (part === 0) return sliceLine(content, 0, Math.min(width, next));
      const from = breaks[part - 1] ?? 0;
      return [span(' '.repeat(indent)), ...sliceLine(content, from, Math.min(from + rest, next))];
    },
  };
};
