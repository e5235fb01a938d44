import { fitLine, type Line, line, onSurface, sliceLine, span, widthOf } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Size } from '../state/ui.ts';

/** Lines in a frame with a title, all `width` cells wide. What lies on the page is laid on the dialog's surface. */
export const boxLines = (
  title: string,
  content: readonly Line[],
  width: number,
  pen: Pen,
): readonly Line[] => {
  const { rule, vertical, corners, more } = pen.glyphs;
  const inner = width - 4;
  const edge = (left: string, right: string, heading: string): Line => {
    const text = heading === '' ? '' : `${rule} ${heading} `;
    const cut = fitLine(line(text, 'strong'), Math.min(width - 2, widthOf(line(text))), more);
    return onSurface(
      [
        span(left, 'accent'),
        ...cut,
        span(rule.repeat(Math.max(0, width - 2 - widthOf(cut))), 'accent'),
        span(right, 'accent'),
      ],
      'dialog',
    );
  };
  const [topLeft, topRight, bottomLeft, bottomRight] = corners;
  return [
    edge(topLeft, topRight, pen.clean(title)),
    ...content.map((row): Line => {
      const kept = row.map((piece) =>
        piece.surface === 'page' ? { ...piece, surface: 'dialog' as const } : piece,
      );
      return [
        span(`${vertical} `, 'accent', 'dialog'),
        ...fitLine(kept, inner, more, 'dialog'),
        span(` ${vertical}`, 'accent', 'dialog'),
      ];
    }),
    edge(bottomLeft, bottomRight, ''),
  ];
};

/** Lays `box` over the middle of a frame. */
export const overlay = (frame: readonly Line[], box: readonly Line[], size: Size): readonly Line[] => {
  const [first] = box;
  if (first === undefined) return frame;
  const width = widthOf(first);
  const left = Math.max(0, Math.floor((size.columns - width) / 2));
  const top = Math.max(0, Math.floor((size.rows - box.length) / 2));
  return frame.map((under, row) => {
    const over = box[row - top];
    if (over === undefined) return under;
    return [...sliceLine(under, 0, left), ...over, ...sliceLine(under, left + width, size.columns)];
  });
};
