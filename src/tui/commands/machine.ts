import type { Scene } from '../state/scene.ts';
import { intent } from '../state/ui.ts';
import { type Command, command, hint } from './command.ts';

const noMachine = ({ machine }: Scene): string | null =>
  machine === null ? 'there is no machine under the cursor' : null;

const notEvaluated = (scene: Scene): string | null =>
  noMachine(scene) ??
  (scene.rows.find(({ name }) => name === scene.machine)?.machine == null
    ? `${scene.machine} could not be evaluated`
    : null);

/** Marked machines that still exist; without any, the one under the cursor. */
const meant = ({ ui, rows, machine }: Scene): readonly string[] => {
  const marked = rows.map(({ name }) => name).filter((name) => ui.marked.has(name));
  return marked.length > 0 ? marked : machine === null ? [] : [machine];
};

/** Looking at machines. */
export const machineCommands: readonly Command[] = [
  command({
    id: 'ssh',
    aliases: ['shell'],
    group: 'Machine',
    title: 'a shell on the machine; exit leads back here',
    keys: ['s'],
    when: ({ machine }) => machine !== null,
    hint: hint('ssh', 50),
    disabledReason: notEvaluated,
    run: ({ machine }) => (machine === null ? [] : [intent({ kind: 'ssh', machine })]),
  }),
  command({
    id: 'edit',
    group: 'Machine',
    title: 'open the configuration of the machine in $EDITOR; the flake is evaluated anew after that',
    keys: ['e'],
    danger: 'changes',
    when: ({ machine }) => machine !== null,
    hint: hint('edit', 55),
    disabledReason: noMachine,
    run: ({ machine }) => (machine === null ? [] : [intent({ kind: 'edit', machine })]),
  }),
  command({
    id: 'probe',
    aliases: ['health'],
    group: 'Machine',
    title: 'run the health checks now, of the marked machines or the one under the cursor',
    keys: ['p'],
    when: ({ machine }) => machine !== null,
    hint: ({ view }) => (view.kind === 'machine' ? { text: 'probe', rank: 20 } : null),
    disabledReason: notEvaluated,
    run: (scene) => [intent({ kind: 'probe', machines: meant(scene) })],
  }),
  command({
    id: 'refresh',
    group: 'Machine',
    title: 'evaluate the flake and look at every machine anew',
    keys: ['ctrl-r'],
    hint: ({ view }) => (view.kind === 'machines' ? { text: 'refresh', rank: 80 } : null),
    disabledReason: ({ snapshot }) => (snapshot.evaluation.refreshing ? 'that is being done already' : null),
    run: () => [intent({ kind: 'refresh' })],
  }),
];
