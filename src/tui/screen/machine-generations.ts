import type { Generation } from '../../ports.ts';
import { day } from '../../text/words.ts';
import { blank, type Line, labelled, line, span } from '../draw/line.ts';
import type { MachineScene } from './machine-facts.ts';
import { type Pane, textPane } from './pane.ts';
import { type Cell, type Column, placeColumns, tableLine } from './table.ts';
import { ageWords, closureWords, shortAge } from './words.ts';

/** The generations of the machine's system profile: what it could be returned to. */

type ColumnId = 'number' | 'is' | 'made' | 'age' | 'version' | 'kernel' | 'closure';

const columns: readonly Column<ColumnId>[] = [
  { id: 'number', title: 'GEN', rank: 0, good: 4, least: 4, most: 6 },
  { id: 'is', title: 'IS', rank: 1, good: 22, least: 14, most: 32 },
  { id: 'made', title: 'MADE', rank: 3, good: 10, least: null, most: 10 },
  { id: 'age', title: 'AGE', rank: 2, good: 5, least: 4, most: 5 },
  { id: 'version', title: 'NIXOS', rank: 4, good: 14, least: null, most: 28 },
  { id: 'kernel', title: 'KERNEL', rank: 5, good: 9, least: null, most: 14 },
  { id: 'closure', title: 'CLOSURE', rank: 6, good: 12, least: null, most: 40 },
];

const standing = ({ isCurrent, isDefault, isBooted }: Generation): string =>
  [...(isCurrent ? ['runs'] : []), ...(isBooted ? ['booted'] : []), ...(isDefault ? ['next boot'] : [])].join(
    ', ',
  );

const kernelOf = ({ parts }: Generation): string =>
  /-linux-([0-9][0-9A-Za-z.]*)/u.exec(parts.kernel ?? '')?.[1] ?? '';

const cellOf = (generation: Generation, id: ColumnId, scene: MachineScene): Cell => {
  const { now, pen, row } = scene;
  switch (id) {
    case 'number':
      return { text: String(generation.number), tone: 'strong' };
    case 'is':
      return { text: standing(generation), tone: generation.isCurrent ? 'good' : 'accent' };
    case 'made':
      return { text: generation.at === null ? '' : day(generation.at), tone: 'plain' };
    case 'age':
      return { text: generation.at === null ? '' : shortAge(now - generation.at), tone: 'quiet' };
    case 'version':
      return { text: pen.clean(generation.nixosVersion ?? ''), tone: 'plain' };
    case 'kernel':
      return { text: kernelOf(generation), tone: 'quiet' };
    case 'closure':
      return { text: pen.clean(closureWords(generation.toplevel, row.name)), tone: 'quiet' };
    default:
      return id satisfies never;
  }
};

export const generationsPane = (scene: MachineScene): Pane => {
  const { snapshot, row, now, width, pen, spinner } = scene;
  const known = snapshot.generations.get(row.name);
  const generations = known?.value ?? [];
  const placed = placeColumns(
    columns,
    (id) => Math.max(0, ...generations.map((generation) => cellOf(generation, id, scene).text.length)),
    width - 2,
  );
  const age: Line =
    known === undefined || known.refreshing
      ? [span(` ${spinner} being read`, 'busy')]
      : [span(` read ${known.at === null ? 'never' : ageWords(now - known.at)}`, 'quiet')];
  const failure =
    known?.failure == null
      ? []
      : [
          ...labelled(
            span(` ${pen.glyphs.bad} `, 'bad'),
            3,
            pen.clean(known.failure.message),
            'bad',
            width - 1,
          ),
          ...labelled(span('   '), 3, pen.clean(known.failure.remedy), 'plain', width - 1),
        ];
  return {
    ...textPane(
      [],
      generations.length === 0 && failure.length === 0 ? [line('   none are known yet', 'quiet')] : [],
    ),
    kind: 'list',
    head: [
      age,
      ...failure,
      ...(generations.length === 0
        ? []
        : [
            blank,
            [
              span('  '),
              ...tableLine(
                placed,
                (id) => ({ text: placed.find((one) => one.id === id)?.title ?? '', tone: 'title' }),
                pen,
              ),
            ],
          ]),
    ],
    count: generations.length,
    keyAt: (index) => {
      const generation = generations[index];
      return generation === undefined ? null : String(generation.number);
    },
    lineAt: (index) => {
      const generation = generations[index];
      return generation === undefined
        ? blank
        : [span(' '), ...tableLine(placed, (id) => cellOf(generation, id, scene), pen)];
    },
    noun: 'generation',
  };
};
