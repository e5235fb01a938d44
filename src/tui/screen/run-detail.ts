import type { Step } from '../../plan/plan.ts';
import { progressOf } from '../../run/progress.ts';
import { recordOfStep, type StepRecord, spentOn } from '../../run/records.ts';
import type { RunState } from '../../run/state.ts';
import { roughly } from '../../text/words.ts';
import { barText } from '../draw/bar.ts';
import { flowing, type Line, labelled, line, span, widthOf } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import { latestAmount } from './amount.ts';
import { limitOf } from './run-row.ts';
import type { RunScene } from './run-scene.ts';
import { stepWords, stopwatch } from './words.ts';

/** What one machine of a run goes through: its steps, and of the one under way the evidence and the deadline. */

const shortNames: Readonly<Record<Step['kind'], string>> = {
  preflight: 'preflight',
  copy: 'copy',
  dependencies: 'needs',
  activate: 'activate',
  gate: 'gate',
  confirm: 'confirm',
  delay: 'delay',
  reboot: 'reboot',
  'await-boot': 'boot',
  restore: 'return',
};

const stepSign = (record: StepRecord | undefined, spinner: string, pen: Pen) => {
  if (record === undefined) return { sign: pen.glyphs.idle, tone: 'quiet' } as const;
  const { status } = record;
  switch (status) {
    case 'open':
      return { sign: spinner, tone: 'busy' } as const;
    case 'succeeded':
      return { sign: pen.glyphs.good, tone: 'good' } as const;
    case 'failed':
      return { sign: pen.glyphs.bad, tone: 'bad' } as const;
    case 'unknown':
      return { sign: pen.glyphs.unknown, tone: 'warn' } as const;
    case 'skipped':
      return { sign: pen.glyphs.warn, tone: 'warn' } as const;
    default:
      return status satisfies never;
  }
};

/** The steps in a row, as many lines as they need. */
const stepLines = (
  steps: readonly Step[],
  run: RunState,
  { spinner, pen, width }: RunScene,
): readonly Line[] => {
  const lines: Line[] = [];
  let current: Line = [span(' ')];
  for (const step of steps) {
    const { sign, tone } = stepSign(recordOfStep(run, step), spinner, pen);
    const piece: Line = [
      span(` ${sign} `, tone),
      span(`${shortNames[step.kind]} `, tone === 'quiet' ? 'quiet' : 'plain'),
    ];
    if (widthOf(current) + widthOf(piece) > width - 1) {
      lines.push(current);
      current = [span(' ')];
    }
    current = [...current, ...piece];
  }
  return [...lines, current];
};

const deadlineWords = (record: StepRecord, now: number): string => {
  const limit = limitOf(record);
  if (limit === null) return '';
  const left = record.intendedAt + limit - now;
  const what = record.step.kind === 'delay' ? 'over' : 'deadline';
  return left > 0 ? `, ${what} in ${stopwatch(left)}` : `, past its ${what}`;
};

export type Detail = {
  readonly title: Line;
  readonly steps: readonly Line[];
  /** The step under way: what it waits for, until when, and what it last said. */
  readonly now: readonly Line[];
};

export const detailOf = (scene: RunScene, run: RunState, name: string | null): Detail | null => {
  const { pen, width, now } = scene;
  const entry = run.plan?.machines.find(({ machine }) => machine.name === name);
  if (entry === undefined || name === null) return null;
  const { steps } = progressOf(run, entry);
  const all =
    entry.restore !== null && recordOfStep(run, entry.restore) !== undefined
      ? [...steps, entry.restore]
      : steps;
  const records = all.flatMap((step) => recordOfStep(run, step) ?? []);
  const open = records.find(({ status }) => status === 'open');
  const spent = spentOn(records, now);
  const { rule } = pen.glyphs;
  const title = ` ${name} ${rule}`;
  const evidence = open?.notes.slice(-2) ?? [];
  const amount = open === undefined ? null : latestAmount(open.notes);
  return {
    title: line(title + rule.repeat(Math.max(0, width - title.length)), 'quiet'),
    steps:
      all.length === 0 ? [line('  nothing is done to it in this run', 'quiet')] : stepLines(all, run, scene),
    now:
      open === undefined
        ? []
        : [
            ...flowing(
              [
                span(`  ${stepWords(open.step)}:`, 'strong'),
                span(` ${stopwatch(now - open.intendedAt)}${deadlineWords(open, now)}`, 'plain'),
                span(`  in all ${stopwatch(spent)} of about ${roughly(entry.expectedMs)}`, 'quiet'),
              ],
              width - 1,
              2,
            ),
            ...(amount === null
              ? []
              : [
                  [
                    span(`    ${barText(amount.share, Math.max(6, Math.min(40, width - 30)), pen)} `, 'busy'),
                    span(amount.words, 'strong'),
                  ],
                ]),
            ...evidence
              .toReversed()
              .flatMap(({ note }) =>
                labelled(span('    '), 4, pen.clean(note), 'plain', width - 1).slice(0, 2),
              ),
          ],
  };
};
