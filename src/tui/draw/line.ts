import stringWidth from 'string-width';
import { sanitiseLine } from '../../text/sanitise.ts';
import type { Surface, Tone } from './theme.ts';

/** A line of the screen as a value: pieces of text with a meaning (tone) on a surface. Widths are terminal cells. */
export type Span = { readonly text: string; readonly tone: Tone; readonly surface: Surface };
export type Line = readonly Span[];

const plainAscii = /^[\x20-\x7e]*$/u;
/** One UTF-16 unit, one cell, one character each: what nearly all text here is made of. Measuring the rest takes long. */
const narrow = /^[\x20-\x7e\u00c0-\u00ff·–—‘’“”…›→≠≈↑↓─│├└╭╮╰╯█░▁▂▃▄▅▆▇▲▶●◆✔✖▪⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]*$/u;

/** The only way to make a span: whatever the text came from, no control character or escape gets past here. */
export const span = (text: string, tone: Tone = 'plain', surface: Surface = 'page'): Span => ({
  text: plainAscii.test(text) ? text : sanitiseLine(text),
  tone,
  surface,
});

export const blank: Line = [];

export const line = (text: string, tone: Tone = 'plain'): Line => (text === '' ? blank : [span(text, tone)]);

export const cellsOf = (text: string): number => (narrow.test(text) ? text.length : stringWidth(text));

export const widthOf = (content: Line): number => content.reduce((sum, { text }) => sum + cellsOf(text), 0);

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The user-perceived characters of a text. */
export const graphemesOf = (text: string): readonly string[] =>
  narrow.test(text) ? [...text] : [...segmenter.segment(text)].map(({ segment }) => segment);

/** The cells `from` (inclusive) to `to` (exclusive) of a text; half a wide character becomes a space. */
const sliceText = (text: string, from: number, to: number): string => {
  if (narrow.test(text)) return text.slice(from, to);
  let at = 0;
  let out = '';
  for (const grapheme of graphemesOf(text)) {
    const cells = cellsOf(grapheme);
    const end = at + cells;
    if (at >= from && end <= to) out += grapheme;
    else if (cells > 1 && end > from && at < to) out += ' '.repeat(Math.min(end, to) - Math.max(at, from));
    at = end;
    if (at >= to) break;
  }
  return out;
};

export const sliceLine = (content: Line, from: number, to: number): Line => {
  const out: Span[] = [];
  let at = 0;
  for (const piece of content) {
    const cells = cellsOf(piece.text);
    if (at + cells > from && at < to) {
      const text = sliceText(piece.text, Math.max(0, from - at), Math.min(cells, to - at));
      if (text !== '') out.push({ ...piece, text });
    }
    at += cells;
    if (at >= to) break;
  }
  return out;
};

/** At most `width` cells of a text; `more` (one cell) stands at the end of what was cut. */
export const cutText = (text: string, width: number, more: string): string => {
  if (width <= 0) return '';
  return cellsOf(text) <= width ? text : `${sliceText(text, 0, width - 1)}${more}`;
};

/** The end of a text, for paths: what was cut is marked in front. */
export const cutTextStart = (text: string, width: number, more: string): string => {
  if (width <= 0) return '';
  const cells = cellsOf(text);
  return cells <= width ? text : `${more}${sliceText(text, cells - width + 1, cells)}`;
};

/** Exactly `width` cells: cut with `more`, or filled with spaces. */
export const fitText = (text: string, width: number, more: string): string => {
  const cut = cutText(text, width, more);
  return cut + ' '.repeat(Math.max(0, width - cellsOf(cut)));
};

const cutLine = (content: Line, width: number, more: string): Line => {
  if (widthOf(content) <= width) return content;
  const kept = sliceLine(content, 0, Math.max(0, width - 1));
  const last = kept.at(-1) ?? content[0];
  return width <= 0 || last === undefined ? [] : [...kept, { ...last, text: more }];
};

/** Exactly `width` cells; the filling lies on `surface`. */
export const fitLine = (content: Line, width: number, more: string, surface: Surface = 'page'): Line => {
  const cut = cutLine(content, width, more);
  const missing = width - widthOf(cut);
  return missing <= 0 ? cut : [...cut, { text: ' '.repeat(missing), tone: 'plain', surface }];
};

