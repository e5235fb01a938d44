import type { PastRun } from '../../flow/past-run.ts';
import type { LabSnapshot } from '../../flow/session.ts';
import { goalWords } from '../../plan/goal-words.ts';
import { duration, moment } from '../../text/words.ts';
import { blank, cellsOf, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import { lineTest } from './lines-with.ts';
import { untoldFoot } from './machine-strip.ts';
import type { Pane } from './pane.ts';
import { type Cell, type Column, placeColumns, tableLine } from './table.ts';
import { endWords, shortAge, underWay } from './words.ts';

/** Runs of the journal, the newest first: how they ended, how long they took, what changed. */

type ColumnId = 'at' | 'age' | 'result' | 'goal' | 'took' | 'machines' | 'inputs' | 'by' | 'reason';
const columns: readonly Column<ColumnId>[] = [
  { id: 'at', title: 'BEGUN', rank: 1, good: 16, least: 11, most: 16 },
  { id: 'age', title: 'AGO', rank: 5, good: 4, least: null, most: 5 },
  { id: 'result', title: 'RESULT', rank: 0, good: 14, least: 14, most: 18 },
  { id: 'goal', title: 'GOAL', rank: 2, good: 14, least: 9, most: 28 },
  { id: 'took', title: 'TOOK', rank: 4, good: 8, least: null, most: 14 },
  { id: 'machines', title: 'MACHINES', rank: 3, good: 16, least: 10, most: 36 },
  { id: 'inputs', title: 'INPUTS', rank: 7, good: 8, least: null, most: 8 },
  { id: 'by', title: 'BY', rank: 6, good: 10, least: null, most: 24 },
  { id: 'reason', title: 'REASON', rank: 8, good: 24, least: null, most: 120 },
];

/** `3 done, 1 failed`: what became of the machines that the run had to do with. */
export const machineCounts = ({ machines }: PastRun): string => {
  const counts = new Map<string, number>();
  for (const { status } of machines) {
    if (status === 'nothing') continue;
    const word =
      status === 'restored'
        ? 'returned'
        : status === 'waiting'
          ? 'untouched'
          : status === 'left-out'
            ? 'left out'
            : status === 'active'
              ? 'unfinished'
              : status;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts.size === 0
    ? machines.length === 0
      ? ''
      : 'nothing to do'
    : [...counts].map(([word, many]) => `${many} ${word}`).join(', ');
};

const cellOf = (run: PastRun, id: ColumnId, now: number, pen: Pen): Cell => {
  switch (id) {
    case 'at':
      return { text: moment(run.startedAt).slice(0, 16), tone: 'plain' };
    case 'age':
      return { text: shortAge(now - run.startedAt), tone: 'quiet' };
    case 'result': {
      if (run.result === null) return { text: `${pen.glyphs.pointer} not ended`, tone: 'busy' };
      const { tone } = endWords(run.result);
      const sign = tone === 'good' ? pen.glyphs.good : tone === 'bad' ? pen.glyphs.bad : pen.glyphs.warn;
      return { text: `${sign} ${run.result}`, tone };
    }
    case 'goal':
      return { text: goalWords(run.goal), tone: 'plain' };
    case 'took':
      return {
        text: run.endedAt === null ? '' : duration(Math.max(0, run.endedAt - run.startedAt - run.waitedMs)),
        tone: 'quiet',
      };
    case 'machines':
      return { text: machineCounts(run), tone: 'plain' };
    case 'inputs':
      return { text: run.inputsMoved === 0 ? '' : `${run.inputsMoved} moved`, tone: 'quiet' };
    case 'by':
      return { text: pen.clean(`${run.by.user} (${run.by.via})`), tone: 'quiet' };
    case 'reason':
      return { text: pen.clean(run.reason), tone: 'quiet' };
    default:
      return id satisfies never;
  }
};

export const historyPane = (
  view: {
    readonly snapshot: LabSnapshot;
    readonly now: number;
    readonly width: number;
    /** What a run has to say somewhere to be listed. */
    readonly search: string;
    /** The run that the cursor was moved to. */
    readonly selected: string | null;
    readonly readonly: boolean;
  },
  pen: Pen,
): Pane => {
  const { snapshot, now } = view;
  const all = snapshot.past ?? [];
  const passes = lineTest(view.search);
  const runs =
    passes === null
      ? all
      : all.filter((run) => passes(columns.map(({ id }) => cellOf(run, id, now, pen).text).join(' ')));
  const ideal = (id: ColumnId): number =>
    Math.max(0, ...runs.map((run) => cellsOf(cellOf(run, id, now, pen).text)));
  const filled = columns.filter(({ id }) => ideal(id) > 0);
  const placed = runs.length === 0 ? [] : placeColumns(filled, ideal, view.width - 2);
  const cursor = runs.find(({ run }) => run === view.selected) ?? runs[0];
  return {
    head:
      runs.length === 0
        ? []
        : [
            [
              span('  '),
              ...tableLine(
                placed,
                (id) => ({ text: columns.find((column) => column.id === id)?.title ?? '', tone: 'title' }),
                pen,
              ),
            ],
          ],
    count: runs.length,
    keyAt: (index) => runs[index]?.run ?? null,
    lineAt: (index) => {
      const run = runs[index];
      return run === undefined
        ? blank
        : [span(' '), ...tableLine(placed, (id) => cellOf(run, id, now, pen), pen)];
    },
    kind: 'list',
    empty: [
      line(
        all.length > 0
          ? '   no run holds that text; Esc shows all again'
          : snapshot.past === null
            ? '   being read from the journal'
            : underWay(snapshot)
              ? '   no run has ended yet; 3 shows the one under way'
              : `   no run yet${view.readonly ? '' : ': u, r, D or R begin one'}`,
        'quiet',
      ),
    ],
    foot:
      cursor === undefined
        ? null
        : untoldFoot(
            cursor.run,
            filled.flatMap(({ id, title }) => {
              const cell = cellOf(cursor, id, now, pen);
              const room = placed.find((one) => one.id === id)?.width ?? 0;
              return cell.text === '' || cellsOf(cell.text) <= room ? [] : [{ title, cell }];
            }),
            view.width,
            pen,
          ),
    noun: 'run',
  };
};
