import { type MachineProgress, progressOf } from '../../run/progress.ts';
import { recordOfStep, type StepRecord, spentOn } from '../../run/records.ts';
import type { RunState } from '../../run/state.ts';
import { statusWords } from '../../run/telling.ts';
import { roughly } from '../../text/words.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';
import { type Amount, latestAmount } from './amount.ts';
import { stepWords, stopwatch } from './words.ts';

/** One machine of a run: where it stands, since when, and what the step under way last said. */
export type RunRow = {
  readonly name: string;
  readonly status: string;
  readonly tone: Tone;
  readonly glyph: string;
  /** `3/7`: steps that succeeded, and all. */
  readonly progress: string;
  readonly elapsed: string;
  /** Time spent on it in all, against what was expected: `1:05 of 4 min`. */
  readonly total: string;
  /** How far a copy or build is. */
  readonly amount: Amount | null;
  readonly note: string;
  /** A step of it is under way. */
  readonly busy: boolean;
  /** Nothing more will happen to it. */
  readonly over: boolean;
};

/** The limit of a step, where it has one worth watching: the wait it may take, in milliseconds. */
export const limitOf = ({ step }: StepRecord): number | null => {
  switch (step.kind) {
    case 'delay':
      return step.delayMs;
    case 'await-boot':
      return step.downMs + step.upMs;
    case 'gate':
      return step.deadlineMs + step.stableMs;
    case 'preflight':
    case 'copy':
    case 'dependencies':
    case 'activate':
    case 'confirm':
    case 'reboot':
    case 'restore':
      return null;
    default:
      return step satisfies never;
  }
};

const elapsedWords = (record: StepRecord, now: number): string => {
  const limit = limitOf(record);
  const spent = stopwatch(now - record.intendedAt);
  return limit === null ? spent : `${spent} / ${stopwatch(limit)}`;
};

const rowOf = (run: RunState, progress: MachineProgress, now: number, spinner: string, pen: Pen): RunRow => {
  const { plan, steps, status, failure } = progress;
  const { name } = plan.machine;
  const restore = plan.restore === null ? undefined : recordOfStep(run, plan.restore);
  const records = [
    ...steps.flatMap((step) => recordOfStep(run, step) ?? []),
    ...(restore === undefined ? [] : [restore]),
  ];
  const open = records.find((record) => record.status === 'open');
  const succeeded = steps.filter((step) => recordOfStep(run, step)?.status === 'succeeded').length;
  const spent = spentOn(records, now);
  const total =
    records.length === 0
      ? plan.decision.kind === 'act'
        ? `of ${roughly(plan.expectedMs)}`
        : ''
      : `${stopwatch(spent)} of ${roughly(plan.expectedMs)}`;
  const base = {
    name,
    progress: steps.length === 0 ? '' : `${succeeded}/${steps.length}`,
    total,
    amount: null,
  };
  if (open !== undefined)
    return {
      ...base,
      status: pen.clean(stepWords(open.step)),
      tone: 'busy',
      glyph: spinner,
      elapsed: elapsedWords(open, now),
      amount: latestAmount(open.notes),
      note: pen.clean(open.notes.at(-1)?.note ?? ''),
      busy: true,
      over: false,
    };
  const elapsed = records.length === 0 ? '' : stopwatch(spent);
  if (status === 'waiting' || status === 'active')
    return {
      ...base,
      status: 'waiting',
      tone: 'quiet',
      glyph: pen.glyphs.idle,
      elapsed: '',
      note: '',
      busy: false,
      over: false,
    };
  const { text, mark } = statusWords[status];
  return {
    ...base,
    status: text,
    tone: mark ?? 'quiet',
    glyph: mark === null ? pen.glyphs.idle : pen.glyphs[mark],
    elapsed,
    note: pen.clean(failure?.message ?? (status === 'nothing' ? plan.noActivationWhy : '')),
    busy: false,
    over: true,
  };
};

export const runRows = (run: RunState, now: number, spinner: string, pen: Pen): readonly RunRow[] =>
  (run.plan?.machines ?? []).map((plan) => rowOf(run, progressOf(run, plan), now, spinner, pen));
