import type { Machine } from '../../fleet/machine.ts';
import { count, duration } from '../../text/words.ts';
import { blank, type Line, line, span } from '../draw/line.ts';
import { dependencyLines } from './machine-dependencies.ts';
import { fact, heading, type MachineScene } from './machine-facts.ts';
import { healthLines } from './machine-health.ts';
import { failedLines, overviewLines } from './machine-overview.ts';
import { type Pane, textPane } from './pane.ts';

/** One machine in four tabs. */
export const machineTabs = ['overview', 'health', 'dependencies', 'configuration'] as const;
export type MachineTab = (typeof machineTabs)[number];

const configurationLines = (scene: MachineScene, machine: Machine): readonly Line[] => {
  const { orchestration, reboot } = machine;
  const seconds = (value: number): string => duration(value * 1_000);
  return [
    ...fact(scene, 'name', machine.name),
    ...fact(scene, 'host name', machine.hostName),
    ...fact(scene, 'platform', machine.system),
    ...fact(scene, 'addresses', machine.addresses.join(', ') || 'none'),
    ...fact(scene, 'ssh host', machine.ssh.host ?? 'as ssh_config says'),
    ...fact(scene, 'ssh port', machine.ssh.port === null ? 'as ssh_config says' : String(machine.ssh.port)),
    ...fact(scene, 'ssh user', machine.ssh.user ?? 'as ssh_config says'),
    ...heading('ORCHESTRATION'),
    ...fact(scene, 'strategy', orchestration.deployStrategy),
    ...fact(scene, 'criticality', orchestration.criticalityLevel),
    ...fact(
      scene,
      'reboot delay',
      `${seconds(orchestration.rebootDelay)}${orchestration.rebootDelayIsOwn ? '' : ' (the default)'}`,
    ),
    ...fact(scene, 'reboot policy', reboot.policy),
    ...fact(
      scene,
      'deadlines',
      `down ${seconds(reboot.deadlines.down)}, up ${seconds(reboot.deadlines.up)}, healthy ${seconds(reboot.deadlines.healthy)}`,
    ),
    ...fact(scene, 'stable for', seconds(reboot.stable)),
    ...fact(scene, 'checks', count(machine.healthChecks.length, 'health check')),
  ];
};

const tabLine = (tab: MachineTab): Line =>
  machineTabs.flatMap((name) => [
    span(' '),
    name === tab ? span(`[${name}]`, 'accent') : span(` ${name} `, 'quiet'),
  ]);

/** The machine `name`; a machine that the flake no longer names says so. */
export const machinePane = (
  scene: Omit<MachineScene, 'row'> & { readonly name: string; readonly tab: MachineTab },
): Pane => {
  const row = scene.rows.find(({ name }) => name === scene.name);
  if (row === undefined)
    return textPane([line(`  the flake no longer names ${scene.pen.clean(scene.name)}`, 'warn')]);
  const full: MachineScene = { ...scene, row };
  const { machine } = row;
  if (machine === null) return textPane([blank, ...failedLines(full)]);
  const lines = {
    overview: overviewLines,
    health: healthLines,
    dependencies: dependencyLines,
    configuration: configurationLines,
  }[scene.tab](full, machine);
  return { ...textPane(lines), head: [tabLine(scene.tab), blank] };
};
