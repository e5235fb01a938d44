import type { LabSnapshot } from '../../flow/session.ts';
import { day } from '../../text/words.ts';
import { blank, cellsOf, type Line, labelled, line, span, spread } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Sort, SortBy } from './arrange.ts';
import type { MachineRow } from './machine-row.ts';
import { staleAfterMs } from './machine-state.ts';
import { stripFoot, type Untold } from './machine-strip.ts';
import type { Pane } from './pane.ts';
import { type Cell, type Column, columnSets, type Placed, tableLine } from './table.ts';
import { ageWords, clockTime, shortAge } from './words.ts';

/** Every column can be sorted by. */
const columns: readonly Column<SortBy>[] = [
  { id: 'name', title: 'MACHINE', rank: 0, good: 22, least: 20, most: 26 },
  { id: 'state', title: 'STATE', rank: 1, good: 15, least: 15, most: 22 },
  { id: 'role', title: 'ROLE', rank: 6, good: 18, least: null, most: 24 },
  { id: 'groups', title: 'GROUPS', rank: 9, good: 20, least: null, most: 30 },
  { id: 'drift', title: 'DRIFT', rank: 2, good: 25, least: 17, most: 60 },
  { id: 'reboot', title: 'REBOOT NEEDED', rank: 3, good: 30, least: 19, most: 140 },
  { id: 'last-run', title: 'LAST RUN', rank: 5, good: 14, least: null, most: 24 },
  { id: 'debt', title: 'OWED', rank: 4.5, good: 12, least: null, most: 28 },
  { id: 'uptime', title: 'UP', rank: 7, good: 3, least: null, most: 5 },
  { id: 'generation', title: 'GEN, AGE', rank: 8, good: 8, least: null, most: 10 },
  { id: 'ssh', title: 'SSH', rank: 10, good: 10, least: null, most: 18 },
  { id: 'platform', title: 'PLATFORM', rank: 11, good: 13, least: null, most: 16 },
  { id: 'seen', title: 'SEEN', rank: 4, good: 5, least: null, most: 5 },
];

const byRank = [...columns].sort((a, b) => a.rank - b.rank);

/** The columns from left to right. */
export const columnOrder: readonly SortBy[] = columns.map(({ id }) => id);

/** Cells before the first column: the mark and a space. The pane itself puts the pointer in front. */
const leadCells = 2;

/** Since when comes in as many words as there is room for: half a time of day would be worse than none. */
const stateCell = ({ state, seenAt }: MachineRow, now: number): Cell => {
  const stale = state.ages && seenAt !== null && now - seenAt > staleAfterMs;
  const tone = stale ? 'quiet' : state.tone;
  const short = `${state.glyph} ${stale ? 'was ' : ''}${state.text}`;
  if (state.since === null) return { text: short, tone };
  const age = shortAge(now - state.since);
  return {
    text: `${short} since ${sinceWords(state.since, now)}`,
    tone,
    // "For now" would say something else.
    shorter: age === 'now' ? [short] : [`${short} for ${age}`, `${short} ${age}`, short],
  };
};

/** The time of day, or the day where it is longer ago than that. */
const sinceWords = (at: number, now: number): string =>
  now - at < 20 * 3_600_000 ? clockTime(at).slice(0, 5) : day(at);

const ageCell = (at: number | null, now: number): Cell =>
  at === null ? { text: '', tone: 'quiet' } : { text: shortAge(now - at), tone: 'quiet' };

const lastRunCell = ({ lastRun }: MachineRow, now: number): Cell =>
  lastRun === null
    ? { text: '', tone: 'quiet' }
    : { text: `${lastRun.cell.text} ${shortAge(now - lastRun.at)}`, tone: lastRun.cell.tone };

const seenCell = ({ seenAt, looking }: MachineRow, now: number, pen: Pen): Cell => {
  if (looking) return { text: pen.glyphs.more.repeat(3), tone: 'busy' };
  if (seenAt === null) return { text: '-', tone: 'quiet' };
  const age = now - seenAt;
  return { text: shortAge(age), tone: age > staleAfterMs ? 'warn' : 'quiet' };
};

