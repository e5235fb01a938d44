import type { LabSnapshot } from '../../flow/session.ts';
import type { Pen } from '../draw/pen.ts';
import { arrange } from '../screen/arrange.ts';
import { frameRows } from '../screen/frame-rows.ts';
import { type HelpEntry, helpPane } from '../screen/help.ts';
import { type LogEntry, logEntries, logPane } from '../screen/log.ts';
import { machinePane } from '../screen/machine.ts';
import { type MachineRow, machineRows } from '../screen/machine-row.ts';
import { idealWidths, machinesPane } from '../screen/machines.ts';
import { type Pane, type Scroll, selectedKey } from '../screen/pane.ts';
import { problemsPane } from '../screen/problems.ts';
import { runPane } from '../screen/run.ts';
import { sequencePane } from '../screen/sequence.ts';
import type { Settings } from './settings.ts';
import { scrollOf, type Ui, type View, viewOf } from './ui.ts';

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

type Derived = {
  readonly rows: readonly MachineRow[];
  readonly log: readonly LogEntry[];
  readonly widths: ReturnType<typeof idealWidths>;
};

/**
 * Builds scenes. What depends on the snapshot alone is derived once per snapshot: keys come faster than news.
 * `help` says what can be done in a scene; it knows the commands, which know scenes, so it is given.
 */
export const makeScenes = (options: {
  readonly pen: Pen;
  readonly readonly: boolean;
  readonly help: (scene: Scene) => readonly HelpEntry[];
}): ((moment: Moment) => Scene) => {
  const { pen } = options;
  const known = new WeakMap<LabSnapshot, Derived>();
  const derive = (snapshot: LabSnapshot): Derived => {
    const before = known.get(snapshot);
    if (before !== undefined) return before;
    const rows = machineRows(snapshot, pen);
    const derived = { rows, log: logEntries(snapshot, pen), widths: idealWidths(rows, snapshot.now, pen) };
    known.set(snapshot, derived);
    return derived;
  };
  const sceneOf = ({ ui, snapshot, now, beat, settings }: Moment): Scene => {
    const { rows, log, widths } = derive(snapshot);
    const view = viewOf(ui);
    const shown = arrange(rows, ui.filter, ui.sort);
    const scroll = scrollOf(ui);
    const spinner = pen.glyphs.spinner[beat % pen.glyphs.spinner.length] ?? pen.glyphs.idle;
    const width = ui.size.columns;
    const bodyHeight = frameRows(ui.size).body;
    const base = {
      ui,
      snapshot,
      now,
      readonly: options.readonly,
      settings,
      pen,
      spinner,
      view,
      rows,
      shown,
      scroll,
      bodyHeight,
    };
    const paneFor = (): Pane => {
      switch (view.kind) {
        case 'machines':
          return machinesPane(
            {
              snapshot,
              now,
              rows: shown,
              widths,
              filter: ui.filter,
              sort: ui.sort,
              marked: ui.marked,
              width,
              spinner,
            },
            pen,
          );
        case 'machine':
          return machinePane({ snapshot, now, rows, width, pen, name: view.name, tab: view.tab });
        case 'sequence':
          return sequencePane({ snapshot, rows, width }, pen);
        case 'run':
          return runPane({ snapshot, now, log, width, spinner, pen });
        case 'log':
          return logPane(log, pen);
        case 'problems':
          return problemsPane(snapshot, width, pen);
        case 'help':
          // What can be done is said of the place that the help was opened from.
          return helpPane(
            options.help(sceneOf({ ui: beneath(ui), snapshot, now, beat, settings })),
            width,
            pen,
          );
        default:
          return view satisfies never;
      }
    };
    const pane = paneFor();
    const machine =
      view.kind === 'machine' ? view.name : pane.noun === 'machine' ? selectedKey(pane, scroll) : null;
    return { ...base, pane, machine };
  };
  return sceneOf;
};

const beneath = (ui: Ui): Ui => ({
  ...ui,
  stack: ui.stack.length > 1 ? ui.stack.slice(0, -1) : [{ kind: 'machines' }],
});
