import { blank, flowing, type Line, line, span, widthOf } from '../draw/line.ts';
import type { Tone } from '../draw/theme.ts';
import { lineTest } from './lines-with.ts';
import type { MachineScene } from './machine-facts.ts';
import { type Pane, textPane } from './pane.ts';
import { wrapRows } from './wrapped.ts';

/** The journal of the machine itself, as it is being followed. */

/** `2026-11-21T02:55:01+0000 nas nginx[812]: text` → time, who, text. */
const journalLine = /^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)\S*\s+\S+\s+([^:\s]+?)(?:\[\d+\])?:\s(.*)$/su;

const toneOf = (text: string): Tone =>
  /\b(?:error|fail(?:ed|ure)?|fatal|panic|segfault|denied)\b/iu.test(text)
    ? 'bad'
    : /\bwarn(?:ing)?\b/iu.test(text)
      ? 'warn'
      : 'plain';

/** How wide lines are: asked of all of them for each frame. */
const cellsKnown = new WeakMap<object, number>();

/** Behind the time of day. */
const indentCells = 10;

const rowOf = (text: string, { pen }: MachineScene): Line => {
  const parts = journalLine.exec(text);
  if (parts === null) return [span(` ${pen.clean(text)}`, 'quiet')];
  const [, time = '', who = '', said = ''] = parts;
  const clean = pen.clean(said);
  return [span(` ${time} `, 'quiet'), span(`${pen.clean(who)} `, 'accent'), span(clean, toneOf(clean))];
};

export const remoteLogsPane = (scene: MachineScene, search: string, wrap: boolean): Pane => {
  const { snapshot, row, pen, spinner } = scene;
  const logs = snapshot.logs?.machine === row.name ? snapshot.logs : null;
  const passes = lineTest(search);
  const lines = logs?.lines ?? [];
  const shown = passes === null ? lines : lines.filter(({ text }) => passes(text));
  const lineAt = (index: number): Line => rowOf(shown[index]?.text ?? '', scene);
  const cellsAt = (index: number): number => {
    const entry = shown[index];
    if (entry === undefined) return 0;
    const known = cellsKnown.get(entry);
    if (known !== undefined) return known;
    const cells = widthOf(lineAt(index));
    cellsKnown.set(entry, cells);
    return cells;
  };
  const of = logs?.unit == null ? 'the whole journal' : pen.clean(logs.unit);
  const status: Line =
    logs === null || logs.status === 'connecting'
      ? [span(` ${spinner} connecting`, 'busy')]
      : logs.status === 'ended'
        ? [span(` ${pen.glyphs.warn} ended: ${pen.clean(logs.message)}`, 'warn')]
        : [span(` ${pen.glyphs.good} following`, 'good')];
  return {
    ...textPane(
      [],
      [
        line(
          logs === null || logs.status === 'connecting'
            ? '   connecting to the machine'
            : lines.length > 0
              ? '   no line holds that text; Esc shows all again'
              : '   nothing was written there yet',
          'quiet',
        ),
      ],
    ),
    head: [
      ...flowing(
        [...status, span(`  ${of}`, 'strong'), span(`  ${logs?.count ?? 0} lines`, 'quiet')],
        scene.width - 1,
        2,
      ),
      blank,
    ],
    ...(wrap
      ? wrapRows(
          { count: shown.length, cellsAt, entryAt: (index) => shown[index], lineAt },
          scene.width,
          indentCells,
        )
      : { count: shown.length, lineAt }),
  };
};
