import { count } from '../../text/words.ts';
import { blank, fitLine, type Line, line, onSurface, sliceLine, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';

/**
 * What a screen shows between title and hint bar: lines that stay, rows that scroll, and what fills the rest.
 * Rows are asked for one by one, so that a list of a thousand costs what its window costs.
 */
export type Pane = {
  readonly head: readonly Line[];
  readonly count: number;
  /** The name under which the cursor can stand on a row; null for rows it passes over. */
  readonly keyAt: (index: number) => string | null;
  readonly lineAt: (index: number) => Line;
  /** `list`: a cursor moves over rows that have keys, shown by a pointer in front of them. `text`: the window moves, and says how much is below. */
  readonly kind: 'list' | 'text';
  /** Shown while there are no rows. */
  readonly empty: readonly Line[];
  /** Below the rows: at least `least` lines and a third of the body are kept for it (`most` at most), and what the rows leave. */
  readonly foot: {
    readonly least: number;
    readonly most?: number;
    readonly lines: (height: number) => readonly Line[];
  } | null;
  /** What one keyed row is, for `3 of 12 machines`; empty to say nothing. */
  readonly noun: string;
  /** Where the cursor stands while nobody has moved it, in place of the first row. */
  readonly initial?: string | undefined;
  /** Where every row has a key: which row has which, so that a long list need not be walked. */
  readonly positions?: ReadonlyMap<string, number>;
};

/** Where a pane stands. `end` keeps the last line in view, whatever is added. */
export type Scroll = { readonly selected: string | null; readonly top: number | 'end' };
export const atTop: Scroll = { selected: null, top: 0 };
export const atEnd: Scroll = { selected: null, top: 'end' };

export const textPane = (lines: readonly Line[], empty: readonly Line[] = []): Pane => ({
  head: [],
  count: lines.length,
  keyAt: () => null,
  lineAt: (index) => lines[index] ?? blank,
  kind: 'text',
  empty,
  foot: null,
  noun: '',
});

/** A tall head leaves rows this share of the body: a list without its cursor cannot be used. */
const rowsShare = 0.5;

/** The lines of the head that are shown in a body of `height` lines; the last says how many are not. */
const headOf = (pane: Pane, height: number, pen: Pen): readonly Line[] => {
  const room = headRoom(pane, height);
  if (pane.head.length <= room) return pane.head;
  const hidden = pane.head.length - Math.max(0, room - 1);
  const told = line(` ${pen.glyphs.below} ${count(hidden, 'more line')} in a taller window`, 'warn');
  return [...pane.head.slice(0, Math.max(0, room - 1)), told].slice(0, room);
};

const headRoom = (pane: Pane, height: number): number =>
  Math.min(pane.head.length, Math.max(0, height - Math.min(Math.ceil(height * rowsShare), pane.count)));

/** Rows of the pane that fit in a body of `height` lines, beside its head and foot. */
const rowRoom = (pane: Pane, height: number): number => {
  const room = height - headRoom(pane, height);
  if (pane.foot === null) return room;
  const kept = Math.min(pane.foot.most ?? room, Math.max(pane.foot.least, Math.floor(room / 3)));
  return Math.max(Math.min(room, 1), Math.min(pane.count, room - kept));
};

const overflows = (pane: Pane, room: number): boolean => pane.kind === 'text' && pane.count > room;

/** Lines for rows alone: a text that goes on keeps its last line for saying so. */
const windowHeight = (pane: Pane, height: number): number => {
  const room = rowRoom(pane, height);
  return overflows(pane, room) ? Math.max(1, room - 1) : room;
};

/** How a scroll names the line of a text that a search led to. */
const foundKey = (index: number): string => `line ${index}`;

/** The line of a text that a search led to; -1 where none did. */
export const foundIndex = ({ selected }: Scroll): number =>
  selected?.startsWith('line ') === true ? Number(selected.slice(5)) : -1;

/** Lines above a line that was found, so that one sees where it stands. */
const linesAboveFound = 2;

/** Goes to this row: the cursor of a list onto it, the window of a text around it. */
export const goToRow = (pane: Pane, scroll: Scroll, height: number, index: number): Scroll => {
  if (pane.kind === 'list') {
    const moved = { selected: pane.keyAt(index), top: topOf(pane, scroll, height) };
    return { ...moved, top: topOf(pane, moved, height) };
  }
  const last = Math.max(0, pane.count - windowHeight(pane, height));
  return { selected: foundKey(index), top: clamp(index - linesAboveFound, 0, last) };
};

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(value, high));

/** Index of the row under the cursor: the one named, else the first that can be; -1 where none can. */
export const selectedIndex = (pane: Pane, scroll: Scroll): number => {
  if (pane.kind === 'text') return -1;
  if (pane.positions !== undefined && pane.count > 0)
    return scroll.selected === null ? 0 : (pane.positions.get(scroll.selected) ?? 0);
  const wanted = scroll.selected ?? pane.initial ?? null;
  let first = -1;
  for (let index = 0; index < pane.count; index += 1) {
    const key = pane.keyAt(index);
    if (key === null) continue;
    if (key === wanted) return index;
    if (first < 0) first = index;
  }
  return first;
};

export const selectedKey = (pane: Pane, scroll: Scroll): string | null => {
  const index = selectedIndex(pane, scroll);
  return index < 0 ? null : pane.keyAt(index);
};

