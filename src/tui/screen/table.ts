import { cellsOf, fitText, type Line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';

/** Columns that drop, least important first, as the terminal narrows, and take the room that is there. */

export type Cell = { readonly text: string; readonly tone: Tone };

export type Column<Id extends string> = {
  readonly id: Id;
  readonly title: string;
  /** Below this many cells the column is not worth showing. */
  readonly least: number;
  readonly most: number;
  /** 0 stays longest. */
  readonly rank: number;
};

export type Placed<Id extends string> = {
  readonly id: Id;
  readonly title: string;
  readonly width: number;
};

const gap = 2;

/**
 * Which columns fit in `width` cells, and how wide each is. `ideal` is the width of a column's widest content.
 * Columns come in by rank at their least width; room that is left goes to them, again by rank.
 */
export const placeColumns = <Id extends string>(
  columns: readonly Column<Id>[],
  ideal: (id: Id) => number,
  width: number,
): readonly Placed<Id>[] => {
  const byRank = [...columns].sort((a, b) => a.rank - b.rank);
  const want = new Map(
    columns.map((column) => [
      column.id,
      Math.max(cellsOf(column.title), Math.min(ideal(column.id), column.most)),
    ]),
  );
  const widths = new Map<Id, number>();
  let left = width;
  for (const column of byRank) {
    const start = Math.min(want.get(column.id) ?? 0, Math.max(column.least, cellsOf(column.title)));
    const cost = start + (widths.size === 0 ? 0 : gap);
    // A narrower column of lower rank must not take the place of one that was left out.
    if (cost > left) break;
    widths.set(column.id, start);
    left -= cost;
  }
  for (const column of byRank) {
    const has = widths.get(column.id);
    if (has === undefined) continue;
    const more = Math.min(left, Math.max(0, (want.get(column.id) ?? 0) - has));
    widths.set(column.id, has + more);
    left -= more;
  }
  return columns.flatMap(({ id, title }) => {
    const room = widths.get(id);
    return room === undefined ? [] : [{ id, title, width: room }];
  });
};

/** One row of cells under placed columns. */
export const tableLine = <Id extends string>(
  placed: readonly Placed<Id>[],
  cell: (id: Id) => Cell,
  pen: Pen,
): Line =>
  placed.flatMap(({ id, width }, index) => {
    const { text, tone } = cell(id);
    const fitted = fitText(text, width, pen.glyphs.more);
    return [span(index === placed.length - 1 ? fitted : `${fitted}${' '.repeat(gap)}`, tone)];
  });
