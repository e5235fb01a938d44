import type { LabSnapshot } from '../../flow/session.ts';
import type { LockChange } from '../../ports.ts';
import { count, day } from '../../text/words.ts';
import { blank, flowing, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import { lineTest } from './lines-with.ts';
import type { Pane } from './pane.ts';
import { type Cell, type Column, placeColumns, tableLine } from './table.ts';
import { ageWords, shortAge } from './words.ts';

/** What flake.lock pins, how old it is, and what an update would move. */

type ColumnId = 'input' | 'age' | 'date' | 'rev' | 'would' | 'url';
const columns: readonly Column<ColumnId>[] = [
  { id: 'input', title: 'INPUT', rank: 0, good: 20, least: 14, most: 36 },
  { id: 'age', title: 'AGE', rank: 1, good: 4, least: 4, most: 5 },
  { id: 'date', title: 'DATE', rank: 4, good: 10, least: null, most: 10 },
  { id: 'rev', title: 'REVISION', rank: 2, good: 8, least: 8, most: 8 },
  { id: 'would', title: 'WOULD BECOME', rank: 3, good: 21, least: 12, most: 24 },
  { id: 'url', title: 'FROM', rank: 5, good: 20, least: null, most: 80 },
];

/** Inputs that nobody has moved for so long are worth a look. */
const oldMs = 60 * 86_400_000;

type Input = NonNullable<LabSnapshot['inputs']['value']>[number];

const cellOf = (
  { input, locked }: Input,
  id: ColumnId,
  moves: ReadonlyMap<string, LockChange>,
  now: number,
  pen: Pen,
): Cell => {
  const { lastModified, rev, url } = locked;
  const move = moves.get(input);
  switch (id) {
    case 'input':
      return { text: pen.clean(input), tone: 'strong' };
    case 'age':
      return lastModified === null
        ? { text: '', tone: 'quiet' }
        : { text: shortAge(now - lastModified), tone: now - lastModified > oldMs ? 'warn' : 'plain' };
    case 'date':
      return { text: lastModified === null ? '' : day(lastModified), tone: 'quiet' };
    case 'rev':
      return { text: rev?.slice(0, 8) ?? '', tone: 'plain' };
    case 'would':
      return move === undefined
        ? { text: '', tone: 'quiet' }
        : {
            text:
              move.kind === 'removed'
                ? 'removed'
                : `${move.to?.rev?.slice(0, 8) ?? 'something newer'} (${day(move.to?.lastModified ?? null)})`,
            tone: 'accent',
          };
    case 'url':
      return { text: pen.clean(url), tone: 'quiet' };
    default:
      return id satisfies never;
  }
};

const previewLines = (
  snapshot: LabSnapshot,
  spinner: string,
  now: number,
  width: number,
  readonly: boolean,
  pen: Pen,
): readonly Line[] => {
  const { inputsPreview: preview } = snapshot;
  if (preview === null)
    return labelled(
      span(''),
      1,
      'Space asks what an update of the input under the cursor would move, U of all of them',
      'quiet',
      width - 1,
    );
  const asked = preview.inputs.length === 0 ? 'all inputs' : preview.inputs.join(', ');
  if (preview.refreshing) return [[span(` ${spinner} asking for the newest of ${pen.clean(asked)}`, 'busy')]];
  if (preview.failure !== null)
    return [
      ...labelled(
        span(` ${pen.glyphs.bad} `, 'bad'),
        3,
        pen.clean(preview.failure.message),
        'bad',
        width - 1,
      ),
      ...labelled(span('   '), 3, pen.clean(preview.failure.remedy), 'plain', width - 1),
    ];
  const moves = preview.value?.changes.length ?? 0;
  if (moves === 0)
    return labelled(
      span(` ${pen.glyphs.good} `, 'good'),
      3,
      pen.clean(preview.value?.remark ?? `${asked}: already the newest`),
      'good',
      width - 1,
    );
  const asking = `(asked ${ageWords(now - (preview.at ?? now))})`;
  return flowing(
    [
      span(` ${count(moves, 'input')} would move`, 'accent'),
      span(` ${asking}:`, 'plain'),
      span(
        readonly
          ? ' not from here, this screen was opened read-only'
          : ' Enter moves flake.lock; no machine is touched',
        'plain',
      ),
    ],
    width - 1,
    1,
  );
};

export const inputsPane = (
  view: {
    readonly snapshot: LabSnapshot;
    readonly now: number;
    readonly width: number;
    readonly spinner: string;
    readonly readonly: boolean;
    /** What an input has to hold to be listed. */
    readonly search: string;
  },
  pen: Pen,
): Pane => {
  const { snapshot, now, width, spinner } = view;
  const all = snapshot.inputs.value ?? [];
  const passes = lineTest(view.search);
  const inputs =
    passes === null
      ? all
      : all.filter(({ input, locked }) => passes(`${input} ${locked.url} ${locked.rev ?? ''}`));
  const moves = new Map((snapshot.inputsPreview?.value?.changes ?? []).map((move) => [move.input, move]));
  const { failure } = snapshot.inputs;
  const ideal = (id: ColumnId): number =>
    Math.max(0, ...inputs.map((input) => cellOf(input, id, moves, now, pen).text.length));
  const placed =
    inputs.length === 0
      ? []
      : placeColumns(
          columns.filter(({ id }) => ideal(id) > 0),
          ideal,
          width - 2,
        );
  return {
    head: [
      ...(failure === null
        ? []
        : [
            ...labelled(span(` ${pen.glyphs.bad} `, 'bad'), 3, pen.clean(failure.message), 'bad', width - 1),
            ...labelled(span('   '), 3, pen.clean(failure.remedy), 'plain', width - 1),
          ]),
      ...(inputs.length === 0 ? [] : previewLines(snapshot, spinner, now, width, view.readonly, pen)),
      ...(inputs.length === 0
        ? []
        : [
            blank,
            [
              span('  '),
              ...tableLine(
                placed,
                (id) => ({ text: columns.find((column) => column.id === id)?.title ?? '', tone: 'title' }),
                pen,
              ),
            ],
          ]),
    ],
    count: inputs.length,
    keyAt: (index) => inputs[index]?.input ?? null,
    lineAt: (index) => {
      const input = inputs[index];
      return input === undefined
        ? blank
        : [span(' '), ...tableLine(placed, (id) => cellOf(input, id, moves, now, pen), pen)];
    },
    kind: 'list',
    empty:
      failure === null
        ? [
            line(
              all.length > 0
                ? '   no input holds that text; Esc shows all again'
                : snapshot.inputs.at === null
                  ? '   flake.lock is being read'
                  : '   flake.lock pins no input',
              'quiet',
            ),
          ]
        : [],
    foot: null,
    noun: 'input',
  };
};
