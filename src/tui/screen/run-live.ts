import { goalWords } from '../../plan/goal-words.ts';
import type { RunState } from '../../run/state.ts';
import { roughly } from '../../text/words.ts';
import { barText } from '../draw/bar.ts';
import { blank, cellsOf, flowing, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';
import type { Pane } from './pane.ts';
import { type Detail, detailOf } from './run-detail.ts';
import { type RunRow, runRows } from './run-row.ts';
import { logFoot, type RunScene } from './run-scene.ts';
import { type Column, placeColumns, tableLine } from './table.ts';
import { stopwatch } from './words.ts';

/** A run under way: a row for each machine, and below it what the one under the cursor is going through. */

type ColumnId = 'machine' | 'status' | 'progress' | 'elapsed' | 'total' | 'note';

const columns: readonly Column<ColumnId>[] = [
  { id: 'machine', title: 'MACHINE', rank: 0, good: 22, least: 14, most: 32 },
  { id: 'status', title: 'PHASE', rank: 1, good: 20, least: 20, most: 22 },
  { id: 'progress', title: 'STEPS', rank: 4, good: 5, least: null, most: 7 },
  { id: 'elapsed', title: 'TIME', rank: 2, good: 14, least: 12, most: 16 },
  { id: 'total', title: 'IN ALL', rank: 5, good: 13, least: null, most: 18 },
  { id: 'note', title: 'NOTE', rank: 3, good: 20, least: 12, most: 400 },
];

const amountCells = 10;

const cellText = (row: RunRow, id: ColumnId, pen: Pen, withTotals = true): string => {
  switch (id) {
    case 'machine':
      return row.name;
    case 'status':
      return `${row.glyph} ${row.status}`;
    case 'progress':
      return row.progress;
    case 'elapsed':
      // Where the totals have no column, what is expected stands where nothing has been spent yet.
      return row.elapsed === '' && !withTotals ? row.total : row.elapsed;
    case 'total':
      return row.total;
    case 'note':
      return row.amount === null
        ? row.note
        : `${barText(row.amount.share, amountCells, pen)} ${row.amount.words}  ${row.note}`;
    default:
      return id satisfies never;
  }
};

const cellTone = (row: RunRow, id: ColumnId): Tone => {
  switch (id) {
    case 'machine':
      return 'strong';
    case 'status':
      return row.tone;
    case 'progress':
    case 'elapsed':
    case 'total':
      return 'quiet';
    case 'note':
      return row.tone === 'bad' ? 'bad' : 'plain';
    default:
      return id satisfies never;
  }
};

type Foot = NonNullable<Pane['foot']>;

/** Below so many lines there is no room for both detail and log. */
const leastForBoth = 8;

/** The detail above the log; where there is little room, what is being waited for comes first. */
const withDetail = (log: Foot, detail: Detail | null): Foot => ({
  least: log.least,
  lines: (height) => {
    if (detail === null) return log.lines(height);
    const { title, steps, now } = detail;
    if (height < leastForBoth) return [title, ...(now.length === 0 ? steps : now)];
    const shown = [title, ...steps, ...now].slice(0, height - 4);
    return [...shown, ...log.lines(height - shown.length)];
  },
});

export const livePane = (scene: RunScene, run: RunState, stopRequested: boolean): Pane => {
  const { now, width, pen, spinner } = scene;
  const rows = runRows(run, now, spinner, pen);
  const widest = new Map<ColumnId, number>();
  for (const row of rows)
    for (const { id } of columns) {
      const cells = cellsOf(cellText(row, id, pen));
      // A growing note must not shift the columns: it takes what is left anyway.
      if (cells > (widest.get(id) ?? 0)) widest.set(id, cells);
    }
  const placed = placeColumns(
    columns,
    (id) => (id === 'status' ? 20 : id === 'elapsed' ? 14 : (widest.get(id) ?? 0)),
    width - 2,
  );
  const withTotals = placed.some(({ id }) => id === 'total');
  // The cursor goes along with the run until somebody moves it.
  const active = rows.find(({ busy }) => busy)?.name ?? rows.find(({ over }) => !over)?.name;
  const selected = rows.find(({ name }) => name === scene.selected)?.name ?? active ?? rows[0]?.name ?? null;
  const settled = rows.filter(({ over }) => over).length;
  const elapsed = now - (run.approvedAt ?? run.startedAt);
  const expected = run.plan?.expectedMs ?? 0;
  const paused = run.pausedBy !== null;
  return {
    head: [
      ...flowing(
        [
          span(
            ` ${stopRequested ? 'Stopping' : paused ? 'Paused' : 'Running'}: ${goalWords(run.goal)}`,
            stopRequested || paused ? 'warn' : 'strong',
          ),
          span(
            `  ${barText(rows.length === 0 ? 1 : settled / rows.length, width < 50 ? 6 : 12, pen)}`,
            'busy',
          ),
          span(` ${settled} of ${rows.length}`, 'plain'),
          span(`  ${stopwatch(elapsed)} of about ${roughly(expected)}`, 'quiet'),
        ],
        width - 1,
        2,
      ),
      ...(stopRequested
        ? [line('   the steps under way end; no other begins', 'warn')]
        : run.pausedBy !== null
          ? labelled(
              span(''),
              3,
              pen.clean(`paused by ${run.pausedBy}: no step begins; z goes on`),
              'warn',
              width - 1,
            )
          : []),
      [
        span('  '),
        ...tableLine(
          placed,
          (id) => ({ text: columns.find((column) => column.id === id)?.title ?? '', tone: 'title' }),
          pen,
        ),
      ],
    ],
    count: rows.length,
    keyAt: (index) => rows[index]?.name ?? null,
    lineAt: (index) => {
      const row = rows[index];
      return row === undefined
        ? blank
        : [
            span(' '),
            ...tableLine(
              placed,
              (id) => ({ text: cellText(row, id, pen, withTotals), tone: cellTone(row, id) }),
              pen,
            ),
          ];
    },
    kind: 'list',
    initial: active,
    empty: [line('   the plan names no machine', 'quiet')],
    foot: withDetail(logFoot(scene), detailOf(scene, run, selected)),
    noun: 'machine',
  };
};
