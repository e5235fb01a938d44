import { cellsOf, type Line, line, type Span, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';

/** What a line after `:` could become, in one line: a window that goes along with Tab, and how many lie beyond it. */
export const completionLine = (
  words: readonly string[],
  /** Which of them Tab has chosen. */
  at: number | null,
  /** What the command does that is clear by now. */
  meaning: string | null,
  width: number,
  pen: Pen,
): Line => {
  if (at === null && meaning !== null && words.length < 2) return line(` ${pen.clean(meaning)}`, 'quiet');
  if (words.length === 0) return line(' nothing is called so; Esc leaves', 'quiet');
  const start = at ?? 0;
  const tail = (shown: number): string => {
    const hidden = words.length - shown;
    return hidden === 0 ? '' : ` +${hidden}: Tab`;
  };
  // The chosen word comes first in its window: what comes next is seen before it is chosen.
  const order = words.map((_, index) => words[(start + index) % words.length] ?? '');
  const kept: Span[] = [];
  let left = width - 1 - cellsOf(tail(0));
  for (const [index, word] of order.entries()) {
    const piece =
      index === 0 && at !== null
        ? span(`[${pen.clean(word)}] `, 'accent')
        : span(`${pen.clean(word)}  `, 'quiet');
    const cells = cellsOf(piece.text);
    if (cells > left && index > 0) break;
    kept.push(piece);
    left -= cells;
  }
  return [span(' '), ...kept, span(tail(kept.length), 'accent')];
};
