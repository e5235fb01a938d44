import type { Failure } from '../../failure.ts';
import type { LabSnapshot } from '../../flow/session.ts';
import { goalWords } from '../../plan/goal-words.ts';
import type { RunResult } from '../../run/event.ts';
import type { RunState } from '../../run/state.ts';
import { roughly } from '../../text/words.ts';
import { blank, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';
import { type LogEntry, logLine, machineColumn } from './log.ts';
import { type Pane, textPane } from './pane.ts';
import { planPane } from './plan.ts';
import { resultPane } from './result.ts';
import { type RunRow, runRows } from './run-row.ts';
import { type Column, placeColumns, tableLine } from './table.ts';
import { endWords, stopwatch } from './words.ts';

type RunScene = {
  readonly snapshot: LabSnapshot;
  readonly now: number;
  readonly log: readonly LogEntry[];
  readonly width: number;
  readonly spinner: string;
  readonly pen: Pen;
};

const preparationWords = {
  update: 'update flake.lock',
  evaluate: 'evaluate the flake',
  observe: 'look at the machines',
  build: 'build every system',
  plan: 'make the plan',
} as const;

const logFoot = ({ log, pen, width }: RunScene): NonNullable<Pane['foot']> => ({
  least: 3,
  lines: (height) => {
    const entries = log.filter(({ minor }) => !minor).slice(-Math.max(1, height - 1));
    const machineWidth = machineColumn(entries);
    const lines = entries.map((entry) => logLine(entry, machineWidth, pen));
    const title = ` Log ${pen.glyphs.rule}`;
    return [line(title + pen.glyphs.rule.repeat(Math.max(0, width - title.length)), 'quiet'), ...lines];
  },
});

const preparationLines = (run: RunState, { now, spinner, width, pen }: RunScene): readonly Line[] =>
  run.preparations.flatMap((record) => {
    const open = record.endedAt === null;
    const { glyphs } = pen;
    const [glyph, tone]: [string, Tone] =
      record.failure !== null ? [glyphs.bad, 'bad'] : open ? [spinner, 'busy'] : [glyphs.good, 'good'];
    const took = stopwatch((record.endedAt ?? now) - record.startedAt);
    const note = record.failure?.message ?? record.note;
    return [
      [
        span(`  ${glyph} `, tone),
        span(preparationWords[record.work].padEnd(22), open ? 'strong' : 'plain'),
        span(took.padStart(7), 'quiet'),
      ],
      ...(note === ''
        ? []
        : labelled(
            span('    '),
            4,
            pen.clean(note),
            record.failure === null ? 'quiet' : 'bad',
            width - 1,
          ).slice(0, 2)),
    ];
  });

const preparingPane = (scene: RunScene): Pane => {
  const { snapshot, now, spinner } = scene;
  const { run } = snapshot;
  const begun = run === null ? '' : `, ${stopwatch(now - run.startedAt)}`;
  return {
    ...textPane(run === null ? [line(`  ${spinner} beginning`, 'busy')] : preparationLines(run, scene)),
    head: [
      [
        span(` Preparing: ${run === null ? 'a run' : goalWords(run.goal)}`, 'strong'),
        span(begun, 'quiet'),
        span('  no machine is touched before you approve the plan', 'quiet'),
      ],
      blank,
    ],
    foot: logFoot(scene),
  };
};

type ColumnId = 'machine' | 'status' | 'progress' | 'elapsed' | 'note';

const columns: readonly Column<ColumnId>[] = [
  { id: 'machine', title: 'MACHINE', rank: 0, good: 22, least: 14, most: 32 },
  { id: 'status', title: 'PHASE', rank: 1, good: 20, least: 20, most: 22 },
  { id: 'progress', title: 'STEPS', rank: 4, good: 5, least: null, most: 7 },
  { id: 'elapsed', title: 'TIME', rank: 2, good: 14, least: 12, most: 16 },
  { id: 'note', title: 'NOTE', rank: 3, good: 30, least: 12, most: 400 },
];

const cellText = (row: RunRow, id: ColumnId): string => {
  switch (id) {
    case 'machine':
      return row.name;
    case 'status':
      return `${row.glyph} ${row.status}`;
    case 'progress':
      return row.progress;
    case 'elapsed':
      return row.elapsed;
    case 'note':
      return row.note;
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
      return 'quiet';
    case 'note':
      return row.tone === 'bad' ? 'bad' : 'plain';
    default:
      return id satisfies never;
  }
};

const bar = (done: number, total: number, width: number, pen: Pen): string => {
  const filled = total === 0 ? width : Math.floor((done / total) * width);
  return pen.glyphs.full.repeat(filled) + pen.glyphs.empty.repeat(width - filled);
};

const livePane = (scene: RunScene, run: RunState, stopRequested: boolean): Pane => {
  const { now, width, pen, spinner } = scene;
  const rows = runRows(run, now, spinner, pen);
  const widest = new Map<ColumnId, number>();
  for (const row of rows)
    for (const { id } of columns) {
      const cells = cellText(row, id).length;
      // A growing note must not shift the columns: it takes what is left anyway.
      if (cells > (widest.get(id) ?? 0)) widest.set(id, cells);
    }
  const placed = placeColumns(
    columns,
    (id) => (id === 'status' ? 20 : id === 'elapsed' ? 14 : (widest.get(id) ?? 0)),
    width - 2,
  );
  const settled = rows.filter(({ over }) => over).length;
  const elapsed = now - (run.approvedAt ?? run.startedAt);
  const expected = run.plan?.expectedMs ?? 0;
  return {
    head: [
      [
        span(
          ` ${stopRequested ? 'Stopping' : 'Running'}: ${goalWords(run.goal)}`,
          stopRequested ? 'warn' : 'strong',
        ),
        span(`  ${bar(settled, rows.length, 12, pen)} `, 'busy'),
        span(`${settled} of ${rows.length}`, 'plain'),
        span(`  ${stopwatch(elapsed)} of about ${roughly(expected)}`, 'quiet'),
      ],
      ...(stopRequested
        ? [line('   the steps under way end; no other begins', 'warn')]
        : run.pausedBy !== null
          ? [line(pen.clean(`   paused by ${run.pausedBy}: no step begins`), 'warn')]
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
            ...tableLine(placed, (id) => ({ text: cellText(row, id), tone: cellTone(row, id) }), pen),
          ];
    },
    kind: 'list',
    empty: [line('   the plan names no machine', 'quiet')],
    foot: logFoot(scene),
    noun: 'machine',
  };
};

const refusedPane = (failure: Failure, { width, pen }: RunScene): Pane =>
  textPane([
    line(` ${pen.glyphs.bad} The run could not begin`, 'bad'),
    blank,
    ...labelled(span('  what happened', 'quiet'), 17, pen.clean(failure.message), 'plain', width - 1),
    ...labelled(span('  what to do', 'quiet'), 17, pen.clean(failure.remedy), 'strong', width - 1),
    ...(failure.detail ?? []).map((text) => line(`    ${pen.clean(text)}`, 'quiet')),
  ]);

const nonePane = ({ snapshot }: RunScene): Pane =>
  textPane([
    blank,
    line('  No run yet.', 'strong'),
    blank,
    [span('  u  ', 'accent'), span('update flake.lock, build, deploy, and reboot what needs it')],
    [span('  r  ', 'accent'), span('the same with flake.lock as it is')],
    [span('  D  ', 'accent'), span('deploy only')],
    [span('  R  ', 'accent'), span('reboot the marked machines, or the one under the cursor')],
    blank,
    line(
      snapshot.demo
        ? '  This is the demo: everything happens in a simulated lab.'
        : '  Each first shows its plan; no machine is touched before you approve it.',
      'quiet',
    ),
  ]);

const lockChangesOf = ({ run, lockChanges }: LabSnapshot): LabSnapshot['lockChanges'] =>
  run?.lock?.changes ?? lockChanges;

/** The run in whatever phase it is: nothing, being prepared, a plan that waits, live, over, or refused. */
export const runPane = (scene: RunScene): Pane => {
  const { snapshot, width, pen } = scene;
  const { phase, run } = snapshot;
  switch (phase.kind) {
    case 'none':
      return nonePane(scene);
    case 'preparing':
      return preparingPane(scene);
    case 'awaiting-approval':
      return run?.plan == null
        ? preparingPane(scene)
        : planPane(run.plan, lockChangesOf(snapshot), run.remarks, width, pen);
    case 'running':
      return run === null ? preparingPane(scene) : livePane(scene, run, phase.stopRequested);
    case 'ended':
      return run === null ? nonePane(scene) : resultPane(run, lockChangesOf(snapshot), width, pen);
    case 'refused':
      return refusedPane(phase.failure, scene);
    default:
      return phase satisfies never;
  }
};

/** A run in a few words, for the title bar; null when there is none to speak of. */
export const runWords = (snapshot: LabSnapshot): { readonly text: string; readonly tone: Tone } | null => {
  const { phase, run } = snapshot;
  switch (phase.kind) {
    case 'none':
      return null;
    case 'preparing':
      return { text: 'preparing a run', tone: 'busy' };
    case 'awaiting-approval':
      return { text: 'a plan waits for you (3)', tone: 'warn' };
    case 'running':
      return phase.stopRequested
        ? { text: 'run stopping', tone: 'warn' }
        : { text: 'run under way', tone: 'busy' };
    case 'ended':
      return run?.ended == null ? null : endedWords(run.ended.result);
    case 'refused':
      return { text: 'run refused (3)', tone: 'bad' };
    default:
      return phase satisfies never;
  }
};

const endedWords = (result: RunResult): { readonly text: string; readonly tone: Tone } => {
  const { text, tone } = endWords(result);
  const worthReading = result !== 'done' && result !== 'declined';
  return { text: `run ${text}${worthReading ? ' (3)' : ''}`, tone };
};
