import type { LabSnapshot } from '../../flow/session.ts';
import type { Pen } from '../draw/pen.ts';
import { frameRows } from '../screen/frame-rows.ts';
import type { HelpEntry } from '../screen/help.ts';
import { machineInNeed, needsSomebody } from '../screen/hold.ts';
import type { LogEntry } from '../screen/log.ts';
import type { MachineRow } from '../screen/machine-row.ts';
import type { idealWidths } from '../screen/machines.ts';
import { type Pane, type Scroll, selectedKey } from '../screen/pane.ts';
import { paneOf } from '../views.ts';
import { createDeriver } from './derived.ts';
import type { Settings } from './settings.ts';
import { scrollOf, type Ui, viewOf } from './ui.ts';
import type { View } from './view.ts';

/** Everything at one moment, from which a key is understood and a frame is drawn. */
export type Scene = {
  readonly ui: Ui;
  readonly snapshot: LabSnapshot;
  readonly now: number;
  readonly readonly: boolean;
  readonly settings: Settings;
  readonly pen: Pen;
  readonly spinner: string;
  readonly view: View;
  /** All machines, and those that the filter lets through, in order. */
  readonly rows: readonly MachineRow[];
  readonly shown: readonly MachineRow[];
  readonly pane: Pane;
  readonly scroll: Scroll;
  readonly bodyHeight: number;
  /** The machine that a command for one machine means: under the cursor, or on show. */
  readonly machine: string | null;
};

/** What the session and the screen say at one moment. */
export type Moment = {
  readonly ui: Ui;
  readonly snapshot: LabSnapshot;
  /** Milliseconds since the epoch, by the session's clock. */
  readonly now: number;
  /** Counts up while something is going on; turns the spinner. */
  readonly beat: number;
  readonly settings: Settings;
};

/** What a view is drawn from. */
export type ViewScene = Omit<Scene, 'pane' | 'machine'> & {
  readonly positions: ReadonlyMap<string, number>;
  readonly widths: ReturnType<typeof idealWidths>;
  readonly log: readonly LogEntry[];
  readonly width: number;
  /** What can be done in the place that the help was opened from. */
  readonly help: () => readonly HelpEntry[];
};

/**
 * Builds scenes. `help` says what can be done in a scene; it knows the commands, which know scenes, so it is given.
 */
export const makeScenes = (options: {
  readonly pen: Pen;
  readonly readonly: boolean;
  readonly help: (scene: Scene) => readonly HelpEntry[];
}): ((moment: Moment) => Scene) => {
  const { pen } = options;
  const { derive, arranged } = createDeriver(pen);
  const sceneOf = (moment: Moment): Scene => {
    const { ui, snapshot, now, beat, settings } = moment;
    const { rows, log, widths } = derive(snapshot);
    const view = viewOf(ui);
    const { rows: shown, positions } = arranged(rows, ui.filter, ui.sort);
    const scroll = scrollOf(ui);
    const base = {
      ui,
      snapshot,
      now,
      readonly: options.readonly,
      settings,
      pen,
      spinner: pen.glyphs.spinner[beat % pen.glyphs.spinner.length] ?? pen.glyphs.idle,
      view,
      rows,
      shown,
      scroll,
      bodyHeight: frameRows(ui.size).body,
    };
    const whole = paneOf({
      ...base,
      positions,
      widths,
      log,
      width: ui.size.columns,
      help: () => options.help(sceneOf({ ...moment, ui: beneath(ui) })),
    });
    const pane = ui.rowsOnly && whole.foot !== null ? { ...whole, foot: null } : whole;
    const machine =
      view.kind === 'machine'
        ? view.name
        : pane.noun === 'machine'
          ? selectedKey(pane, scroll)
          : view.kind === 'run'
            ? standsStillFor(snapshot)
            : null;
    return { ...base, pane, machine };
  };
  return sceneOf;
};

/** The machine that a run needs somebody for. */
const standsStillFor = ({ phase, run }: LabSnapshot): string | null =>
  phase.kind === 'ended' && run !== null && needsSomebody(run) ? machineInNeed(run) : null;

const beneath = (ui: Ui): Ui => ({
  ...ui,
  stack: ui.stack.length > 1 ? ui.stack.slice(0, -1) : [{ kind: 'machines' }],
});
