import type { LabSnapshot } from '../../flow/session.ts';
import { blank, cellsOf, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Sort, SortBy } from './arrange.ts';
import { type MachineRow, staleAfterMs } from './machine-row.ts';
import type { Pane } from './pane.ts';
import { type Cell, type Column, type Placed, placeColumns, tableLine } from './table.ts';
import { ageWords, shortAge } from './words.ts';

type ColumnId = 'name' | 'state' | 'drift' | 'reboot' | 'role' | 'groups' | 'ssh' | 'seen';

const columns: readonly Column<ColumnId>[] = [
  { id: 'name', title: 'MACHINE', rank: 0, good: 22, least: 20, most: 26 },
  { id: 'state', title: 'STATE', rank: 1, good: 15, least: 15, most: 18 },
  { id: 'role', title: 'ROLE', rank: 5, good: 18, least: null, most: 24 },
  { id: 'groups', title: 'GROUPS', rank: 6, good: 22, least: null, most: 30 },
  { id: 'drift', title: 'DRIFT', rank: 2, good: 25, least: 17, most: 40 },
  { id: 'reboot', title: 'REBOOT NEEDED', rank: 3, good: 30, least: 19, most: 60 },
  { id: 'ssh', title: 'SSH', rank: 7, good: 10, least: null, most: 18 },
  { id: 'seen', title: 'SEEN', rank: 4, good: 5, least: null, most: 5 },
];

const sortColumn: Record<SortBy, ColumnId> = {
  name: 'name',
  state: 'state',
  drift: 'drift',
  reboot: 'reboot',
  role: 'role',
  seen: 'seen',
};

/** Cells before the first column: the mark and a space. The pane itself puts the pointer in front. */
const leadCells = 2;

const stateCell = ({ state, seenAt }: MachineRow, now: number): Cell => {
  const stale = state.ages && seenAt !== null && now - seenAt > staleAfterMs;
  return stale
    ? { text: `${state.glyph} was ${state.text}`, tone: 'quiet' }
    : { text: `${state.glyph} ${state.text}`, tone: state.tone };
};

const seenCell = ({ seenAt, looking }: MachineRow, now: number, pen: Pen): Cell => {
  if (looking) return { text: pen.glyphs.more.repeat(3), tone: 'busy' };
  if (seenAt === null) return { text: '-', tone: 'quiet' };
  const age = now - seenAt;
  return { text: shortAge(age), tone: age > staleAfterMs ? 'warn' : 'quiet' };
};

const cellOf = (row: MachineRow, id: ColumnId, now: number, pen: Pen): Cell => {
  switch (id) {
    case 'name':
      return { text: row.name, tone: 'strong' };
    case 'state':
      return stateCell(row, now);
    case 'drift':
      return row.drift;
    case 'reboot':
      return row.reboot;
    case 'role':
      return { text: row.role, tone: 'plain' };
    case 'groups':
      return { text: row.groups, tone: 'quiet' };
    case 'ssh':
      return row.ssh;
    case 'seen':
      return seenCell(row, now, pen);
    default:
      return id satisfies never;
  }
};

/** The widest content of each column over all machines, so that filtering moves no column. */
export const idealWidths = (
  rows: readonly MachineRow[],
  now: number,
  pen: Pen,
): ReadonlyMap<ColumnId, number> => {
  // One cell more than the title, for the arrow of the column that is sorted by.
  const widths = new Map<ColumnId, number>(columns.map(({ id, title }) => [id, title.length + 1]));
  for (const row of rows)
    for (const { id } of columns) {
      // The cause of a failed evaluation runs over the columns instead of widening one.
      if (row.failed !== null && id !== 'name' && id !== 'state') continue;
      const cells = cellsOf(cellOf(row, id, now, pen).text);
      if (cells > (widths.get(id) ?? 0)) widths.set(id, cells);
    }
  return widths;
};

const headerLine = (placed: readonly Placed<ColumnId>[], sort: Sort, pen: Pen): Line => [
  span(' '.repeat(1 + leadCells), 'title'),
  ...tableLine(
    placed,
    (id) => {
      const column = placed.find((candidate) => candidate.id === id);
      const arrow = sort.reversed ? pen.glyphs.above : pen.glyphs.below;
      return { text: `${column?.title ?? ''}${sortColumn[sort.by] === id ? arrow : ''}`, tone: 'title' };
    },
    pen,
  ),
];

const failedCells = (row: MachineRow, placed: readonly Placed<ColumnId>[], now: number, pen: Pen): Line => [
  ...tableLine(
    placed.filter(({ id }) => id === 'name' || id === 'state'),
    (id) => cellOf(row, id, now, pen),
    pen,
  ),
  span(`  ${row.drift.text}`, 'bad'),
];

const failureHead = (snapshot: LabSnapshot, now: number, width: number, pen: Pen): readonly Line[] => {
  const { failure, value, at } = snapshot.evaluation;
  if (failure === null) return [];
  const old = value === null || at === null ? '' : ` Below is what was known ${ageWords(now - at)}.`;
  return [
    ...labelled(
      span(` ${pen.glyphs.bad} `, 'bad'),
      3,
      pen.clean(`${failure.message}.${old}`),
      'bad',
      width,
    ).slice(0, 3),
    ...labelled(span('   ', 'plain'), 3, pen.clean(failure.remedy), 'plain', width).slice(0, 2),
    ...(value === null
      ? (failure.detail ?? []).slice(-8).map((text) => line(`   ${pen.clean(text)}`, 'quiet'))
      : []),
    blank,
  ];
};

const emptyLines = (snapshot: LabSnapshot, filter: string, spinner: string, pen: Pen): readonly Line[] => {
  if (filter !== '' && snapshot.evaluation.value !== null)
    return [line(`   no machine matches "${pen.clean(filter)}"; Esc shows all again`, 'quiet')];
  if (snapshot.evaluation.value !== null)
    return [line('   the flake names no machine: add one under nixosConfigurations', 'warn')];
  if (snapshot.evaluation.failure !== null) return [];
  return [
    blank,
    line(`   ${spinner} evaluating the flake: the machines appear as soon as Nix has named them`, 'busy'),
  ];
};

/** The table of all machines. `rows` are those that pass the filter, in order; `all` decides on the widths. */
export const machinesPane = (
  view: {
    readonly snapshot: LabSnapshot;
    readonly now: number;
    readonly rows: readonly MachineRow[];
    readonly widths: ReadonlyMap<ColumnId, number>;
    readonly filter: string;
    readonly sort: Sort;
    readonly marked: ReadonlySet<string>;
    readonly width: number;
    readonly spinner: string;
  },
  pen: Pen,
): Pane => {
  const { snapshot, now, rows, marked } = view;
  const placed = placeColumns(columns, (id) => view.widths.get(id) ?? 0, view.width - 1 - leadCells);
  return {
    head: [
      ...failureHead(snapshot, now, view.width, pen),
      ...(snapshot.evaluation.value === null ? [] : [headerLine(placed, view.sort, pen)]),
    ],
    count: rows.length,
    keyAt: (index) => rows[index]?.name ?? null,
    lineAt: (index) => {
      const row = rows[index];
      if (row === undefined) return blank;
      const mark = span(marked.has(row.name) ? `${pen.glyphs.marked} ` : '  ', 'mark');
      return [
        mark,
        ...(row.failed === null
          ? tableLine(placed, (id) => cellOf(row, id, now, pen), pen)
          : failedCells(row, placed, now, pen)),
      ];
    },
    kind: 'list',
    empty: emptyLines(snapshot, view.filter, view.spinner, pen),
    foot: null,
    noun: 'machine',
  };
};
