import { type Machine, sshHostOf } from '../../fleet/machine.ts';
import type { Observation } from '../../ports.ts';
import { duration } from '../../text/words.ts';
import { type Line, labelled, span } from '../draw/line.ts';
import { packageLines } from './closure.ts';
import { fact, heading, type MachineScene } from './machine-facts.ts';
import { ageWords, closureWords } from './words.ts';

/** How the machine is, what it runs, what the flake wants of it, and what is wrong. */

const stateLines = (scene: MachineScene): readonly Line[] => {
  const { row, snapshot, now } = scene;
  const report = snapshot.health.get(row.name);
  const observation = snapshot.observations.get(row.name);
  const seen = row.seenAt === null ? '' : ` (seen ${ageWords(now - row.seenAt)})`;
  const why = observation?.kind === 'unreachable' ? observation.error.message : (report?.summary ?? '');
  return [
    ...fact(
      scene,
      'state',
      `${row.state.glyph} ${row.state.text}${why === '' ? '' : `: ${why}`}${seen}`,
      row.state.tone,
    ),
    ...(observation?.kind === 'unreachable' ? fact(scene, 'what to do', observation.error.remedy) : []),
    ...(observation?.kind === 'reachable' && observation.failedUnits.length > 0
      ? fact(scene, 'failed units', observation.failedUnits.join(', '), 'warn')
      : []),
  ];
};

const toplevelLines = (scene: MachineScene, observation: Observation | undefined): readonly Line[] => {
  const { name } = scene.row;
  const wanted = scene.snapshot.toplevels.get(name)?.outPath ?? null;
  const seen = observation?.kind === 'reachable' ? observation : null;
  const generation = seen?.generation == null ? '' : `, generation ${seen.generation}`;
  const against = (label: string, path: string | null, more = ''): readonly Line[] => {
    if (path === null) return fact(scene, label, 'not known', 'quiet');
    const text = `${closureWords(path, name)}${more}`;
    if (wanted === null) return fact(scene, label, text);
    return path === wanted
      ? fact(scene, label, `${text}  = flake`)
      : fact(scene, label, `${text}  ≠ flake`, 'warn');
  };
  return [
    ...fact(
      scene,
      'flake wants',
      wanted === null ? 'not evaluated yet' : closureWords(wanted, name),
      wanted === null ? 'quiet' : 'plain',
    ),
    ...against('runs', seen?.current ?? null),
    ...against('next boot', seen?.profile ?? null, generation),
    ...against('booted', seen?.booted ?? null),
  ];
};

const problemLines = (scene: MachineScene): readonly Line[] => {
  const { snapshot, row, pen, width } = scene;
  const mine = snapshot.problems.filter(({ machines }) => machines.includes(row.name));
  const odd = (snapshot.evaluation.value?.discrepancies ?? []).filter(({ machine }) => machine === row.name);
  if (mine.length + odd.length === 0) return [];
  return [
    ...heading('PROBLEMS'),
    ...mine.flatMap(({ severity, message, remedy }) => [
      ...labelled(
        span(`  ${severity === 'error' ? pen.glyphs.bad : pen.glyphs.warn} `),
        4,
        pen.clean(message),
        severity === 'error' ? 'bad' : 'warn',
        width - 1,
      ),
      ...labelled(span('    '), 4, pen.clean(remedy), 'plain', width - 1),
    ]),
    ...odd.flatMap(({ message }) =>
      labelled(span(`  ${pen.glyphs.warn} `), 4, pen.clean(message), 'warn', width - 1),
    ),
  ];
};

export const overviewLines = (scene: MachineScene, machine: Machine): readonly Line[] => {
  const { snapshot, row } = scene;
  const observation = snapshot.observations.get(row.name);
  const seen = observation?.kind === 'reachable' ? observation : null;
  const { orchestration, reboot } = machine;
  const after =
    orchestration.rebootDelay === 0
      ? 'without delay'
      : `${duration(orchestration.rebootDelay * 1_000)} after the one before it, or after the approval`;
  const reboots = {
    always: `in every run, ${after}`,
    'when-needed': `when needed, ${after}`,
    never: 'never by lab',
  }[reboot.policy];
  return [
    ...stateLines(scene),
    ...(seen === null
      ? []
      : fact(
          scene,
          'system',
          [
            seen.nixosVersion === null ? 'NixOS' : `NixOS ${seen.nixosVersion}`,
            `kernel ${seen.kernelRelease ?? 'not known'}`,
            `up ${duration(seen.uptimeSeconds * 1_000)}`,
            `systemd ${seen.state}`,
          ].join(', '),
        )),
    ...fact(
      scene,
      'ssh',
      `${machine.ssh.user === null ? '' : `${machine.ssh.user}@`}${sshHostOf(machine)}${machine.ssh.port === null ? '' : `:${machine.ssh.port}`}${row.ssh.text === '' ? '' : ` (${row.ssh.text})`}`,
      row.ssh.tone === 'bad' ? 'bad' : 'plain',
    ),
    ...fact(
      scene,
      'role',
      [row.role === '' ? 'none' : row.role, ...(machine.orchestrator ? ['the orchestrator'] : [])].join(', '),
    ),
    ...fact(scene, 'groups', row.groups === '' ? 'none' : row.groups),
    ...fact(
      scene,
      'deploys',
      `${orchestration.deployStrategy}; criticality ${orchestration.criticalityLevel}`,
    ),
    ...fact(scene, 'reboots', reboots),
    ...heading('FLAKE AND MACHINE'),
    ...toplevelLines(scene, observation),
    ...fact(scene, 'drift', row.drift.text === '' ? 'not known' : row.drift.text, row.drift.tone),
    ...fact(scene, 'reboot needed', row.reboot.text === '' ? 'not known' : row.reboot.text, row.reboot.tone),
    ...(row.debt.text === ''
      ? []
      : fact(scene, 'owed', `${row.debt.text}: ${snapshot.recalled.debts.get(row.name)?.why ?? ''}`, 'warn')),
    ...problemLines(scene),
    ...packageLines(scene),
  ];
};

/** A machine that could not be evaluated: its cause is all there is. */
export const failedLines = (scene: MachineScene): readonly Line[] => [
  ...fact(scene, 'state', `${scene.pen.glyphs.bad} could not be evaluated`, 'bad'),
  ...fact(scene, 'cause', scene.row.failed?.message ?? '', 'bad'),
  ...fact(scene, 'what to do', scene.row.failed?.remedy ?? ''),
  ...problemLines(scene),
];
