import type { Machine } from '../../fleet/machine.ts';
import { rebootOrderOf, wavesOf } from '../../fleet/order.ts';
import type { LabSnapshot } from '../../flow/session.ts';
import { count, duration, roughly } from '../../text/words.ts';
import { blank, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { MachineRow } from './machine-row.ts';
import type { Pane } from './pane.ts';
import { delaySecondsOf, type Slot, slotsOf } from './sequence-times.ts';
import { treeEntries } from './sequence-tree.ts';
import { type Cell, type Column, placeColumns, tableLine } from './table.ts';
import { stopwatch } from './words.ts';

/** The reboot sequence: as waves on a line of time, or as a tree of needs; of all machines, or of the marked ones. */

export type SequenceView = {
  readonly snapshot: LabSnapshot;
  readonly rows: readonly MachineRow[];
  readonly width: number;
  /** Lines of the body. */
  readonly height: number;
  readonly marked: ReadonlySet<string>;
  readonly tree: boolean;
  /** Show the sequence of the marked machines alone. */
  readonly onlyMarked: boolean;
};

type Entry = { readonly key: string | null; readonly line: Line };
const heading = (content: Line): Entry => ({ key: null, line: content });

const delayWords = ({ machine, delayMs }: Slot): string => {
  const { rebootDelay } = machine.orchestration;
  if (machine.reboot.policy === 'never') return '';
  if (delayMs === 0) return rebootDelay === 0 ? 'at once' : 'at once (first)';
  return `after ${duration(delayMs)}`;
};

const policyWords = { always: 'always', 'when-needed': 'if needed', never: 'never' } as const;

type ColumnId = 'place' | 'name' | 'delay' | 'policy' | 'takes' | 'at' | 'level' | 'line' | 'needs';
const columns: readonly Column<ColumnId>[] = [
  { id: 'place', title: '', rank: 0, good: 2, least: 2, most: 4 },
  { id: 'name', title: 'MACHINE', rank: 1, good: 21, least: 14, most: 30 },
  { id: 'delay', title: 'DELAY', rank: 2, good: 19, least: 11, most: 19 },
  { id: 'policy', title: 'REBOOTS', rank: 5, good: 9, least: null, most: 9 },
  { id: 'takes', title: 'TAKES', rank: 4, good: 6, least: null, most: 8 },
  { id: 'at', title: 'AT', rank: 6, good: 7, least: null, most: 9 },
  { id: 'level', title: 'LEVEL', rank: 8, good: 8, least: null, most: 8 },
  { id: 'line', title: 'TIMELINE', rank: 7, good: 20, least: null, most: 40 },
  { id: 'needs', title: 'NEEDS', rank: 3, good: 10, least: null, most: 60 },
];

const timeline = ({ startMs, delayMs, takesMs }: Slot, allMs: number, width: number, pen: Pen): string => {
  if (allMs === 0 || takesMs === 0) return '';
  const cell = (ms: number): number => Math.min(width, Math.round((ms / allMs) * width));
  const start = cell(startMs);
  const trigger = Math.min(width - 1, cell(startMs + delayMs));
  const end = Math.max(trigger + 1, cell(startMs + delayMs + takesMs));
  return (
    ' '.repeat(Math.min(start, trigger)) +
    pen.glyphs.empty.repeat(Math.max(0, trigger - start)) +
    pen.glyphs.full.repeat(end - trigger)
  );
};

const cellOf = (
  slot: Slot,
  id: ColumnId,
  width: number,
  context: { readonly rows: ReadonlyMap<string, MachineRow>; readonly allMs: number; readonly pen: Pen },
): Cell => {
  const { machine, position, takesMs, measured, critical } = slot;
  const { rows, allMs, pen } = context;
  const row = rows.get(machine.name);
  switch (id) {
    case 'place':
      return { text: String(position), tone: 'quiet' };
    case 'name':
      return {
        text: `${row?.state.glyph ?? pen.glyphs.unknown} ${machine.name}`,
        tone: row?.state.tone ?? 'quiet',
      };
    case 'delay':
      return {
        text: delayWords(slot),
        tone: 'plain',
        shorter: slot.delayMs === 0 ? ['at once'] : [`+${stopwatch(slot.delayMs)}`],
      };
    case 'policy':
      return {
        text: policyWords[machine.reboot.policy],
        tone: machine.reboot.policy === 'never' ? 'quiet' : 'plain',
      };
    case 'takes':
      return { text: takesMs === 0 ? '' : `${measured ? '' : '~'}${roughly(takesMs)}`, tone: 'quiet' };
    case 'at':
      return { text: takesMs === 0 ? '' : `+${stopwatch(slot.startMs + slot.delayMs)}`, tone: 'quiet' };
    case 'level':
      return { text: machine.orchestration.criticalityLevel, tone: 'quiet' };
    case 'line':
      return { text: timeline(slot, allMs, width, pen), tone: critical ? 'warn' : 'busy' };
    case 'needs':
      return { text: pen.clean(machine.dependencies.join(', ')), tone: 'plain' };
    default:
      return id satisfies never;
  }
};

const waveEntries = (
  waves: readonly (readonly Machine[])[],
  slots: readonly Slot[],
  view: SequenceView,
  rows: ReadonlyMap<string, MachineRow>,
  pen: Pen,
): readonly Entry[] => {
  const allMs = slots.at(-1)?.endMs ?? 0;
  const context = { rows, allMs, pen };
  const placed = placeColumns(
    columns,
    (id) => {
      if (id === 'line') return 40;
      return Math.max(0, ...slots.map((slot) => cellOf(slot, id, 40, context).text.length));
    },
    view.width - 5,
  );
  const header: Entry = heading([
    span('  '),
    ...tableLine(
      placed,
      (id) => ({ text: placed.find((one) => one.id === id)?.title ?? '', tone: 'title' }),
      pen,
    ),
  ]);
  return [
    header,
    ...waves.flatMap((wave, index) => {
      const together = wave.length > 1 ? ': none of these needs another' : '';
      const last = wave[0]?.orchestrator === true ? ': the orchestrator, always last' : '';
      return [
        ...(index === 0 ? [] : [heading(blank)]),
        heading([span(`Wave ${index + 1}`, 'title'), span(pen.clean(`${together}${last}`), 'quiet')]),
        ...slots
          .filter((slot) => slot.wave === index)
          .map(
            (slot): Entry => ({
              key: slot.machine.name,
              line: [
                span(view.marked.has(slot.machine.name) ? pen.glyphs.marked : ' ', 'mark'),
                span(slot.critical ? pen.glyphs.critical : ' ', 'warn'),
                ...tableLine(placed, (id, width) => cellOf(slot, id, width, context), pen),
              ],
            }),
          ),
      ];
    }),
  ];
};

const contradictionKinds: ReadonlySet<string> = new Set([
  'cycle',
  'order-contradiction',
  'orchestrator-dependency',
]);

/** With fewer lines only the most important is said above. */
const roomyLines = 13;

/** What is said above: how long it takes, which chain decides, and what contradicts itself. */
const headLines = (
  slots: readonly Slot[],
  waves: number,
  outside: readonly string[],
  view: SequenceView,
  pen: Pen,
): readonly Line[] => {
  const { snapshot, width } = view;
  const wrap = (text: string, tone: 'plain' | 'quiet' = 'plain'): readonly Line[] =>
    labelled(span(' '), 1, pen.clean(text), tone, width - 1);
  const delays = slots.reduce((sum, { delayMs }) => sum + delayMs, 0);
  const [first] = slots;
  const fromApproval =
    first === undefined || delaySecondsOf(first.machine, true) === 0
      ? ''
      : `; the delay of ${first.machine.name} counts from the approval`;
  const all = slots.at(-1)?.endMs ?? 0;
  const chain = slots.filter(({ critical }) => critical).map(({ machine }) => machine.name);
  const contradictions = snapshot.problems.filter(({ kind }) => contradictionKinds.has(kind));
  if (view.height < roomyLines && slots.length > 0 && contradictions.length + outside.length === 0)
    return wrap(
      `${view.onlyMarked ? 'marked: ' : ''}${count(slots.length, 'machine')} in ${count(waves, 'wave')}, at most ~${roughly(all)}${chain.length > 1 ? `; ${pen.glyphs.critical} longest` : ''}`,
    );
  return [
    ...wrap(
      slots.length === 0
        ? view.onlyMarked
          ? 'no marked machine has a place in the sequence: Space marks, o shows all'
          : 'no machine has a place in the sequence'
        : `${view.onlyMarked ? 'only the marked: ' : ''}${count(slots.length, 'machine')} in ${count(waves, 'wave')}; if all of them reboot, about ${roughly(all)}, of which the delays alone take ${duration(delays)}${fromApproval}`,
    ),
    ...(chain.length === 0
      ? []
      : wrap(`${pen.glyphs.critical} the longest chain of needs: ${chain.join(' → ')}`, 'quiet')),
    ...(outside.length === 0
      ? []
      : wrap(
          `needed and not among the marked: ${outside.join(', ')}; they only have to be healthy`,
          'quiet',
        )),
    ...contradictions.flatMap(({ message, remedy }) => [
      ...labelled(span(` ${pen.glyphs.bad} `, 'bad'), 3, pen.clean(message), 'bad', width - 1).slice(0, 2),
      ...labelled(span('   '), 3, pen.clean(remedy), 'plain', width - 1).slice(0, 1),
    ]),
    blank,
  ];
};

export const sequencePane = (view: SequenceView, pen: Pen): Pane => {
  const { snapshot, rows, marked, onlyMarked } = view;
  const fleet = snapshot.evaluation.value?.fleet;
  const machines = (fleet?.machines ?? []).filter(({ name }) => !onlyMarked || marked.has(name));
  const ordered = rebootOrderOf(machines);
  const waves = wavesOf(ordered);
  const slots = slotsOf(waves, snapshot.recalled.durations);
  const placed = new Set(ordered.map(({ name }) => name));
  const members = new Set(machines.map(({ name }) => name));
  const outside = onlyMarked
    ? [...new Set(machines.flatMap(({ dependencies }) => dependencies))].filter((name) => !members.has(name))
    : [];
  const missing = [
    ...machines
      .filter(({ name }) => !placed.has(name))
      .map(({ name }) => ({ name, why: 'on or behind a dependency cycle' })),
    ...(onlyMarked ? [] : (fleet?.failed ?? [])).map(({ name }) => ({
      name: pen.clean(name),
      why: 'could not be evaluated',
    })),
  ];
  const byName = new Map(rows.map((row) => [row.name, row]));
  const entries: readonly Entry[] = view.tree
    ? treeEntries(machines, byName, pen)
    : [
        ...(slots.length === 0 ? [] : waveEntries(waves, slots, view, byName, pen)),
        ...(missing.length > 0 ? [heading(blank), heading(line('No place in the sequence', 'title'))] : []),
        ...missing.map(({ name, why }) => ({
          key: name,
          line: [span(`    ${pen.glyphs.bad} `, 'bad'), span(`${name}  `, 'strong'), span(why, 'bad')],
        })),
      ];
  return {
    head: headLines(slots, waves.length, outside, view, pen),
    count: entries.length,
    keyAt: (index) => entries[index]?.key ?? null,
    lineAt: (index) => entries[index]?.line ?? blank,
    kind: 'list',
    empty: [line('   the machines are not known yet', 'quiet')],
    foot: null,
    noun: 'machine',
  };
};
