import type { LabSnapshot } from '../../flow/session.ts';
import { blank, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';
import type { MachineRow } from './machine-row.ts';

/** What the tabs of a machine are written from. */
export type MachineScene = {
  readonly snapshot: LabSnapshot;
  readonly now: number;
  readonly row: MachineRow;
  readonly rows: readonly MachineRow[];
  readonly width: number;
  readonly spinner: string;
  readonly pen: Pen;
};

export const factLabelWidth = 16;

/** A fact beside its label, wrapped. */
export const fact = (
  { pen, width }: MachineScene,
  label: string,
  text: string,
  tone: Tone = 'plain',
): readonly Line[] => labelled(span(`  ${label}`, 'quiet'), factLabelWidth, pen.clean(text), tone, width - 1);

export const heading = (text: string): readonly Line[] => [blank, line(` ${text}`, 'title')];
