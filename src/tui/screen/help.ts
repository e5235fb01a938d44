import { blank, type Line, line, span, wrapText } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import { type Pane, textPane } from './pane.ts';

export type HelpEntry = {
  readonly group: string;
  readonly keys: string;
  readonly title: string;
  readonly name: string;
  /** Why it cannot be done now; null when it can. */
  readonly disabled: string | null;
};

const keysWidth = 21;
const nameWidth = 15;

const introduction =
  'Esc always leads back and changes nothing. Ctrl-L paints the screen anew. A name after : may be shortened as long as it stays clear.';

const entryLines = ({ keys, name, title, disabled }: HelpEntry, width: number, pen: Pen): readonly Line[] => {
  const reason = disabled === null ? '' : ` (not now: ${disabled})`;
  const room = width - keysWidth - nameWidth - 1;
  return wrapText(pen.clean(`${title}${reason}`), Math.max(16, room)).map((text, index): Line => {
    const first = index === 0;
    return [
      span((first ? `  ${keys}` : '').padEnd(keysWidth), disabled === null ? 'accent' : 'quiet'),
      span((first ? `:${name}` : '').padEnd(nameWidth), 'quiet'),
      span(text, disabled === null ? 'plain' : 'quiet'),
    ];
  });
};

/** All commands by group, each with its keys, its name after `:`, and why it cannot be done now. */
export const helpPane = (entries: readonly HelpEntry[], width: number, pen: Pen): Pane => {
  const groups = [...new Set(entries.map(({ group }) => group))];
  const lines: readonly Line[] = [
    ...wrapText(introduction, width - 2).map((text) => line(` ${text}`, 'quiet')),
    ...groups.flatMap((group) => [
      blank,
      line(` ${group.toUpperCase()}`, 'title'),
      ...entries.filter((entry) => entry.group === group).flatMap((entry) => entryLines(entry, width, pen)),
    ]),
  ];
  return textPane(lines);
};
