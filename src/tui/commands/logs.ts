import type { Scene } from '../state/scene.ts';
import { type Act, notice } from '../state/ui.ts';
import { type Command, command } from './command.ts';

/** Logs: of machines and of runs. */

/** Units worth offering: those checked, those that failed, and what every machine has. */
const unitsOf = ({ snapshot, machine, rows }: Scene): readonly string[] => {
  const row = rows.find(({ name }) => name === machine);
  const observation = machine === null ? undefined : snapshot.observations.get(machine);
  return [
    ...new Set([
      ...(row?.machine?.healthChecks ?? []).flatMap((check) =>
        check.type === 'systemd' ? [check.unit] : [],
      ),
      ...(observation?.kind === 'reachable' ? observation.failedUnits : []),
      'sshd.service',
      'nix-daemon.service',
    ]),
  ].sort();
};

const showLogs = (scene: Scene, argument: string): readonly Act[] => {
  const { machine, rows } = scene;
  const words = argument.split(/\s+/u).filter((word) => word !== '');
  // `logs nas nginx.service`, `logs nginx.service` of the machine at hand, `logs nas`.
  const named = words.find((word) => rows.some(({ name }) => name === word)) ?? machine;
  const unit = words.find((word) => word !== named);
  if (named === null) return [notice('put the cursor on a machine, or name one')];
  return [
    { kind: 'unit', machine: named, unit: unit ?? null },
    { kind: 'go', view: { kind: 'machine', name: named, tab: 'logs' } },
    { kind: 'tab', tab: 'logs' },
  ];
};

const ofMachines = ({ view }: Scene): boolean =>
  view.kind === 'machines' || view.kind === 'machine' || view.kind === 'sequence';

export const logCommands: readonly Command[] = [
  command({
    id: 'logs',
    aliases: ['journalctl'],
    group: 'Machine',
    title: 'follow the journal of the machine, or of a unit: `logs nginx.service`',
    keys: ['l'],
    when: (scene) => scene.machine !== null && ofMachines(scene),
    hint: ({ view }) => (view.kind === 'machine' && view.tab !== 'logs' ? { text: 'logs', rank: 30 } : null),
    disabledReason: ({ machine }) => (machine === null ? 'there is no machine under the cursor' : null),
    run: showLogs,
    completions: (scene) => [...unitsOf(scene), ...scene.rows.map(({ name }) => name)],
  }),
  command({
    id: 'run-log',
    group: 'Go to',
    title: 'the log of the run, in a run only the lines of the machine under the cursor',
    keys: ['l'],
    when: (scene) => !(scene.machine !== null && ofMachines(scene)),
    hint: ({ view, snapshot }) =>
      view.kind === 'run' && snapshot.phase.kind !== 'none' ? { text: 'log', rank: 40 } : null,
    run: ({ view, machine, pane }) => [
      { kind: 'go', view: { kind: 'log' } },
      ...(view.kind === 'run' && machine !== null && pane.kind === 'list'
        ? [{ kind: 'search', text: machine } as const]
        : []),
    ],
  }),
];