/** First row of the window, with the cursor inside it. */
export const topOf = (pane: Pane, scroll: Scroll, height: number): number => {
  const room = windowHeight(pane, height);
  const last = Math.max(0, pane.count - room);
  const top = clamp(scroll.top === 'end' ? last : scroll.top, 0, last);
  const cursor = selectedIndex(pane, scroll);
  if (cursor < 0) return top;
  // The heading above the first row belongs to it.
  if (cursor <= firstKeyed(pane)) return 0;
  return clamp(top, Math.max(0, cursor - room + 1), cursor);
};

const firstKeyed = (pane: Pane): number => {
  if (pane.positions !== undefined) return pane.count > 0 ? 0 : -1;
  for (let index = 0; index < pane.count; index += 1) if (pane.keyAt(index) !== null) return index;
  return -1;
};

/** Which of the keyed rows the cursor is on, from 1, and how many there are. */
export const placeIn = (pane: Pane, scroll: Scroll): { readonly at: number; readonly of: number } => {
  const cursor = selectedIndex(pane, scroll);
  if (pane.positions !== undefined) return { at: cursor + 1, of: pane.count };
  let at = 0;
  let of = 0;
  for (let index = 0; index < pane.count; index += 1) {
    if (pane.keyAt(index) === null) continue;
    of += 1;
    if (index <= cursor) at = of;
  }
  return { at, of };
};

/** Moves the cursor (list) or the window (text) by so many rows; what does not exist is not passed. */
export const moveBy = (pane: Pane, scroll: Scroll, height: number, rows: number): Scroll => {
  const top = topOf(pane, scroll, height);
  if (pane.kind === 'text') {
    const last = Math.max(0, pane.count - windowHeight(pane, height));
    const next = clamp(top + rows, 0, last);
    // A text that was followed to its end stays followed only there.
    return { selected: null, top: scroll.top === 'end' && next === last ? 'end' : next };
  }
  const from = selectedIndex(pane, scroll);
  if (from < 0) return scroll;
  if (pane.positions !== undefined) {
    const moved = { selected: pane.keyAt(clamp(from + rows, 0, pane.count - 1)), top };
    return { ...moved, top: topOf(pane, moved, height) };
  }
  const direction = Math.sign(rows);
  let target = from;
  let left = Math.abs(rows);
  for (let index = from + direction; left > 0 && index >= 0 && index < pane.count; index += direction) {
    if (pane.keyAt(index) === null) continue;
    target = index;
    left -= 1;
  }
  const moved = { selected: pane.keyAt(target), top };
  return { ...moved, top: topOf(pane, moved, height) };
};

export const moveToEdge = (pane: Pane, scroll: Scroll, height: number, edge: 'first' | 'last'): Scroll =>
  edge === 'last' && pane.kind === 'text'
    ? { selected: null, top: 'end' }
    : moveBy(pane, scroll, height, edge === 'first' ? -pane.count : pane.count);

/** Rows a page holds, for the page keys. */
export const pageOf = (pane: Pane, height: number): number => Math.max(1, windowHeight(pane, height) - 1);

/** The body of a screen: exactly `height` lines of exactly `width` cells. */
export const bodyLines = (
  pane: Pane,
  scroll: Scroll,
  width: number,
  height: number,
  pen: Pen,
): readonly Line[] => {
  const { more } = pen.glyphs;
  const fit = (content: Line): Line => fitLine(content, width, more);
  const head = headOf(pane, height, pen).map(fit);
  if (pane.count === 0)
    return fill(
      [...head, ...pane.empty.map(fit), ...footLines(pane, height - head.length - 1).map(fit)],
      width,
      height,
    );
  const room = rowRoom(pane, height);
  const top = topOf(pane, scroll, height);
  const cursor = selectedIndex(pane, scroll);
  const shown = Math.min(windowHeight(pane, height), pane.count - top);
  const rows = Array.from({ length: Math.max(0, shown) }, (_, offset) => {
    const content = pane.lineAt(top + offset);
    if (pane.kind === 'text') {
      if (scroll.selected !== foundKey(top + offset)) return fit(content);
      const [, ...rest] = [...sliceLine(content, 0, 1), ...sliceLine(content, 1, width)];
      return onSurface(fit([span(pen.glyphs.pointer, 'accent'), ...rest]), 'row');
    }
    const here = top + offset === cursor;
    const pointed = fit([span(here ? pen.glyphs.pointer : ' ', 'accent'), ...content]);
    return here ? onSurface(pointed, 'row') : pointed;
  });
  if (overflows(pane, room)) {
    const below = pane.count - top - shown;
    const text =
      below > 0
        ? ` ${pen.glyphs.below} ${below} more ${below === 1 ? 'line' : 'lines'} below`
        : ` ${pen.glyphs.above} end; ${top} ${top === 1 ? 'line' : 'lines'} above`;
    rows.push(fit(line(text, below > 0 ? 'warn' : 'quiet')));
  }
  const used = head.length + rows.length;
  return fill([...head, ...rows, ...footLines(pane, height - used).map(fit)], width, height);
};

const footLines = (pane: Pane, height: number): readonly Line[] =>
  pane.foot === null || height <= 0 ? [] : pane.foot.lines(height).slice(0, height);

const fill = (lines: readonly Line[], width: number, height: number): readonly Line[] => {
  const empty = fitLine(blank, width, '');
  return Array.from({ length: height }, (_, index) => lines[index] ?? empty);
};
