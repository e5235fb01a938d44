import type { LabSnapshot } from '../../flow/session.ts';
import { line } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import { type LogEntry, logLine, machineColumn } from './log.ts';
import type { Pane } from './pane.ts';

/** What the phases of a run are drawn from. */
export type RunScene = {
  readonly snapshot: LabSnapshot;
  readonly now: number;
  readonly log: readonly LogEntry[];
  readonly width: number;
  /** Lines between tabs and status. */
  readonly height: number;
  /** The machine the cursor is on, where it was moved. */
  readonly selected: string | null;
  readonly spinner: string;
  readonly pen: Pen;
  /** What this is shown for: to act from, only to look on, or as it once was. Only what can be done from there is offered. */
  readonly use: 'acting' | 'looking-on' | 'replay';
};

/** The latest of the log, below everything else. */
export const logFoot = ({ log, pen, width }: RunScene): NonNullable<Pane['foot']> => ({
  least: 3,
  lines: (height) => {
    if (height < 2) return [];
    const entries = log.filter(({ minor }) => !minor).slice(-Math.max(1, height - 1));
    const machineWidth = machineColumn(entries);
    const lines = entries.map((entry) => logLine(entry, machineWidth, pen));
    const title = ` Log ${pen.glyphs.rule}`;
    return [line(title + pen.glyphs.rule.repeat(Math.max(0, width - title.length)), 'quiet'), ...lines];
  },
});
