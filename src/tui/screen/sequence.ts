import type { Machine } from '../../fleet/machine.ts';
import { rebootOrderOf, wavesOf } from '../../fleet/order.ts';
import type { LabSnapshot } from '../../flow/session.ts';
import { count, duration } from '../../text/words.ts';
import { blank, cellsOf, fitText, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { MachineRow } from './machine-row.ts';
import type { Pane } from './pane.ts';

type Entry = { readonly key: string | null; readonly line: Line };

const heading = (content: Line): Entry => ({ key: null, line: content });

const delayWords = (machine: Machine, first: boolean): string => {
  const { rebootDelay, rebootDelayIsOwn } = machine.orchestration;
  if (rebootDelay === 0) return 'at once';
  if (first && !rebootDelayIsOwn) return 'at once (first)';
  return `after ${duration(rebootDelay * 1_000)}`;
};

/** `after 16 min 40 s`, and a gap. */
const delayWidth = 19;

const policyWords = { always: 'always', 'when-needed': 'if needed', never: 'never' } as const;

/** Seconds of delay before this machine: its own, and none before the first unless it set one itself. */
const delayOf = ({ orchestration }: Machine, first: boolean): number =>
  first && !orchestration.rebootDelayIsOwn ? 0 : orchestration.rebootDelay;

const entriesOf = (
  ordered: readonly Machine[],
  rows: ReadonlyMap<string, MachineRow>,
  width: number,
  pen: Pen,
): readonly Entry[] => {
  const nameWidth = Math.max(8, ...ordered.map(({ name }) => cellsOf(name)));
  const numberWidth = String(ordered.length).length;
  let position = 0;
  return wavesOf(ordered).flatMap((wave, index) => {
    const together = wave.length > 1 ? ': none of these needs another' : '';
    const last = wave[0]?.orchestrator === true ? ': the orchestrator, always last' : '';
    const members = wave.map((machine): Entry => {
      position += 1;
      const row = rows.get(machine.name);
      const needs = machine.dependencies.length === 0 ? '' : `needs ${machine.dependencies.join(', ')}`;
      return {
        key: machine.name,
        line: [
          span(` ${String(position).padStart(numberWidth)}  `, 'quiet'),
          span(`${row?.state.glyph ?? pen.glyphs.unknown} `, row?.state.tone ?? 'quiet'),
          span(
            `${fitText(machine.name, Math.min(nameWidth, Math.max(12, width - 31 - delayWidth)), pen.glyphs.more)}  `,
            'strong',
          ),
          span(delayWords(machine, position === 1).padEnd(delayWidth), 'plain'),
          span(
            policyWords[machine.reboot.policy].padEnd(11),
            machine.reboot.policy === 'never' ? 'quiet' : 'plain',
          ),
          span(width < 100 ? '' : machine.orchestration.criticalityLevel.padEnd(10), 'quiet'),
          span(pen.clean(needs), 'plain'),
        ],
      };
    });
    return [
      ...(index === 0 ? [] : [heading(blank)]),
      heading([span(`Wave ${index + 1}`, 'title'), span(pen.clean(`${together}${last}`), 'quiet')]),
      ...members,
    ];
  });
};

/** The reboot sequence as waves. Machines that have no place in it are named with the reason. */
export const sequencePane = (
  view: { readonly snapshot: LabSnapshot; readonly rows: readonly MachineRow[]; readonly width: number },
  pen: Pen,
): Pane => {
  const { snapshot, rows, width } = view;
  const fleet = snapshot.evaluation.value?.fleet;
  const machines = fleet?.machines ?? [];
  const ordered = rebootOrderOf(machines);
  const placed = new Set(ordered.map(({ name }) => name));
  const missing = [
    ...machines
      .filter(({ name }) => !placed.has(name))
      .map(({ name }) => ({ name, why: 'on or behind a dependency cycle' })),
    ...(fleet?.failed ?? []).map(({ name }) => ({ name: pen.clean(name), why: 'could not be evaluated' })),
  ];
  const contradictions = snapshot.problems.filter(
    ({ kind }) => kind === 'cycle' || kind === 'order-contradiction' || kind === 'orchestrator-dependency',
  );
  const byName = new Map(rows.map((row) => [row.name, row]));
  const entries: readonly Entry[] = [
    ...entriesOf(ordered, byName, width, pen),
    ...(missing.length > 0 ? [heading(blank), heading(line('No place in the sequence', 'title'))] : []),
    ...missing.map(({ name, why }) => ({
      key: name,
      line: [span(`    ${pen.glyphs.bad} `, 'bad'), span(`${name}  `, 'strong'), span(why, 'bad')],
    })),
  ];
  const delays = ordered.reduce((sum, machine, index) => sum + delayOf(machine, index === 0), 0);
  const [first] = ordered;
  const fromApproval =
    first === undefined || delayOf(first, true) === 0
      ? ''
      : `; the delay of ${first.name} counts from the approval`;
  const summary =
    ordered.length === 0
      ? 'no machine has a place in the sequence'
      : `${count(ordered.length, 'machine')} in ${count(wavesOf(ordered).length, 'wave')}; if all of them reboot, the delays alone take ${duration(delays * 1_000)}${fromApproval}`;
  return {
    head: [
      ...labelled(span(' '), 1, summary, 'quiet', width),
      ...contradictions.flatMap(({ message }) =>
        labelled(span(` ${pen.glyphs.bad} `, 'bad'), 3, pen.clean(message), 'bad', width).slice(0, 2),
      ),
      blank,
    ],
    count: entries.length,
    keyAt: (index) => entries[index]?.key ?? null,
    lineAt: (index) => entries[index]?.line ?? blank,
    kind: 'list',
    empty: [line('   the machines are not known yet', 'quiet')],
    foot: null,
    noun: 'machine',
  };
};
