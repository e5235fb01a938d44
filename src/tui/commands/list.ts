import { columnBeside, type SortBy } from '../screen/arrange.ts';
import { columnOrder } from '../screen/machines.ts';
import { moveBy } from '../screen/pane.ts';
import type { KeyName } from '../state/keys.ts';
import type { Scene } from '../state/scene.ts';
import type { Act } from '../state/ui.ts';
import { type Command, command, hint } from './command.ts';

const inTable = ({ view }: Scene): boolean => view.kind === 'machines';
const inSequence = ({ view }: Scene): boolean => view.kind === 'sequence';
const onlyThere = (scene: Scene): string | null =>
  inTable(scene) ? null : 'only in the list of machines: 1';

const titles: Readonly<Record<SortBy, string>> = {
  name: 'name',
  state: 'state, the worst first',
  role: 'role',
  groups: 'groups',
  drift: 'drift from the flake',
  reboot: 'reboot needed',
  ssh: 'how ssh answers',
  platform: 'platform',
  generation: 'generation, the highest first',
  uptime: 'uptime, the longest first',
  'last-run': 'outcome of the last run, failures first',
  debt: 'what past runs left undone',
  seen: 'age of what is known',
};

const sort = (by: SortBy, key: KeyName | null): Command =>
  command({
    id: `sort-${by}`,
    group: 'List',
    title: `sort by ${titles[by]}; again: the other way round`,
    keys: key === null ? [] : [key],
    when: inTable,
    disabledReason: onlyThere,
    run: () => [{ kind: 'sort', by }],
  });

const sortBeside = (id: string, key: KeyName, steps: 1 | -1): Command =>
  command({
    id,
    group: 'List',
    title: `sort by the column to the ${steps === 1 ? 'right' : 'left'}`,
    keys: [key],
    when: inTable,
    disabledReason: onlyThere,
    run: ({ ui }) => [{ kind: 'sort', by: columnBeside(ui.sort.by, steps, columnOrder) }],
  });

const markable = ({ view }: Scene): boolean => view.kind === 'machines' || view.kind === 'sequence';

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

const markRange = ({ shown, ui, machine }: Scene): readonly Act[] => {
  const to = shown.findIndex(({ name }) => name === machine);
  const above = shown.slice(0, to).findLastIndex(({ name }) => ui.marked.has(name));
  const names = shown.slice(above < 0 ? to : above, to + 1).map(({ name }) => name);
  return to < 0 ? [] : [{ kind: 'mark', names, on: true }];
};

/** The table of machines. */
export const listCommands: readonly Command[] = [
  command({
    id: 'filter',
    group: 'List',
    title: 'show only what matches: words, @group, role:NAME, ~ltrs of a name; ! in front: what does not',
    keys: ['/', 'f'],
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
    when: markable,
    hint: hint('mark', 45),
    disabledReason: (scene) => (markable(scene) ? null : 'only in the list of machines: 1'),
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
  command({
    id: 'mark-range',
    group: 'List',
    title: 'mark all from the nearest marked machine above to the one under the cursor',
    keys: ['ctrl-space'],
    when: inTable,
    disabledReason: onlyThere,
    run: markRange,
  }),
  command({
    id: 'unmark-all',
    aliases: ['clear-marks'],
    group: 'List',
    title: 'take all marks away, also of machines that are not shown',
    keys: ['ctrl-\\'],
    disabledReason: ({ ui }) => (ui.marked.size === 0 ? 'nothing is marked' : null),
    run: ({ ui }) => [{ kind: 'mark', names: [...ui.marked], on: false }],
  }),
  command({
    id: 'tree',
    aliases: ['xray'],
    group: 'List',
    title: 'the sequence as a tree of needs, and back to waves',
    keys: ['t'],
    when: inSequence,
    hint: ({ ui }) => ({ text: ui.tree ? 'waves' : 'tree', rank: 12 }),
    run: ({ ui, view }) => [
      { kind: 'sequence', tree: view.kind === 'sequence' ? !ui.tree : true, onlyMarked: ui.onlyMarked },
      { kind: 'go', view: { kind: 'sequence' } },
    ],
  }),
  command({
    id: 'only-marked',
    aliases: ['subset'],
    group: 'List',
    title: 'the sequence of the marked machines alone, and back to all',
    keys: ['o'],
    when: inSequence,
    hint: ({ ui }) => ({ text: ui.onlyMarked ? 'all' : 'only marked', rank: 14 }),
    disabledReason: ({ ui, view }) =>
      view.kind !== 'sequence'
        ? 'only in the sequence: 2'
        : ui.marked.size === 0 && !ui.onlyMarked
          ? 'mark machines first, with Space'
          : null,
    run: ({ ui }) => [{ kind: 'sequence', tree: ui.tree, onlyMarked: !ui.onlyMarked }],
  }),
  sort('name', 'N'),
  sort('state', 'S'),
  sort('drift', 'F'),
  sort('reboot', 'B'),
  sort('role', 'O'),
  sort('seen', 'A'),
  sort('uptime', 'U'),
  sort('last-run', 'L'),
  sort('generation', 'V'),
  sort('debt', 'T'),
  sort('groups', null),
  sort('platform', null),
  sort('ssh', null),
  sortBeside('order-left', '<', -1),
  sortBeside('order-right', '>', 1),
];
