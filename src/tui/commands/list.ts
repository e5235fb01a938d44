import type { SortBy } from '../screen/arrange.ts';
import { moveBy } from '../screen/pane.ts';
import type { KeyName } from '../state/keys.ts';
import type { Scene } from '../state/scene.ts';
import type { Act } from '../state/ui.ts';
import { type Command, command, hint } from './command.ts';

const inTable = ({ view }: Scene): boolean => view.kind === 'machines';
const onlyThere = (scene: Scene): string | null =>
  inTable(scene) ? null : 'only in the list of machines: 1';

const sort = (by: SortBy, key: KeyName, title: string): Command =>
  command({
    id: `sort-${by}`,
    group: 'List',
    title: `sort by ${title}; again: the other way round`,
    keys: [key],
    when: inTable,
    disabledReason: onlyThere,
    run: () => [{ kind: 'sort', by }],
  });

const toggleMark = (scene: Scene): readonly Act[] => {
  const { machine, ui, pane, scroll, bodyHeight } = scene;
  if (machine === null) return [];
  return [
    { kind: 'mark', names: [machine], on: !ui.marked.has(machine) },
    // One key marks a stretch of machines.
    { kind: 'scroll', scroll: moveBy(pane, scroll, bodyHeight, 1) },
  ];
};

const toggleAll = ({ shown, ui }: Scene): readonly Act[] => {
  const names = shown.map(({ name }) => name);
  return [{ kind: 'mark', names, on: !names.every((name) => ui.marked.has(name)) }];
};

/** The table of machines. */
export const listCommands: readonly Command[] = [
  command({
    id: 'filter',
    group: 'List',
    title: 'show only what matches: words, @group, role:NAME; ! in front: what does not',
    keys: ['/'],
    when: inTable,
    hint: hint('filter', 40),
    run: ({ ui }, argument) =>
      argument === ''
        ? [
            { kind: 'go', view: { kind: 'machines' } },
            { kind: 'input', input: { kind: 'filter', text: ui.filter, before: ui.filter } },
          ]
        : [
            { kind: 'go', view: { kind: 'machines' } },
            { kind: 'filter', text: argument },
          ],
  }),
  command({
    id: 'mark',
    group: 'List',
    title: 'mark or unmark the machine under the cursor',
    keys: ['space'],
    when: inTable,
    hint: hint('mark', 45),
    disabledReason: onlyThere,
    run: toggleMark,
  }),
  command({
    id: 'mark-all',
    group: 'List',
    title: 'mark all machines shown, or unmark them',
    keys: ['*'],
    when: inTable,
    disabledReason: onlyThere,
    run: toggleAll,
  }),
  sort('name', 'N', 'name'),
  sort('state', 'S', 'state, the worst first'),
  sort('drift', 'F', 'drift from the flake'),
  sort('reboot', 'B', 'reboot needed'),
  sort('role', 'O', 'role'),
  sort('seen', 'A', 'age of what is known'),
];
