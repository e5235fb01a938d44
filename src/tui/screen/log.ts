import type { LabSnapshot } from '../../flow/session.ts';
import type { RunEvent } from '../../run/event.ts';
import { tellEvent } from '../../run/telling.ts';
import { cellsOf, fitText, type Line, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';
import { lineTest } from './lines-with.ts';
import { type Pane, textPane } from './pane.ts';
import { clockTime } from './words.ts';
import { wrapRows } from './wrapped.ts';

/** Events of the run and messages of the session, one line each, in the order in which they happened. */

export type LogEntry = {
  readonly at: number;
  readonly machine: string | null;
  readonly text: string;
  readonly tone: Tone;
  /** Says only that something begins: left out where room is scarce. */
  readonly minor: boolean;
};

const tones = { good: 'good', bad: 'bad', warn: 'warn' } as const satisfies Record<string, Tone>;
const weights = {
  begins: 'quiet',
  detail: 'quiet',
  plain: 'plain',
  strong: 'strong',
} as const satisfies Record<string, Tone>;

const eventEntry = ({ at, body }: Pick<RunEvent, 'at' | 'body'>, pen: Pen): LogEntry => {
  const { machine, text, mark, weight } = tellEvent(body);
  return {
    at,
    machine,
    text: mark === null ? text : `${pen.glyphs[mark]} ${text}`,
    tone: mark === null ? weights[weight] : tones[mark],
    minor: weight === 'begins',
  };
};

const levels = { info: 'plain', warning: 'warn', error: 'bad' } as const satisfies Record<
  LabSnapshot['messages'][number]['level'],
  Tone
>;

export const logEntries = ({ events, messages }: LabSnapshot, pen: Pen): readonly LogEntry[] =>
  [
    ...events.map((event) => eventEntry(event, pen)),
    ...messages.map(
      ({ at, level, text }): LogEntry => ({ at, machine: null, text, tone: levels[level], minor: false }),
    ),
  ].sort((a, b) => a.at - b.at);

const machineWidthMax = 20;

/** Cells for the names of machines, so that what is said of them stands in one column. */
export const machineColumn = (entries: readonly LogEntry[]): number =>
  entries.reduce((width, { machine }) => Math.max(width, Math.min(machineWidthMax, machine?.length ?? 0)), 0);

export const logLine = ({ at, machine, text, tone }: LogEntry, machineWidth: number, pen: Pen): Line => [
  span(` ${clockTime(at)}  `, 'quiet'),
  ...(machine === null
    ? []
    : [span(`${fitText(pen.clean(machine), machineWidth, pen.glyphs.more)}  `, 'accent')]),
  span(pen.clean(text), tone),
];

const clockCells = 11;

/** The log, or those of its lines that a search lets through; rows are made as they come into the window. */
export const logPane = (
  entries: readonly LogEntry[],
  view: { readonly search: string; readonly wrap: boolean; readonly width: number },
  pen: Pen,
): Pane => {
  const passes = lineTest(view.search);
  const shown =
    passes === null ? entries : entries.filter(({ machine, text }) => passes(`${machine ?? ''} ${text}`));
  const machineWidth = view.wrap
    ? Math.min(machineColumn(shown), Math.floor(view.width / 4))
    : machineColumn(shown);
  const lineAt = (index: number): Line => {
    const entry = shown[index];
    return entry === undefined ? [] : logLine(entry, machineWidth, pen);
  };
  const cellsAt = (index: number): number => {
    const entry = shown[index];
    if (entry === undefined) return 0;
    return clockCells + (entry.machine === null ? 0 : machineWidth + 2) + cellsOf(pen.clean(entry.text));
  };
  return {
    ...textPane(
      [],
      [
        line(
          entries.length === 0
            ? '   nothing has happened yet'
            : '   no line holds that text; Esc shows all again',
          'quiet',
        ),
      ],
    ),
    ...(view.wrap
      ? wrapRows(
          { count: shown.length, cellsAt, entryAt: (index) => shown[index], lineAt },
          view.width,
          clockCells,
        )
      : { count: shown.length, lineAt }),
  };
};
