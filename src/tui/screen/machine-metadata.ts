import type { Machine } from '../../fleet/machine.ts';
import { count, duration } from '../../text/words.ts';
import { type Line, line } from '../draw/line.ts';
import { fact, heading, type MachineScene } from './machine-facts.ts';

/** What was evaluated of the machine: in words first, then as it came. */
export const metadataLines = (scene: MachineScene, machine: Machine): readonly Line[] => {
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
    ...heading('AS EVALUATED'),
    ...JSON.stringify(machine, null, 2)
      .split('\n')
      .map((text) => line(`  ${scene.pen.clean(text)}`, 'quiet')),
  ];
};
