import { blank, type Line, line, span, widthOf, wrapText } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Surface } from '../draw/theme.ts';
import type { Dialog, Size } from '../state/ui.ts';
import { boxLines } from './box.ts';

const widest = 66;

/** Whether a choice can be taken now: all but the first wait for the names to be typed. */
export const canTake = ({ typed }: Dialog, index: number): boolean =>
  index === 0 || typed === null || typed.names.length === 0;

/** All choices beside each other; below each other where one of them would be cut. */
const buttonLines = (dialog: Dialog, width: number, pen: Pen): readonly Line[] => {
  const each = buttons(dialog, pen);
  const row = each.flat();
  return widthOf(row) <= width ? [row] : each;
};

const buttons = (dialog: Dialog, pen: Pen): readonly Line[] =>
  dialog.choices.map(({ label, danger }, index): Line => {
    const focused = index === dialog.focus;
    const surface: Surface = !focused ? 'dialog' : danger ? 'danger-button' : 'button';
    const text = focused ? `${pen.glyphs.pointer} ${label} ` : `  ${label} `;
    const tone = canTake(dialog, index) ? 'strong' : 'quiet';
    return [span('  ', 'plain', 'dialog'), { ...span(`[${text}]`, tone), surface }];
  });

const typedLines = ({ typed }: Dialog, pen: Pen): readonly Line[] => {
  if (typed === null) return [];
  const [next] = typed.names;
  return [
    blank,
    next === undefined
      ? [span(`${pen.glyphs.good} typed`, 'good')]
      : [
          span('type ', 'plain'),
          span(next, 'strong'),
          span(': ', 'plain'),
          span(`${typed.text}${pen.glyphs.full}`, 'accent'),
        ],
  ];
};

/** The dialog as lines in a frame, all of the same width. */
export const dialogLines = (dialog: Dialog, size: Size, pen: Pen): readonly Line[] => {
  const width = Math.min(widest, size.columns - 4);
  const inner = width - 4;
  const choices = buttonLines(dialog, inner, pen);
  const fixed = 5 + choices.length + (dialog.typed === null ? 0 : 2);
  const bodyRoom = Math.max(1, size.rows - fixed - 2);
  const body = dialog.body.flatMap((text) => wrapText(pen.clean(text), inner));
  const shown =
    body.length <= bodyRoom
      ? body
      : [
          ...body.slice(0, bodyRoom - 1),
          `${pen.glyphs.below} ${body.length - bodyRoom + 1} more lines in a larger terminal`,
        ];
  const content: readonly Line[] = [
    ...shown.map((text) => line(text)),
    ...typedLines(dialog, pen),
    blank,
    ...choices,
    blank,
    line(
      dialog.typed === null
        ? 'Left, Right or Tab choose; Enter takes; Esc cancels'
        : 'Tab chooses; Enter takes; Esc cancels',
      'quiet',
    ),
  ];
  return boxLines(dialog.title, content, width, pen);
};
