import type { Scene } from '../state/scene.ts';
import { notice, wrapsLines } from '../state/ui.ts';
import { tabs } from '../views.ts';
import { type Command, command } from './command.ts';

/** How things are shown: the next view, other columns, rows alone, long lines. */

/** The views with a digit follow each other, round at the ends. */
const beside = ({ view }: Scene, by: 1 | -1) => {
  const at = tabs.findIndex(({ kind }) => kind === view.kind);
  return at < 0 ? null : (tabs[(at + by + tabs.length) % tabs.length] ?? null);
};

const onTab = (scene: Scene): boolean => beside(scene, 1) !== null;

const viewBeside = (id: string, keys: readonly string[], by: 1 | -1): Command =>
  command({
    id,
    group: 'Go to',
    title: `the ${by === 1 ? 'next' : 'previous'} of the views with a digit`,
    keys,
    when: onTab,
    disabledReason: (scene) => (onTab(scene) ? null : 'Esc leads back to the views with a digit'),
    run: (scene) => {
      const tab = beside(scene, by);
      return tab === null ? [] : [{ kind: 'go', view: { kind: tab.kind } }];
    },
  });

const inTable = ({ view }: Scene): boolean => view.kind === 'machines';

const otherColumns = (id: string, aliases: readonly string[], keys: readonly string[], by: 1 | -1): Command =>
  command({
    id,
    aliases,
    group: 'List',
    title:
      by === 1
        ? 'the columns of the table that have no room beside the others'
        : 'back through the columns of the table',
    keys,
    when: inTable,
    disabledReason: (scene) => (inTable(scene) ? null : 'only in the list of machines: 1'),
    // More sets than there ever are, so that one can go back from the first.
    run: ({ ui }) => [{ kind: 'columns', set: (ui.columnSet + by + 5_040) % 5_040 }],
  });

const hasLongLines = ({ view }: Scene): boolean =>
  view.kind === 'log' || (view.kind === 'machine' && view.tab === 'logs');

const hasFoot = ({ view, snapshot, pane, ui }: Scene): boolean =>
  pane.foot !== null ||
  (ui.rowsOnly && (view.kind === 'machines' || (view.kind === 'run' && snapshot.phase.kind !== 'none')));

export const lookCommands: readonly Command[] = [
  viewBeside('next-view', ['tab', ']'], 1),
  viewBeside('previous-view', ['shift-tab', '['], -1),
  otherColumns('columns', ['wide'], ['ctrl-w', 'right'], 1),
  otherColumns('columns-back', [], ['left'], -1),
  command({
    id: 'rows-only',
    aliases: ['zoom', 'fullscreen'],
    group: 'Screen',
    title: 'rows alone, without what stands below them; again: with it',
    keys: ['+', '_'],
    when: hasFoot,
    disabledReason: (scene) => (hasFoot(scene) ? null : 'nothing stands below the rows here'),
    run: ({ ui }) => [
      { kind: 'rows-only', on: !ui.rowsOnly },
      ...(ui.rowsOnly ? [] : [notice('rows alone: + shows again what stands below them', 'quiet')]),
    ],
  }),
  command({
    id: 'wrap',
    group: 'Screen',
    title: 'wrap long lines of logs, or cut them; in narrow windows they are wrapped at first',
    keys: ['w'],
    when: hasLongLines,
    hint: ({ ui }) => (wrapsLines(ui) ? { text: 'cut lines', rank: 62 } : { text: 'wrap', rank: 62 }),
    disabledReason: (scene) =>
      hasLongLines(scene) ? null : 'only in logs; elsewhere lines are wrapped anyway',
    run: ({ ui }) => [{ kind: 'wrap', on: !wrapsLines(ui) }],
  }),
  command({
    id: 'metadata',
    aliases: ['yaml'],
    group: 'Go to',
    title: 'what the flake says of the machine, as it was evaluated',
    keys: ['y'],
    when: ({ machine }) => machine !== null,
    disabledReason: ({ machine }) => (machine === null ? 'put the cursor on a machine' : null),
    run: ({ machine }) =>
      machine === null
        ? []
        : [
            { kind: 'go', view: { kind: 'machine', name: machine, tab: 'metadata' } },
            { kind: 'tab', tab: 'metadata' },
          ],
  }),
  command({
    id: 'all-machines',
    group: 'List',
    title: 'all machines: takes the filter away',
    keys: ['0'],
    run: () => [
      { kind: 'go', view: { kind: 'machines' } },
      { kind: 'filter', text: '' },
    ],
  }),
];
