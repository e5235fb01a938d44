import { helpPane } from './screen/help.ts';
import { historyPane } from './screen/history.ts';
import { inputsPane } from './screen/inputs.ts';
import { logPane } from './screen/log.ts';
import { machinePane } from './screen/machine.ts';
import { machinesPane } from './screen/machines.ts';
import type { Pane } from './screen/pane.ts';
import { problemCount, problemsPane } from './screen/problems.ts';
import { pulsePane } from './screen/pulse.ts';
import { replayPane } from './screen/replay.ts';
import { runPane } from './screen/run.ts';
import { sequencePane } from './screen/sequence.ts';
import type { KeyName } from './state/keys.ts';
import type { Scene, ViewScene } from './state/scene.ts';
import { searchOf, wrapsLines } from './state/ui.ts';
import type { View } from './state/view.ts';

/**
 * The views: which there are, how they are called, and what each shows. To add one: a member of `View` (state/view.ts), a
 * file in screen/ that makes its pane, a case here, and, where it has a tab of its own, a line in `tabs`.
 */

/** Views with a tab and a digit. A command that leads there is made of each. */
export const tabs: readonly {
  readonly kind: Exclude<View['kind'], 'machine' | 'replay' | 'help'>;
  readonly key: KeyName;
  readonly title: string;
  /** Where not all titles fit. */
  readonly short: string;
  /** Behind the title: how much there is to see. */
  readonly badge?: (scene: Scene) => string;
}[] = [
  { kind: 'machines', key: '1', title: 'Machines', short: 'Mach' },
  { kind: 'sequence', key: '2', title: 'Sequence', short: 'Seq' },
  { kind: 'run', key: '3', title: 'Run', short: 'Run' },
  { kind: 'log', key: '4', title: 'Log', short: 'Log' },
  {
    kind: 'problems',
    key: '5',
    title: 'Problems',
    short: 'Prob',
    badge: ({ snapshot }) => {
      const problems = problemCount(snapshot);
      return problems === 0 ? '' : ` (${problems})`;
    },
  },
  { kind: 'inputs', key: '6', title: 'Inputs', short: 'Inp' },
  { kind: 'history', key: '7', title: 'History', short: 'Hist' },
  { kind: 'pulse', key: '8', title: 'Pulse', short: 'Puls' },
];

/** What the view on show consists of. */
export const paneOf = (scene: ViewScene): Pane => {
  const { view, snapshot, now, rows, ui, width, spinner, pen, log } = scene;
  const search = searchOf(ui);
  switch (view.kind) {
    case 'machines':
      return machinesPane(
        {
          snapshot,
          now,
          rows: scene.shown,
          positions: scene.positions,
          widths: scene.widths,
          filter: ui.filter,
          sort: ui.sort,
          marked: ui.marked,
          width,
          spinner,
          selected: scene.scroll.selected,
          columnSet: ui.columnSet,
        },
        pen,
      );
    case 'machine':
      return machinePane({
        snapshot,
        now,
        rows,
        width,
        pen,
        spinner,
        name: view.name,
        tab: view.tab,
        search,
        wrap: wrapsLines(ui),
      });
    case 'sequence':
      return sequencePane(
        {
          snapshot,
          rows,
          width,
          height: scene.bodyHeight,
          marked: ui.marked,
          tree: ui.tree,
          onlyMarked: ui.onlyMarked,
        },
        pen,
      );
    case 'run':
      return runPane({
        snapshot,
        now,
        log,
        width,
        height: scene.bodyHeight,
        spinner,
        pen,
        selected: scene.scroll.selected,
        use: scene.readonly ? 'looking-on' : 'acting',
      });
    case 'log':
      return logPane(log, { search, wrap: wrapsLines(ui), width }, pen);
    case 'problems':
      return problemsPane(snapshot, width, pen);
    case 'inputs':
      return inputsPane({ snapshot, now, width, spinner, readonly: scene.readonly, search }, pen);
    case 'history':
      return historyPane(
        { snapshot, now, width, search, selected: scene.scroll.selected, readonly: scene.readonly },
        pen,
      );
    case 'replay':
      return replayPane(
        {
          snapshot,
          run: view.run,
          at: ui.moments.get(view.run) ?? null,
          selected: scene.scroll.selected,
          width,
          height: scene.bodyHeight,
        },
        pen,
      );
    case 'pulse':
      return pulsePane({ snapshot, rows, now, width, height: scene.bodyHeight }, pen);
    case 'help':
      return helpPane(scene.help(), search, width, pen);
    default:
      return view satisfies never;
  }
};
