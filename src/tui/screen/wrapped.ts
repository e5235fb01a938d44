import { type Line, sliceLine, span } from '../draw/line.ts';

/** Lines that are longer than the window, told on as many rows as they need. */
export type Wrapped = { readonly count: number; readonly lineAt: (index: number) => Line };

/**
 * `cellsAt` is how wide a line is: it is asked of every line, the line itself only of those in the window. What does
 * not fit goes on below, `indent` cells from the left.
 */
export const wrapRows = (
  lines: {
    readonly count: number;
    readonly cellsAt: (index: number) => number;
    readonly lineAt: (index: number) => Line;
  },
  width: number,
  indent: number,
): Wrapped => {
  const rest = Math.max(8, width - indent);
  /** The first row of each line. */
  const starts: number[] = [];
  let rows = 0;
  for (let index = 0; index < lines.count; index += 1) {
    starts.push(rows);
    rows += 1 + Math.max(0, Math.ceil((lines.cellsAt(index) - width) / rest));
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
      if (part === 0) return sliceLine(content, 0, width);
      const from = width + (part - 1) * rest;
      return [span(' '.repeat(indent)), ...sliceLine(content, from, from + rest)];
    },
  };
};
