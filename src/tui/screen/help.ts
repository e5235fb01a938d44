import { blank, type Line, line, span } from '../draw/line.ts';
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

const keysWidth = 16;
const nameWidth = 14;

/** All commands by group, each with its keys, its name after `:`, and why it cannot be done now. */
export const helpPane = (entries: readonly HelpEntry[], _width: number, pen: Pen): Pane => {
  const groups = [...new Set(entries.map(({ group }) => group))];
  const lines: readonly Line[] = groups.flatMap((group, index) => [
    ...(index === 0 ? [] : [blank]),
    line(` ${group.toUpperCase()}`, 'title'),
    ...entries
      .filter((entry) => entry.group === group)
      .map(
        ({ keys, title, name, disabled }): Line => [
          span(`  ${keys.padEnd(keysWidth)}`, disabled === null ? 'accent' : 'quiet'),
          span(`:${name.padEnd(nameWidth)}`, 'quiet'),
          span(title, disabled === null ? 'plain' : 'quiet'),
          span(disabled === null ? '' : pen.clean(`  (not now: ${disabled})`), 'warn'),
        ],
      ),
  ]);
  return {
    ...textPane(lines),
    head: [
      line(
        pen.clean(
          ' Esc always leads back and changes nothing. A filter may start with ! (what does not match)',
        ),
        'quiet',
      ),
      line(pen.clean(' and holds words, @group and role:NAME. Ctrl-L paints the screen anew.'), 'quiet'),
    ],
  };
};
