import { flowing, type Line, labelled, line, type Span, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { MachineRow } from './machine-row.ts';
import type { Pane } from './pane.ts';
import type { Cell } from './table.ts';

/** Below the table: what it has no room to say of the machine under the cursor. */

/** Lines that are taken from the rows of a long table; where rows leave more, all is shown. */
const linesMost = 4;

export type Untold = { readonly title: string; readonly cell: Cell };

/** The same of a row of any table: what its columns leave unsaid. */
export const untoldFoot = (name: string, untold: readonly Untold[], width: number, pen: Pen): Pane['foot'] =>
  footOf(
    name,
    flowing(
      untold.flatMap(({ title, cell }): readonly Span[] => [
        span(`  ${title.toLowerCase()}: ${cell.text}`, cell.tone),
      ]),
      width - 1,
      2,
    ),
    width,
    pen,
  );

export const stripFoot = (
  row: MachineRow | undefined,
  untold: readonly Untold[],
  width: number,
  pen: Pen,
): Pane['foot'] => {
  if (row === undefined) return null;
  if (row.failed === null) return untoldFoot(row.name, untold, width, pen);
  return footOf(
    row.name,
    [
      ...labelled(span(`  ${pen.glyphs.bad} `, 'bad'), 4, row.drift.text, 'bad', width - 1),
      ...labelled(span('    '), 4, pen.clean(row.failed.remedy), 'plain', width - 1),
    ],
    width,
    pen,
  );
};

const footOf = (name: string, lines: readonly Line[], width: number, pen: Pen): Pane['foot'] => {
  if (lines.length === 0) return null;
  const { rule } = pen.glyphs;
  const title = ` ${name} ${rule}`;
  const wanted = lines.length + 1;
  return {
    least: Math.min(2, wanted),
    most: Math.min(linesMost, wanted),
    lines: (height) => [
      line(title + rule.repeat(Math.max(0, width - title.length)), 'quiet'),
      ...(height >= wanted || height <= 2
        ? lines
        : [
            ...lines.slice(0, Math.max(0, height - 2)),
            line(`  ${pen.glyphs.below} ${wanted - height + 1} more: d shows all`, 'warn'),
          ]),
    ],
  };
};
