import type { Failure } from '../../failure.ts';
import { debtWords } from '../../plan/debt.ts';
import { goalWords } from '../../plan/goal-words.ts';
import type { LockChange } from '../../ports.ts';
import { type MachineReport, notReturnedWords, reportOf } from '../../run/report.ts';
import type { RunState } from '../../run/state.ts';
import { standingWords, tookWords } from '../../run/telling.ts';
import { count, duration } from '../../text/words.ts';
import { blank, fitText, flowing, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';
import { type Pane, textPane } from './pane.ts';
import { endWords } from './words.ts';

const labelWidth = 16;
const nameWidthMax = 28;
/** With fewer cells beside it, what is said of a machine stands below its name. */
const summaryLeast = 32;

const fact = (label: string, text: string, tone: Tone, width: number, pen: Pen): readonly Line[] =>
  text === '' ? [] : labelled(span(`  ${label}`, 'quiet'), labelWidth, pen.clean(text), tone, width - 1);

/** What was seen, word for word; long lines are wrapped, for the end of an error often says most. */
export const evidenceLines = (failure: Failure, indent: string, width: number, pen: Pen): readonly Line[] =>
  (failure.detail ?? []).flatMap((text) =>
    labelled(
      span(`${indent}${pen.glyphs.vertical} `, 'quiet'),
      indent.length + 2,
      pen.clean(text),
      'plain',
      width - 1,
    ),
  );

const signOf = (tone: Tone, pen: Pen): string =>
  tone === 'bad'
    ? pen.glyphs.bad
    : tone === 'warn'
      ? pen.glyphs.warn
      : tone === 'good'
        ? pen.glyphs.good
        : pen.glyphs.idle;

const machineLines = (
  report: MachineReport,
  alreadyTold: Failure | null,
  nameWidth: number,
  width: number,
  pen: Pen,
): readonly Line[] => {
  const { text, mark } = standingWords(report.status, report.atEnd);
  const tone = mark ?? 'quiet';
  const { failure, warnings, restoreFailure } = report;
  const told = failure !== null && failure.message === alreadyTold?.message;
  const took = report.tookMs > 0 ? ` (${duration(report.tookMs)})` : '';
  const said = told ? 'see above' : report.summary === text ? '' : report.summary;
  const start = nameWidth + 24;
  const row: Line = [
    span(`  ${signOf(tone, pen)} `, tone),
    span(`${fitText(report.machine, nameWidth, pen.glyphs.more)}  `, 'strong'),
    span(text.padEnd(18), tone),
  ];
  const summary = pen.clean(`${said}${took}`.trim());
  return [
    ...(width - start < summaryLeast
      ? [
          [...row.slice(0, 1), span(`${pen.clean(report.machine)}  `, 'strong'), span(text, tone)],
          ...(summary === '' ? [] : labelled(span(''), 6, summary, 'plain', width - 1)),
        ]
      : labelled(span(''), 0, summary, 'plain', width - start - 1).map(
          (content, index): Line => [...(index === 0 ? row : [span(' '.repeat(start))]), ...content],
        )),
    ...(failure === null || told
      ? []
      : [
          ...fact('  what to do', failure.remedy, 'plain', width, pen),
          ...evidenceLines(failure, '      ', width, pen),
        ]),
    ...warnings.flatMap((warning) => fact('  warning', warning, 'warn', width, pen)),
    ...(restoreFailure === null
      ? []
      : [
          ...fact(
            '  not returned',
            `${notReturnedWords(restoreFailure)} returned to what it ran: ${restoreFailure.message}`,
            'bad',
            width,
            pen,
          ),
          ...fact('  what to do', restoreFailure.remedy, 'plain', width, pen),
          ...evidenceLines(restoreFailure, '      ', width, pen),
        ]),
  ];
};

/** How a run ended: what happened, what to do, the evidence, and what became of every machine. */
export const resultLines = (
  run: RunState,
  lockChanges: readonly LockChange[],
  width: number,
  pen: Pen,
): readonly Line[] => {
  const report = reportOf(run);
  if (report === null) return [];
  const { text, tone } = endWords(report.result);
  return [
    ...flowing(
      [
        span(` ${signOf(tone, pen)} Run ${text}`, tone),
        span(`  ${goalWords(run.goal)}, ${tookWords(report)}`, 'plain'),
        span(`  ${report.run}`, 'quiet'),
      ],
      width - 1,
      2,
    ),
    blank,
    ...reasonLines(run, width, pen),
    ...(report.machines.length === 0 ? [] : [blank, line(' MACHINES', 'title')]),
    ...machinesBody(run, lockChanges, width, pen),
  ];
};

/** Why it ended so, and what to do. */
const reasonLines = (run: RunState, width: number, pen: Pen): readonly Line[] => {
  const report = reportOf(run);
  if (report === null) return [];
  const { failure } = report;
  return [
    ...fact('what happened', report.reason, 'plain', width, pen),
    ...(report.owed.length === 0 || report.next === null
      ? []
      : fact('what is next', report.next, 'plain', width, pen)),
    ...(failure === null || failure.message === report.reason
      ? []
      : fact('the failure', failure.message, 'bad', width, pen)),
    ...(failure === null
      ? []
      : [
          ...fact('what to do', failure.remedy, 'strong', width, pen),
          ...evidenceLines(failure, '    ', width, pen),
        ]),
  ];
};

/** What became of every machine, and what is owed. */
export const machinesBody = (
  run: RunState,
  lockChanges: readonly LockChange[],
  width: number,
  pen: Pen,
): readonly Line[] => {
  const report = reportOf(run);
  if (report === null) return [];
  const { failure } = report;
  const names = [...report.machines.map(({ machine }) => machine), ...report.leftOut.map(({ name }) => name)];
  const nameWidth = Math.min(nameWidthMax, Math.max(0, ...names.map((name) => name.length)));
  return [
    ...report.machines.flatMap((machine) => machineLines(machine, failure, nameWidth, width, pen)),
    ...report.leftOut.flatMap(({ name, message, remedy }) => [
      ...flowing(
        [
          span(`  ${pen.glyphs.bad}`, 'bad'),
          span(` ${pen.clean(name).padEnd(nameWidth)}`, 'strong'),
          span('  left out', 'bad'),
        ],
        width - 1,
        6,
      ),
      ...fact('  because', message, 'bad', width, pen),
      ...fact('  what to do', remedy, 'plain', width, pen),
    ]),
    ...(report.owed.length === 0 ? [] : [blank, line(' OWED', 'title')]),
    ...report.owed.flatMap((debt) => fact(debt.machine, debtWords(debt), 'plain', width, pen)),
    ...(lockChanges.length === 0
      ? []
      : [blank, line(` flake.lock: ${count(lockChanges.length, 'input')} moved in this run`, 'quiet')]),
  ];
};

export const resultPane = (
  run: RunState,
  lockChanges: readonly LockChange[],
  width: number,
  pen: Pen,
): Pane => textPane(resultLines(run, lockChanges, width, pen));
