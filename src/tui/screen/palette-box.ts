import type { PaletteEntry } from '../commands/palette.ts';
import { fitLine, fitText, type Line, line, onSurface, span, wrapText } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Size } from '../state/ui.ts';
import { boxLines } from './box.ts';

const widest = 90;
const rowsMax = 14;
const roomyCells = 70;

/** The palette as lines in a frame: what was typed, and what it finds, with the cursor on one of them. */
export const paletteLines = (
  view: { readonly text: string; readonly index: number; readonly entries: readonly PaletteEntry[] },
  size: Size,
  pen: Pen,
): readonly Line[] => {
  const { entries } = view;
  const { glyphs, clean } = pen;
  const width = Math.min(widest, size.columns - 4);
  const inner = width - 4;
  const room = Math.max(1, Math.min(rowsMax, size.rows - (size.columns - 8 >= roomyCells ? 8 : 10)));
  const index = Math.min(view.index, Math.max(0, entries.length - 1));
  const top = Math.max(0, Math.min(index - Math.floor(room / 2), entries.length - room));
  const nameWidth = Math.min(24, Math.max(12, ...entries.map(({ name }) => name.length)));
  const rows = entries.slice(top, top + room).map((entry, offset): Line => {
    const here = top + offset === index;
    const tone = entry.disabled === null ? 'plain' : 'quiet';
    const title = entry.disabled === null ? entry.title : `not now: ${entry.disabled}`;
    const content = fitLine(
      [
        span(here ? `${glyphs.pointer} ` : '  ', 'accent'),
        span(
          `${fitText(clean(entry.name), nameWidth, glyphs.more)}  `,
          entry.disabled === null ? 'strong' : 'quiet',
        ),
        span(`${fitText(entry.key, 7, glyphs.more)} `, 'accent'),
        span(clean(title), tone),
      ],
      inner,
      glyphs.more,
    );
    return here ? onSurface(content, 'row') : content;
  });
  // Where a title has no room beside the names, that of the chosen entry stands below them, in full.
  const chosen = entries[index];
  const told =
    chosen === undefined || inner >= roomyCells
      ? []
      : wrapText(clean(chosen.disabled === null ? chosen.title : `not now: ${chosen.disabled}`), inner).slice(
          0,
          2,
        );
  const below = entries.length - top - rows.length;
  const status =
    entries.length === 0
      ? 'nothing is called so; Esc closes'
      : `${index + 1} of ${entries.length}${below > 0 ? `, ${below} more below` : ''}${inner >= roomyCells ? '  Up, Down choose; Enter takes; Esc closes' : ''}`;
  return boxLines(
    'Command palette',
    [
      [span(`${glyphs.crumb} `, 'accent'), span(clean(view.text), 'strong'), span(glyphs.full, 'accent')],
      ...rows,
      ...told.map((text) => line(text, 'plain')),
      line(status, 'quiet'),
    ],
    width,
    pen,
  );
};
