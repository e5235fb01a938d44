import type { LabSnapshot } from '../../flow/session.ts';
import { debtWords } from '../../plan/debt.ts';
import { goalWords } from '../../plan/goal-words.ts';
import { count, duration, moment } from '../../text/words.ts';
import { barText } from '../draw/bar.ts';
import { blank, fitText, flowing, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import { sparkline } from '../draw/sparkline.ts';
import type { Tone } from '../draw/theme.ts';
import { machineCounts } from './history.ts';
import type { MachineRow } from './machine-row.ts';
import { staleAfterMs } from './machine-state.ts';
import { type Pane, textPane } from './pane.ts';
import { runWords } from './run.ts';
import { ageWords, endWords } from './words.ts';

/** The whole lab on one screen. */

export type PulseView = {
  readonly snapshot: LabSnapshot;
  readonly rows: readonly MachineRow[];
  readonly now: number;
  readonly width: number;
  /** Lines there are. With few of them counts share a line, and what is well is told in few words. */
  readonly height: number;
};

const roomyLines = 24;

const labelWidth = 14;
const listedMax = 8;

const fact = (label: string, text: string, tone: Tone, { width }: PulseView, pen: Pen): readonly Line[] =>
  labelled(span(` ${label}`, 'quiet'), labelWidth, pen.clean(text), tone, width - 1);

const countLines = ({ rows, width, height }: PulseView, pen: Pen): readonly Line[] => {
  const groups = new Map<string, { count: number; readonly tone: Tone; readonly rank: number }>();
  for (const { state } of rows) {
    const known = groups.get(state.text);
    if (known === undefined) groups.set(state.text, { count: 1, tone: state.tone, rank: state.rank });
    else known.count += 1;
  }
  const sorted = [...groups].sort(([, a], [, b]) => a.rank - b.rank);
  if (height < roomyLines)
    return flowing(
      sorted.map(([text, { count: many, tone }], index) =>
        span(`${index === 0 ? ' ' : '  '}${many} ${text}`, tone),
      ),
      width - 1,
      1,
    );
  const barWidth = Math.max(8, Math.min(40, width - 40));
  return sorted.map(([text, { count: many, tone }]) => [
    span(` ${fitText(text, labelWidth - 1, pen.glyphs.more)}`, tone),
    span(String(many).padStart(5), 'strong'),
    span('  '),
    span(barText(rows.length === 0 ? 0 : many / rows.length, barWidth, pen), tone),
  ]);
};

/** How many of the machines that were probed at about the same time were healthy, over time. */
const healthLine = (view: PulseView, pen: Pen): readonly Line[] => {
  const samples = [...view.snapshot.samples.values()];
  const longest = Math.max(0, ...samples.map((list) => list.length));
  if (longest < 2 && view.height < roomyLines) return [];
  if (longest < 2) return fact('health', 'two rounds of probes are needed for a line', 'quiet', view, pen);
  const beats = Array.from({ length: longest }, (_, index) => {
    const round = samples.flatMap((list) => list[list.length - longest + index] ?? []);
    const well = round.filter(({ verdict }) => verdict === 'healthy').length;
    const share = round.length === 0 ? 0 : well / round.length;
    const tone: Tone = share === 1 ? 'good' : share >= 0.5 ? 'warn' : 'bad';
    return { value: share, tone, sign: null };
  });
  const first = Math.min(...samples.flatMap(([sample]) => (sample === undefined ? [] : [sample.at])));
  return [
    [
      span(` ${'health'.padEnd(labelWidth - 1)}`, 'quiet'),
      // A full cell at the left sets the scale: all of them healthy.
      ...sparkline(beats, Math.max(10, view.width - labelWidth - 24), pen),
      span(`  since ${ageWords(view.now - first)}`, 'quiet'),
    ],
  ];
};

const runLines = (view: PulseView, pen: Pen): readonly Line[] => {
  const { snapshot, now } = view;
  const last = snapshot.past?.find(({ result }) => result !== null);
  const live = snapshot.phase.kind === 'running' ? runWords(snapshot) : null;
  const next = snapshot.nextScheduled;
  return [
    ...(live === null ? [] : fact('now', `${live.text}: 3 shows it`, live.tone, view, pen)),
    ...(last?.result == null
      ? fact('last run', snapshot.past === null ? 'being read' : 'none yet', 'quiet', view, pen)
      : fact(
          'last run',
          `${endWords(last.result).text}, ${goalWords(last.goal)}, ${ageWords(now - last.startedAt)} by ${last.by.user} (${last.by.via}): ${machineCounts(last)}${last.inputsMoved > 0 ? `; ${count(last.inputsMoved, 'input')} moved` : ''}`,
          endWords(last.result).tone,
          view,
          pen,
        )),
    ...fact(
      'next run',
      next === null
        ? 'none is scheduled on this machine'
        : `${moment(next).slice(0, 16)}, in ${duration(next - now)}`,
      next === null ? 'quiet' : 'plain',
      view,
      pen,
    ),
  ];
};

const listed = (
  title: string,
  items: readonly { readonly text: string; readonly tone: Tone }[],
  none: string,
  view: PulseView,
  pen: Pen,
): readonly Line[] => [
  ...(items.length === 0 && view.height < roomyLines ? [] : [blank, line(` ${title}`, 'title')]),
  ...(items.length === 0
    ? labelled(span(` ${pen.glyphs.good} `, 'good'), 3, none, 'good', view.width - 1)
    : items
        .slice(0, listedMax)
        .flatMap(({ text, tone }) =>
          labelled(
            span(` ${tone === 'bad' ? pen.glyphs.bad : pen.glyphs.warn} `, tone),
            3,
            pen.clean(text),
            'plain',
            view.width - 1,
          ),
        )),
  ...(items.length > listedMax ? [line(`   and ${items.length - listedMax} more`, 'quiet')] : []),
];

const warningsOf = ({ snapshot, rows, now }: PulseView): readonly { text: string; tone: Tone }[] => {
  const { problems, evaluation } = snapshot;
  const stale = rows.filter(({ seenAt }) => seenAt !== null && now - seenAt > staleAfterMs).length;
  const inputs = snapshot.inputs.value ?? [];
  const oldest = inputs.reduce<(typeof inputs)[number] | null>(
    (old, input) =>
      input.locked.lastModified !== null &&
      (old?.locked.lastModified == null || input.locked.lastModified < old.locked.lastModified)
        ? input
        : old,
    null,
  );
  const oldestAge = oldest?.locked.lastModified == null ? 0 : now - oldest.locked.lastModified;
  return [
    ...(evaluation.failure === null ? [] : [{ text: evaluation.failure.message, tone: 'bad' as const }]),
    ...problems.map(({ message, severity }) => ({
      text: message,
      tone: severity === 'error' ? ('bad' as const) : ('warn' as const),
    })),
    ...(evaluation.value?.discrepancies ?? []).map(({ message }) => ({
      text: message,
      tone: 'warn' as const,
    })),
    ...(stale > 0
      ? [{ text: `what is shown of ${count(stale, 'machine')} is old`, tone: 'warn' as const }]
      : []),
    ...(oldest !== null && oldestAge > 180 * 86_400_000
      ? [{ text: `${oldest.input} was last moved ${ageWords(oldestAge)}`, tone: 'warn' as const }]
      : []),
  ];
};

export const pulsePane = (view: PulseView, pen: Pen): Pane => {
  const { snapshot, rows } = view;
  const trouble = rows
    .filter(({ state }) => state.tone === 'bad' || state.tone === 'warn')
    .sort((a, b) => a.state.rank - b.state.rank)
    .map(({ name, state }) => ({ text: `${name}: ${state.text}`, tone: state.tone }));
  const debts = [...snapshot.recalled.debts.values()].flatMap((debt) => {
    // A row knows what is left of it, now that the machine was seen.
    const left = rows.find(({ name }) => name === debt.machine)?.debt.text ?? debtWords(debt);
    const text = `${debt.machine}: ${left}, since ${ageWords(view.now - debt.at)}: ${debt.why}`;
    return left === '' ? [] : [{ text, tone: 'warn' as const }];
  });
  return textPane(
    snapshot.evaluation.value === null && snapshot.evaluation.failure === null
      ? [line('   evaluating the flake', 'busy')]
      : [
          ...countLines(view, pen),
          ...healthLine(view, pen),
          ...(view.height < roomyLines
            ? [
                ...listed('NOT WELL', trouble, 'every machine is well', view, pen),
                blank,
                ...runLines(view, pen),
              ]
            : [
                blank,
                ...runLines(view, pen),
                ...listed('NOT WELL', trouble, 'every machine is well', view, pen),
              ]),
          ...listed('OWED', debts, 'nothing is owed to any machine', view, pen),
          ...listed('WARNINGS', warningsOf(view), 'nothing to warn of', view, pen),
        ],
  );
};
