import { flowing, type Line, labelled, line, type Span, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { MachineRow } from './machine-row.ts';
import type { Pane } from './pane.ts';
import type { Cell } from './table.ts';

/** Below the table: what it has no room to say of the machine under the cursor. */

/** Lines that are taken from the rows of a long table; where rows leave more, all is shown. */
const linesMost = 4;

export type Untold = { readonly title: string; readonly cell: Cell };

export const stripFoot = (
  row: MachineRow | undefined,
  untold: readonly Untold[],
  width: number,
  pen: Pen,
): Pane['foot'] => {
  if (row === undefined) return null;
  const { rule, bad } = pen.glyphs;
  const title = ` ${row.name} ${rule}`;
  const lines: readonly Line[] =
    row.failed === null
      ? flowing(
          untold.flatMap(({ title: what, cell }): readonly Span[] => [
            span(`  ${what.toLowerCase()}: ${cell.text}`, cell.tone),
          ]),
          width - 1,
          2,
        )
      : [
          ...labelled(span(`  ${bad} `, 'bad'), 4, row.drift.text, 'bad', width - 1),
          ...labelled(span('    '), 4, pen.clean(row.failed.remedy), 'plain', width - 1),
        ];
  if (lines.length === 0) return null;
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
