import { dependentsOf } from '../../fleet/graph.ts';
import type { Machine } from '../../fleet/machine.ts';
import { rebootOrderOf, wavesOf } from '../../fleet/order.ts';
import { type Line, line, span } from '../draw/line.ts';
import { fact, heading, type MachineScene } from './machine-facts.ts';

/** The machine's place in the sequence, what it needs, and what needs it. */

const neighbour = (scene: MachineScene, name: string): Line => {
  const other = scene.rows.find((candidate) => candidate.name === name);
  if (other === undefined)
    return [
      span(`  ${scene.pen.glyphs.bad} `, 'bad'),
      span(scene.pen.clean(name), 'strong'),
      span('  no machine of this flake', 'bad'),
    ];
  return [
    span(`  ${other.state.glyph} `, other.state.tone),
    span(name, 'strong'),
    span(`  ${other.state.text}`, other.state.tone),
  ];
};

export const dependencyLines = (scene: MachineScene, machine: Machine): readonly Line[] => {
  const machines = scene.snapshot.evaluation.value?.fleet.machines ?? [];
  const order = rebootOrderOf(machines);
  const place = order.findIndex(({ name }) => name === machine.name);
  const wave = wavesOf(order).findIndex((members) => members.some(({ name }) => name === machine.name));
  const behind = [...dependentsOf(machines, [machine.name])].sort();
  const direct = new Set(
    machines.filter(({ dependencies }) => dependencies.includes(machine.name)).map(({ name }) => name),
  );
  return [
    ...fact(
      scene,
      'place',
      place < 0
        ? 'none: it is on or behind a dependency cycle'
        : `${place + 1} of ${order.length}, wave ${wave + 1}${machine.orchestrator ? ' (the orchestrator goes last)' : ''}`,
      place < 0 ? 'bad' : 'plain',
    ),
    ...fact(scene, 'rebootOrder', machine.rebootOrder === null ? 'not set' : String(machine.rebootOrder)),
    ...heading('NEEDS, UP AND HEALTHY, BEFORE IT REBOOTS'),
    ...(machine.dependencies.length === 0
      ? [line('  nothing', 'quiet')]
      : machine.dependencies.map((name) => neighbour(scene, name))),
    ...heading('IS NEEDED BY'),
    ...(behind.length === 0
      ? [line('  nothing', 'quiet')]
      : behind.map((name) => [
          ...neighbour(scene, name),
          span(direct.has(name) ? '' : '  through others', 'quiet'),
        ])),
  ];
};
