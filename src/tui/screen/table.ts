import { cellsOf, fitText, type Line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';

/** Columns that drop, least important first, as the terminal narrows, and take the room that is there. */

/** `shorter`: other ways to say it, each shorter than the one before, for columns that have no room for `text`. */
export type Cell = { readonly text: string; readonly tone: Tone; readonly shorter?: readonly string[] };

/** The longest way of saying it that fits; null where none does. */
export const formThatFits = ({ text, shorter = [] }: Cell, width: number): string | null =>
  [text, ...shorter].find((form) => cellsOf(form) <= width) ?? null;

export type Column<Id extends string> = {
  readonly id: Id;
  readonly title: string;
  /** 0 stays longest. */
  readonly rank: number;
  /** Enough to read it comfortably; contents may need less. */
  readonly good: number;
  /** What it can make do with in a narrow terminal. Null: it comes only where everything has its good width. */
  readonly least: number | null;
  readonly most: number;
};

export type Placed<Id extends string> = {
  readonly id: Id;
  readonly title: string;
  readonly width: number;
};

const gap = 2;

/**
 * Which columns fit in `width` cells, and how wide each is. `ideal` is the width of a column's widest content. As many
 * as have their good width come in, by rank; where not even the important ones have it, they make do with less. Room
 * that is left goes to them, again by rank.
 */
export const placeColumns = <Id extends string>(
  columns: readonly Column<Id>[],
  ideal: (id: Id) => number,
  width: number,
): readonly Placed<Id>[] => {
  const byRank = [...columns].sort((a, b) => a.rank - b.rank);
  const wantOf = ({ id, title, most }: Column<Id>): number =>
    Math.max(cellsOf(title), Math.min(ideal(id), most));
  const goodOf = (column: Column<Id>): number =>
    Math.min(wantOf(column), Math.max(column.good, cellsOf(column.title)));
  const leastOf = (column: Column<Id>): number =>
    Math.min(wantOf(column), Math.max(column.least ?? 0, cellsOf(column.title)));
  const essential = byRank.filter(({ least }) => least !== null);
  const comfortable = longestFitting(byRank, goodOf, width);
  const chosen =
    comfortable.length >= essential.length ? comfortable : longestFitting(essential, leastOf, width);
  const start = comfortable.length >= essential.length ? goodOf : leastOf;
  const widths = new Map(chosen.map((column) => [column.id, start(column)]));
  let left = width - total(chosen.map(start));
  for (const column of chosen) {
    const has = widths.get(column.id) ?? 0;
    const more = Math.max(0, Math.min(left, wantOf(column) - has));
    widths.set(column.id, has + more);
    left -= more;
  }
  return columns.flatMap(({ id, title }) => {
    const room = widths.get(id);
    return room === undefined ? [] : [{ id, title, width: room }];
  });
};

const total = (widths: readonly number[]): number =>
  widths.reduce((sum, cells) => sum + cells, 0) + gap * Math.max(0, widths.length - 1);

/** The first columns, as many as fit; one at least. */
const longestFitting = <Id extends string>(
  byRank: readonly Column<Id>[],
  widthOf: (column: Column<Id>) => number,
  width: number,
): readonly Column<Id>[] => {
  for (let count = byRank.length; count > 1; count -= 1) {
    const first = byRank.slice(0, count);
    if (total(first.map(widthOf)) <= width) return first;
  }
  return byRank.slice(0, 1);
};

/**
 * All columns in sets that fit, the most important in the first; `pinned` leads each. Every column is in one of them, if
 * need be with less than its good width.
 */
export const columnSets = <Id extends string>(
  columns: readonly Column<Id>[],
  pinned: Id,
  ideal: (id: Id) => number,
  width: number,
): readonly (readonly Placed<Id>[])[] => {
  const head = columns.filter(({ id }) => id === pinned);
  let rest = columns.filter(({ id }) => id !== pinned);
  const sets: (readonly Placed<Id>[])[] = [];
  do {
    const some = new Set([...head, ...rest]);
    let placed = placeColumns(
      columns.filter((column) => some.has(column)),
      ideal,
      width,
    );
    const [first] = [...rest].sort((a, b) => a.rank - b.rank);
    if (placed.length < 2 && first !== undefined)
      placed = placeColumns([...head, first].map(narrowed), ideal, width);
    if (placed.length < 2 && rest.length > 0 && sets.length > 0) break;
    sets.push(placed);
    rest = rest.filter(({ id }) => !placed.some((one) => one.id === id));
  } while (rest.length > 0);
  return sets;
};

const narrowed = <Id extends string>(column: Column<Id>): Column<Id> => ({
  ...column,
  least: Math.min(column.least ?? narrowCells, narrowCells + 4),
});
const narrowCells = 12;

/** One row of cells under placed columns. */
export const tableLine = <Id extends string>(
  placed: readonly Placed<Id>[],
  cell: (id: Id, width: number) => Cell,
  pen: Pen,
): Line =>
  placed.flatMap(({ id, width }, index) => {
    const content = cell(id, width);
    const { text, tone, shorter } = content;
    const fitted = fitText(formThatFits(content, width) ?? shorter?.at(-1) ?? text, width, pen.glyphs.more);
    return [span(index === placed.length - 1 ? fitted : `${fitted}${' '.repeat(gap)}`, tone)];
  });
