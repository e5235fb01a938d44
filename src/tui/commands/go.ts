import { type MachineTab, machineTabs } from '../screen/machine.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, intent, notice } from '../state/ui.ts';
import type { View } from '../state/view.ts';
import { type Command, command, hint } from './command.ts';

const place = (
  id: string,
  key: string | readonly string[],
  title: string,
  view: View,
  aliases: readonly string[] = [],
): Command =>
  command({
    id,
    aliases,
    group: 'Go to',
    title,
    keys: typeof key === 'string' ? [key] : key,
    run: () => [{ kind: 'go', view }],
  });

const machineNames = ({ rows }: Scene): readonly string[] => rows.map(({ name }) => name);

/** The machine under the cursor stays under it when the list around it changes. */
const pinned = ({ view, machine, scroll }: Scene): readonly Act[] =>
  view.kind === 'machines' && machine !== null
    ? [{ kind: 'scroll', scroll: { ...scroll, selected: machine } }]
    : [];

const openMachine = (scene: Scene, argument: string): readonly Act[] => {
  const name = argument === '' ? scene.machine : argument;
  if (name === null) return [notice('there is no machine under the cursor')];
  if (!scene.rows.some((row) => row.name === name)) return [notice(`no machine is called "${name}"`)];
  return [...pinned(scene), { kind: 'go', view: { kind: 'machine', name, tab: 'overview' } }];
};

/** Being looked at, the overview compares by itself. */
const comparePackages = (scene: Scene, argument: string): readonly Act[] => {
  const { view } = scene;
  return view.kind === 'machine' && view.tab === 'overview' && argument === ''
    ? [intent({ kind: 'look-closure', machine: view.name })]
    : openMachine(scene, argument);
};

const turnTab = ({ view }: Scene, by: 1 | -1): readonly Act[] => {
  if (view.kind !== 'machine') return [];
  const index = machineTabs.indexOf(view.tab);
  const next: MachineTab = machineTabs[(index + by + machineTabs.length) % machineTabs.length] ?? view.tab;
  return [{ kind: 'tab', tab: next }];
};

const onMachine = ({ view }: Scene): boolean => view.kind === 'machine';
const notAMachine = (scene: Scene): string | null =>
  onMachine(scene) ? null : 'only in the view of one machine';

/** Places. */
export const goCommands: readonly Command[] = [
  place('machines', '1', 'all machines', { kind: 'machines' }, ['fleet', 'm']),
  place('sequence', '2', 'the reboot sequence as waves', { kind: 'sequence' }, ['reboot-sequence', 'waves']),
  place('show-run', '3', 'the run: its plan, its progress, its result', { kind: 'run' }, ['plan', 'attach']),
  place('log', ['4', '@'], 'what has happened, line by line', { kind: 'log' }, ['journal']),
  place('problems', '5', 'what is wrong with the fleet as configured', { kind: 'problems' }, ['check']),
  place('inputs', '6', 'the inputs of flake.lock, and what an update would move', { kind: 'inputs' }, [
    'lock',
  ]),
  place('history', '7', 'past runs', { kind: 'history' }, ['runs']),
  place('pulse', '8', 'the whole lab on one screen', { kind: 'pulse' }, ['dashboard', 'pulses']),
  command({
    id: 'details',
    aliases: ['machine', 'describe'],
    group: 'Go to',
    title: 'one machine: how it is, its health, place, generations, journal, logs, metadata',
    keys: ['d', 'enter'],
    when: ({ machine, view }) => machine !== null && view.kind !== 'machine',
    hint: hint('details', 10),
    run: openMachine,
    completions: machineNames,
  }),
  command({
    id: 'diff',
    aliases: ['packages', 'closure-diff'],
    group: 'Go to',
    title: 'which packages would change when the machine runs what the flake wants; there: compares anew',
    keys: ['v'],
    when: ({ machine }) => machine !== null,
    hint: ({ view }) =>
      view.kind === 'machine' && view.tab === 'overview' ? { text: 'compare packages', rank: 22 } : null,
    run: comparePackages,
    completions: machineNames,
  }),
  command({
    id: 'next-tab',
    group: 'Go to',
    title: 'next tab of the machine',
    keys: [']', 'right', 'tab'],
    when: onMachine,
    hint: hint('next tab', 10),
    disabledReason: notAMachine,
    run: (scene) => turnTab(scene, 1),
  }),
  command({
    id: 'previous-tab',
    group: 'Go to',
    title: 'previous tab of the machine',
    keys: ['[', 'left', 'shift-tab'],
    when: onMachine,
    disabledReason: notAMachine,
    run: (scene) => turnTab(scene, -1),
  }),
  command({
    id: 'back',
    group: 'Go to',
    title: 'back to where one came from; at the machines, all of them again',
    keys: ['esc', 'backspace'],
    hint: ({ ui }) => (ui.stack.length > 1 || ui.filter !== '' ? { text: 'back', rank: 90 } : null),
    run: (scene) => [...pinned(scene), { kind: 'back' }],
  }),
  command({
    id: 'close-help',
    group: 'Go to',
    title: 'back from the help',
    keys: ['q', '?', 'ctrl-c'],
    when: ({ view }) => view.kind === 'help',
    hint: hint('close', 97),
    disabledReason: ({ view }) => (view.kind === 'help' ? null : 'only in the help'),
    run: () => [{ kind: 'back' }],
  }),
  command({
    id: 'help',
    aliases: ['?', 'keys', 'alias'],
    group: 'Go to',
    title: 'this help',
    keys: ['?', 'ctrl-a'],
    when: ({ view }) => view.kind !== 'help',
    hint: hint('help', 95),
    run: () => [{ kind: 'go', view: { kind: 'help' } }],
  }),
];