/** `left` and `right` at the two ends of a line of `width` cells; `left` is cut first. */
export const spread = (
  left: Line,
  right: Line,
  width: number,
  more: string,
  surface: Surface = 'page',
): Line => {
  const rightCut = cutLine(right, width, more);
  const room = width - widthOf(rightCut);
  return [...fitLine(left, room, more, surface), ...rightCut];
};

export const onSurface = (content: Line, surface: Surface): Line =>
  content.map((piece) => ({ ...piece, surface }));

/** Words of a text in lines of at most `width` cells; words longer than a line are broken. */
export const wrapText = (text: string, width: number): readonly string[] => {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(/\s+/u).filter((part) => part !== '')) {
    let rest = word;
    const joined = current === '' ? rest : `${current} ${rest}`;
    if (cellsOf(joined) <= room) {
      current = joined;
      continue;
    }
    if (current !== '') lines.push(current);
    while (cellsOf(rest) > room) {
      const head = sliceText(rest, 0, room).trimEnd();
      if (head === '') break;
      lines.push(head);
      rest = rest.slice(head.length);
    }
    current = rest;
  }
  return current === '' ? lines : [...lines, current];
};

/** Beside a wide label a text wants this many cells, or it stands below the label. */
const besideLabelLeast = 30;
const wideLabel = 10;

/** A label in a column of its own, and a text wrapped beside it; below it where there is no room beside. */
export const labelled = (
  label: Span,
  labelWidth: number,
  text: string,
  tone: Tone,
  width: number,
): readonly Line[] => {
  const room = width - labelWidth;
  const lines = wrapText(text, Math.max(8, room));
  if (lines.length > 1 && labelWidth > wideLabel && room < besideLabelLeast && label.text.trim() !== '') {
    const indent = ' '.repeat(4 + (/^ */u.exec(label.text)?.[0].length ?? 0) - 2);
    return [
      [label],
      ...wrapText(text, Math.max(8, width - indent.length)).map(
        (part): Line => [span(indent), span(part, tone)],
      ),
    ];
  }
  return (lines.length === 0 ? [''] : lines).map((part, index) => [
    {
      ...label,
      text:
        index === 0
          ? label.text + ' '.repeat(Math.max(0, labelWidth - cellsOf(label.text)))
          : ' '.repeat(labelWidth),
    },
    span(part, tone),
  ]);
};

/** Pieces beside each other, on as many lines as they need; a piece that is wider than a line is wrapped. */
export const flowing = (pieces: readonly Span[], width: number, indent: number): readonly Line[] => {
  const lines: Line[] = [];
  let current: Line = [];
  for (const piece of pieces.filter(({ text }) => text.trim() !== '')) {
    if (current.length > 0 && widthOf(current) + cellsOf(piece.text) <= width) {
      current = [...current, piece];
      continue;
    }
    if (current.length > 0) lines.push(current);
    const lead = lines.length === 0 ? (/^ */u.exec(piece.text)?.[0] ?? '') : ' '.repeat(indent);
    const parts = wrapText(piece.text, Math.max(8, width - lead.length));
    lines.push(...parts.slice(0, -1).map((part): Line => [{ ...piece, text: lead + part }]));
    current = [{ ...piece, text: lead + (parts.at(-1) ?? '') }];
  }
  return current.length === 0 ? lines : [...lines, current];
};

export const sameLine = (a: Line, b: Line): boolean =>
  a === b ||
  (a.length === b.length &&
    a.every((piece, index) => {
      const other = b[index];
      return (
        other !== undefined &&
        piece.text === other.text &&
        piece.tone === other.tone &&
        piece.surface === other.surface
      );
    }));

/**
 * The same to look at in as few pieces as can be, and without spaces at the end of the page: each piece costs its painter
 * more than its letters do. Spaces show no tone, so they go with the piece before them.
 */
export const joined = (content: Line): Line => {
  const out: Span[] = [];
  for (const piece of content) {
    const last = out.at(-1);
    const joins =
      last !== undefined &&
      last.surface === piece.surface &&
      (last.tone === piece.tone || /^ *$/u.test(piece.text));
    if (joins) out[out.length - 1] = { ...last, text: last.text + piece.text };
    else out.push(piece);
  }
  const end = out.at(-1);
  return end?.surface === 'page' ? [...out.slice(0, -1), { ...end, text: end.text.trimEnd() || ' ' }] : out;
};
