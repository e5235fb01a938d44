import type { LabSnapshot } from '../../flow/session.ts';
import type { HealthReport, HealthVerdict, Observation } from '../../ports.ts';
import { progressOf } from '../../run/progress.ts';
import { recordOfStep } from '../../run/records.ts';
import type { Pen } from '../draw/pen.ts';
import type { Cell } from './table.ts';
import { busyWord } from './words.ts';

/** How a machine is, in a word and a sign. */
export type State = Cell & {
  readonly glyph: string;
  /** Worst first, for sorting. */
  readonly rank: number;
  /** A reading of the past, which goes stale; false for what is happening or configured. */
  readonly ages: boolean;
  /** Since when it has been so, where that is known. */
  readonly since: number | null;
};

/** Older readings are shown as the past. */
export const staleAfterMs = 300_000;

const verdictState = (verdict: HealthVerdict, pen: Pen): State => {
  switch (verdict) {
    case 'healthy':
      return { text: 'healthy', tone: 'good', glyph: pen.glyphs.good, rank: 6, ages: true, since: null };
    case 'degraded':
      return { text: 'degraded', tone: 'warn', glyph: pen.glyphs.warn, rank: 3, ages: true, since: null };
    case 'unhealthy':
      return { text: 'unhealthy', tone: 'bad', glyph: pen.glyphs.bad, rank: 1, ages: true, since: null };
    case 'unknown':
      return { text: 'unknown', tone: 'warn', glyph: pen.glyphs.unknown, rank: 4, ages: true, since: null };
    default:
      return verdict satisfies never;
  }
};

export const stateOf = (
  observation: Observation | undefined,
  report: HealthReport | undefined,
  looking: boolean,
  since: number | null,
  pen: Pen,
): State => {
  const { glyphs } = pen;
  if (observation?.kind === 'unreachable') {
    const away = observation.error.kind === 'unreachable' || observation.error.kind === 'timeout';
    const text = away ? 'offline' : 'no access';
    return { text, tone: 'bad', glyph: glyphs.bad, rank: 1, ages: true, since };
  }
  if (observation?.state === 'stopping' || observation?.state === 'starting')
    return { text: observation.state, tone: 'busy', glyph: glyphs.warn, rank: 2, ages: true, since: null };
  if (report !== undefined) return verdictState(report.verdict, pen);
  const text = looking ? 'looking' : observation === undefined ? 'not seen' : 'not probed';
  return {
    text: text + (looking ? glyphs.more : ''),
    tone: 'quiet',
    glyph: glyphs.unknown,
    rank: 5,
    ages: false,
    since: null,
  };
};

/** What the live run does to each machine right now, by name. */
export const busyStates = (snapshot: LabSnapshot, pen: Pen): ReadonlyMap<string, State> => {
  const { run, phase } = snapshot;
  if (phase.kind !== 'running' || run?.plan == null) return new Map();
  return new Map(
    run.plan.machines.flatMap((plan) => {
      const { current } = progressOf(run, plan);
      if (current === null || recordOfStep(run, current)?.status !== 'open') return [];
      const state = {
        text: busyWord(current),
        tone: 'busy',
        glyph: pen.glyphs.pointer,
        rank: 2,
        ages: false,
        since: null,
      };
      return [[plan.machine.name, state as State] as const];
    }),
  );
};
