import type { LabSnapshot } from '../../flow/session.ts';
import { phaseOf } from '../../flow/session.ts';
import type { RunEvent } from '../../run/event.ts';
import { applyEvent, beginRun, type RunState } from '../../run/state.ts';
import { moment } from '../../text/words.ts';
import { barText } from '../draw/bar.ts';
import { blank, flowing, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import { logEntries } from './log.ts';
import { type Pane, textPane } from './pane.ts';
import { runPane } from './run.ts';
import { stopwatch } from './words.ts';

/** A past run, seen as it was after any of its events. */

/** States are kept at every so many events: one in between costs at most that many. */
const stride = 64;
const kept = new WeakMap<readonly RunEvent[], Map<number, RunState>>();

/** The run after its first `count` events (1 at least). Throws `ImpossibleHistory` for a journal that cannot be. */
export const stateAfter = (events: readonly RunEvent[], count: number): RunState | null => {
  const [first] = events;
  if (first === undefined) return null;
  const states = kept.get(events) ?? new Map<number, RunState>();
  kept.set(events, states);
  const wanted = Math.max(1, Math.min(count, events.length));
  let at = 1;
  let state: RunState | null = null;
  for (let from = wanted - (wanted % stride); from > 0 && state === null; from -= stride) {
    state = states.get(from) ?? null;
    at = from;
  }
  if (state === null) {
    state = beginRun(first);
    at = 1;
  }
  for (const event of events.slice(at, wanted)) {
    state = applyEvent(state, event);
    at += 1;
    if (at % stride === 0) states.set(at, state);
  }
  return state;
};

/** Events at which something is decided: what the jump keys stop at. Counts of events, from 1. */
export const turnsOf = (events: readonly RunEvent[]): readonly number[] =>
  events.flatMap(({ body }, index) =>
    body.kind === 'plan-made' ||
    body.kind === 'approved' ||
    body.kind === 'run-ended' ||
    body.kind === 'resumed' ||
    body.kind === 'paused' ||
    body.kind === 'stop-requested' ||
    (body.kind === 'step-ended' && body.outcome.kind !== 'succeeded') ||
    (body.kind === 'step-ended' && /\/(?:await-boot|activate|gate)/u.test(body.step))
      ? [index + 1]
      : [],
  );

export const replayPane = (
  view: {
    readonly snapshot: LabSnapshot;
    readonly run: string;
    /** How many events are shown; null: all. */
    readonly at: number | null;
    readonly selected: string | null;
    readonly width: number;
    readonly height: number;
  },
  pen: Pen,
): Pane => {
  const { snapshot, run, width } = view;
  const opened = snapshot.opened?.run === run ? snapshot.opened : null;
  if (opened === null) return textPane([line('  being read from the journal', 'quiet')]);
  if (opened.problem !== null)
    return textPane([line(` ${pen.glyphs.bad} ${pen.clean(opened.problem)}`, 'bad')]);
  const { events } = opened;
  const at = Math.max(1, Math.min(view.at ?? events.length, events.length));
  const event = events[at - 1];
  let state: RunState | null;
  try {
    state = stateAfter(events, at);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return textPane([line(` ${pen.glyphs.bad} this history cannot be: ${pen.clean(why)}`, 'bad')]);
  }
  if (state === null || event === undefined) return textPane([]);
  const then: LabSnapshot = {
    ...snapshot,
    run: state,
    phase: phaseOf(state),
    events: events.slice(0, at),
    messages: [],
    lockChanges: state.lock?.changes ?? [],
  };
  const log = logEntries(then, pen);
  const pane = runPane({
    snapshot: then,
    now: event.at,
    log,
    width,
    height: view.height,
    spinner: pen.glyphs.pointer,
    pen,
    selected: view.selected,
    use: 'replay',
  });
  const barWidth = Math.max(10, Math.min(40, width - 62));
  const head = flowing(
    [
      span(' Replay', 'strong'),
      span(` ${barText(at / events.length, barWidth, pen)}`, 'accent'),
      span(` ${at} of ${events.length}`, 'strong'),
      span(`  ${moment(event.at)}`, 'plain'),
      span(`  +${stopwatch(event.at - state.startedAt)}`, 'quiet'),
    ],
    width - 1,
    2,
  );
  return {
    ...pane,
    head: [
      ...head,
      // The hint bar names the keys, too.
      ...(width < 70
        ? []
        : [line(' Left, Right: one event; [ and ]: to what was decided; g, G scroll', 'quiet')]),
      blank,
      ...pane.head,
    ],
  };
};