const cellOf = (row: MachineRow, id: SortBy, now: number, pen: Pen): Cell => {
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
    case 'platform':
      return { text: row.platform, tone: 'quiet' };
    case 'generation':
      return {
        text: [
          ...(row.generation === null ? [] : [String(row.generation)]),
          ...(row.generationAt === null ? [] : [shortAge(now - row.generationAt)]),
        ].join(' '),
        tone: 'quiet',
      };
    case 'uptime':
      return ageCell(row.bootedAt, now);
    case 'last-run':
      return lastRunCell(row, now);
    case 'debt':
      return row.debt;
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
): ReadonlyMap<SortBy, number> => {
  const widths = new Map<SortBy, number>();
  for (const row of rows)
    for (const { id } of columns) {
      // The cause of a failed evaluation runs over the columns instead of widening one.
      if (row.failed !== null && id !== 'name' && id !== 'state') continue;
      const cells = cellsOf(cellOf(row, id, now, pen).text);
      if (cells > (widths.get(id) ?? 0)) widths.set(id, cells);
    }
  // One cell more than the title, for the arrow of the column that is sorted by. An empty column has no width at all.
  for (const { id, title } of columns) {
    const cells = widths.get(id) ?? 0;
    if (cells > 0) widths.set(id, Math.max(cells, title.length + 1));
  }
  return widths;
};

const headerLine = (placed: readonly Placed<SortBy>[], sort: Sort, pen: Pen): Line => [
  span(' '.repeat(1 + leadCells), 'title'),
  ...tableLine(
    placed,
    (id) => {
      const column = placed.find((candidate) => candidate.id === id);
      const arrow = sort.reversed ? pen.glyphs.above : pen.glyphs.below;
      return { text: `${column?.title ?? ''}${sort.by === id ? arrow : ''}`, tone: 'title' };
    },
    pen,
  ),
];

/** What this row has to say and the placed columns do not show, or not in full. */
const untoldOf = (
  row: MachineRow,
  placed: readonly Placed<SortBy>[],
  now: number,
  pen: Pen,
): readonly Untold[] =>
  byRank.flatMap(({ id, title }) => {
    const cell = cellOf(row, id, now, pen);
    const room = placed.find((column) => column.id === id)?.width ?? 0;
    return cell.text === '' || cellsOf(cell.text) <= room ? [] : [{ title, cell }];
  });

const failedCells = (row: MachineRow, placed: readonly Placed<SortBy>[], now: number, pen: Pen): Line => [
  ...tableLine(
    placed.filter(({ id }) => id === 'name' || id === 'state'),
    (id) => cellOf(row, id, now, pen),
    pen,
  ),
  ...(placed.length > 2 ? [span(`  ${row.drift.text}`, 'bad')] : []),
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
    /** Where each row stands, by name. */
    readonly positions: ReadonlyMap<string, number>;
    readonly widths: ReadonlyMap<SortBy, number>;
    readonly filter: string;
    readonly sort: Sort;
    readonly marked: ReadonlySet<string>;
    readonly width: number;
    readonly spinner: string;
    /** The machine that the cursor was moved to. */
    readonly selected: string | null;
    /** Which of the sets of columns, of those that there are. */
    readonly columnSet: number;
  },
  pen: Pen,
): Pane => {
  const { snapshot, now, rows, marked } = view;
  const filled = columns.filter(({ id }) => (view.widths.get(id) ?? 0) > 0 || id === view.sort.by);
  const sets = columnSets(filled, 'name', (id) => view.widths.get(id) ?? 0, view.width - 1 - leadCells);
  const set = view.columnSet % sets.length;
  const placed = sets[set] ?? [];
  const beyond = filled.length - placed.length;
  const header = headerLine(placed, view.sort, pen);
  const headerRoom =
    view.width -
    cellsOf(
      header
        .map(({ text }) => text)
        .join('')
        .trimEnd(),
    );
  // What has no room is counted, and how to come by it, where there is room for that.
  const more =
    (beyond === 0
      ? []
      : set === 0
        ? [` +${beyond}: Ctrl-W`, ` +${beyond}`]
        : [` ${set + 1} of ${sets.length}`, ` ${set + 1}/${sets.length}`]
    ).find((text) => text.length < headerRoom) ?? '';
  const cursor = rows[(view.selected === null ? 0 : view.positions.get(view.selected)) ?? 0];
  return {
    head: [
      ...failureHead(snapshot, now, view.width, pen),
      ...(snapshot.evaluation.value === null ? [] : [spread(header, line(more, 'quiet'), view.width, ' ')]),
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
    foot: stripFoot(cursor, cursor === undefined ? [] : untoldOf(cursor, placed, now, pen), view.width, pen),
    noun: 'machine',
    positions: view.positions,
  };
};
