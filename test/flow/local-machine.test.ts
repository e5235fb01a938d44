import { expect, test } from 'vitest';
import { localMachineOf } from '../../src/flow/evaluate.ts';
import { seen } from '../plan/input.ts';
import { machineNamed } from '../simulation/fleet.ts';

/** Whose reboot would end the run that asked for it: known also where the kernel's name holds the domain. */

const machines = [
  machineNamed('nas', { hostName: 'nas' }),
  machineNamed('desk', { hostName: 'desk', orchestrator: true }),
];

test.each([
  ['desk', 'desk'],
  ['desk.home.example', 'desk'],
  ['Desk', 'desk'],
  ['desktop', null],
  ['nas', null],
  ['', null],
])('on a host that is called %j it is %j', (hostHere, name) => {
  expect(localMachineOf({ machines, failed: [] }, { hostName: hostHere }, new Map())).toBe(name);
});

test('the orchestrator that the flake calls otherwise than it is called yet is known by its boot', () => {
  const looked = new Map([
    ['nas', seen('nas', {}, { bootId: 'boot-of-nas' })],
    ['desk', seen('desk', {}, { bootId: 'boot-of-desk' })],
  ]);
  const on = (bootId: string) =>
    localMachineOf({ machines, failed: [] }, { hostName: 'old-desk', bootId }, looked);
  expect(on('boot-of-desk')).toBe('desk');
  // A machine that no run is executed on shares a boot with others where they are containers.
  expect(on('boot-of-nas')).toBeNull();
  expect(on('another')).toBeNull();
});
