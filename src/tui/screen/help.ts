import { blank, flowing, type Line, labelled, line, span, wrapText } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import { lineTest } from './lines-with.ts';
import { type Pane, textPane } from './pane.ts';

export type HelpEntry = {
  readonly group: string;
  readonly keys: string;
  readonly title: string;
  readonly name: string;
  readonly aliases: readonly string[];
  /** Why it cannot be done now; null when it can. */
  readonly disabled: string | null;
  /** The word under which the hint bar of this place offers it, and its place there; null where it does not. */
  readonly here: { readonly text: string; readonly rank: number } | null;
};

const keysWidth = 21;
const nameWidth = 18;
/** Below this width what a command does stands below its keys and name. */
const leastForColumns = 72;

const introduction =
  'Esc always leads back and changes nothing. / searches here: a key, a name, a word. A name after : may be shortened as long as it stays clear.';

const entryLines = (entry: HelpEntry, width: number, pen: Pen): readonly Line[] => {
  const { keys, name, title, aliases, disabled } = entry;
  const reason = disabled === null ? '' : ` (not now: ${disabled})`;
  const also = aliases.length === 0 ? '' : `; also :${aliases.join(', :')}`;
  const tone = disabled === null ? 'plain' : 'quiet';
  const keyTone = disabled === null ? 'accent' : 'quiet';
  const text = pen.clean(`${title}${also}${reason}`);
  if (width < leastForColumns)
    return [
      [span(keys === '' ? '  ' : `  ${keys}  `, keyTone), span(`:${name}`, 'quiet')],
      ...labelled(span(''), 6, text, tone, width - 1),
    ];
  return wrapText(text, width - keysWidth - nameWidth - 1).map((part, index): Line => {
    const first = index === 0;
    return [
      span((first ? `  ${keys}` : '').padEnd(keysWidth), keyTone),
      span((first ? `:${name} ` : '').padEnd(nameWidth), 'quiet'),
      span(part, tone),
    ];
  });
};

/** What the place that one came from is for, in the words of its hint bar. */
const hereLines = (entries: readonly HelpEntry[], width: number, pen: Pen): readonly Line[] => {
  const here = entries
    .flatMap(({ keys, disabled, here: offer }) =>
      offer === null || keys === '' ? [] : [{ ...offer, keys, disabled }],
    )
    .sort((a, b) => a.rank - b.rank);
  if (here.length === 0) return [];
  return [
    blank,
    line(' HERE', 'title'),
    ...flowing(
      here.map(({ keys, text, disabled }) =>
        disabled === null
          ? span(`  ${keys}: ${pen.clean(text)}`, 'plain')
          : span(`  (${keys}: ${pen.clean(text)}, not now)`, 'quiet'),
      ),
      width - 1,
      2,
    ),
  ];
};

/**
 * What can be done here, then all commands by group, each with its keys, its name after `:`, and why it cannot be done
 * now. A search leaves the commands that hold it.
 */
export const helpPane = (entries: readonly HelpEntry[], search: string, width: number, pen: Pen): Pane => {
  const passes = lineTest(search);
  const found =
    passes === null
      ? entries
      : entries.filter(({ keys, name, aliases, title }) =>
          passes(`${keys} :${name} ${aliases.map((alias) => `:${alias}`).join(' ')} ${title}`),
        );
  const groups = [...new Set(found.map(({ group }) => group))];
  const lines: readonly Line[] = [
    ...(passes === null
      ? [
          ...wrapText(introduction, width - 2).map((text) => line(` ${text}`, 'quiet')),
          ...hereLines(entries, width, pen),
        ]
      : []),
    ...groups.flatMap((group) => [
      blank,
      line(` ${group.toUpperCase()}`, 'title'),
      ...found.filter((entry) => entry.group === group).flatMap((entry) => entryLines(entry, width, pen)),
    ]),
  ];
  return textPane(found.length === 0 ? [] : lines, [
    line('   no command holds that text; Esc shows all', 'quiet'),
  ]);
};
