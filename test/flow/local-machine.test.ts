import { expect, test } from 'vitest';
import { localMachineOf } from '../../src/flow/evaluate.ts';
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
  expect(localMachineOf({ machines, failed: [] }, hostHere)).toBe(name);
});
