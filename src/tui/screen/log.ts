import type { LabSnapshot } from '../../flow/session.ts';
import type { RunEvent } from '../../run/event.ts';
import { count } from '../../text/words.ts';
import { fitText, type Line, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';
import { type Pane, textPane } from './pane.ts';
import { clockTime, goalWords, resultWords } from './words.ts';

/** Events of the run and messages of the session, one line each, in the order in which they happened. */

export type LogEntry = {
  readonly at: number;
  readonly machine: string | null;
  readonly text: string;
  readonly tone: Tone;
  /** Says only that something begins: left out where room is scarce. */
  readonly minor: boolean;
};

/** `nas/gate-after-reboot` → machine and words. */
const stepName = (id: string): { machine: string; step: string } => {
  const slash = id.indexOf('/');
  return { machine: id.slice(0, slash), step: id.slice(slash + 1).replaceAll('-', ' ') };
};

/** What an event says; null for what follows from others. */
const eventEntry = ({ at, body }: Pick<RunEvent, 'at' | 'body'>, pen: Pen): LogEntry => {
  const { glyphs } = pen;
  const general = (text: string, tone: Tone = 'plain'): LogEntry => ({
    at,
    machine: null,
    text,
    tone,
    minor: false,
  });
  switch (body.kind) {
    case 'run-started':
      return general(`${goalWords(body.goal)} begun by ${body.by.user}`, 'strong');
    case 'preparation-started':
      return { ...general(`${body.work} begins`, 'quiet'), minor: true };
    case 'preparation-noted':
      return general(`${body.work}: ${body.note}`, 'quiet');
    case 'preparation-finished':
      return body.failure === null
        ? general(`${glyphs.good} ${body.work}${body.note === '' ? '' : `: ${body.note}`}`, 'good')
        : general(`${glyphs.bad} ${body.work}: ${body.failure.message}`, 'bad');
    case 'plan-made':
      return general(`plan ${body.plan.hash} made`);
    case 'approved':
      return general(
        body.how === 'nothing-to-do' ? 'the plan asks nothing of any machine' : `plan ${body.hash} approved`,
        'strong',
      );
    case 'step-intended': {
      const { machine, step } = stepName(body.step);
      return { at, machine, text: `${step} begins`, tone: 'quiet', minor: true };
    }
    case 'step-noted': {
      const { machine, step } = stepName(body.step);
      return { at, machine, text: `${step}: ${body.note}`, tone: 'plain', minor: false };
    }
    case 'step-ended': {
      const { machine, step } = stepName(body.step);
      const { outcome } = body;
      if (outcome.kind === 'succeeded')
        return {
          at,
          machine,
          text: `${glyphs.good} ${step}${outcome.facts.note === '' ? '' : `: ${outcome.facts.note}`}`,
          tone: 'good',
          minor: false,
        };
      const how = outcome.kind === 'failed' ? '' : ` (${outcome.kind})`;
      const tone = outcome.kind === 'skipped' ? 'warn' : 'bad';
      const glyph = outcome.kind === 'skipped' ? glyphs.warn : glyphs.bad;
      return { at, machine, text: `${glyph} ${step}${how}: ${outcome.failure.message}`, tone, minor: false };
    }
    case 'lock-moved':
      return general(`flake.lock: ${count(body.changes.length, 'input')} moved`);
    case 'lock-restored':
      return general('flake.lock was put back as it was', 'warn');
    case 'paused':
      return general(`paused by ${body.by}: no step begins`, 'warn');
    case 'unpaused':
      return general(`goes on, by ${body.by}`);
    case 'stop-requested':
      return general(`stop requested by ${body.by}: the steps under way end, no other begins`, 'warn');
    case 'resumed':
      return general(`resumed by process ${body.pid}: what was under way is looked at again`, 'warn');
    case 'run-ended': {
      const { text, tone } = resultWords[body.result];
      return general(`run ${text}: ${body.reason}`, tone);
    }
    default:
      return body satisfies never;
  }
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

/** The log; rows are made as they come into the window. */
export const logPane = (entries: readonly LogEntry[], pen: Pen): Pane => {
  const machineWidth = machineColumn(entries);
  return {
    ...textPane([], [line('   nothing has happened yet', 'quiet')]),
    count: entries.length,
    lineAt: (index) => {
      const entry = entries[index];
      return entry === undefined ? [] : logLine(entry, machineWidth, pen);
    },
  };
};
