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

/** The dialog as lines in a frame, all of the same width. What it says matters more than the air around it. */
export const dialogLines = (dialog: Dialog, size: Size, pen: Pen): readonly Line[] => {
  const width = Math.min(widest, size.columns - 4);
  const inner = width - 4;
  const choices = buttonLines(dialog, inner, pen);
  const typed = typedLines(dialog, pen);
  const help = wrapText(
    dialog.typed === null
      ? 'Left, Right or Tab choose; Enter takes; Esc cancels'
      : 'Tab chooses; Enter takes; Esc cancels',
    inner,
  );
  const body = dialog.body.flatMap((text) => wrapText(pen.clean(text), inner));
  const frame = 2;
  const airy = frame + body.length + 2 * Math.min(1, typed.length) + 2 + choices.length + help.length;
  const roomy = airy <= size.rows;
  const bodyRoom = Math.max(1, size.rows - frame - choices.length - typed.length);
  const shown =
    body.length <= bodyRoom
      ? body
      : [
          ...body.slice(0, bodyRoom - 1),
          `${pen.glyphs.below} ${body.length - bodyRoom + 1} more lines in a larger terminal`,
        ];
  const air = roomy ? [blank] : [];
  const content: readonly Line[] = [
    ...shown.map((text) => line(text)),
    ...(typed.length === 0 ? [] : [...air, ...typed]),
    ...air,
    ...choices,
    ...(roomy ? [blank, ...help.map((text) => line(text, 'quiet'))] : []),
  ];
  return boxLines(dialog.title, content, width, pen);
};
