import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginActivation } from '../../src/sim/activation.ts';
import { advance, beginReboot } from '../../src/sim/advance.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { createMachine, isWell, type Nature, type SimMachine, stateOf } from '../../src/sim/machine.ts';
import { toplevelOf } from '../simulation/fleet.ts';

const claim = { run: '20260101-120000-beef', owner: 'alice@desk', ttlMs: 600_000 };
const nature: Nature = {
  copyMs: 1_000,
  activationMs: 10_000,
  restartMs: 2_000,
  shutdownMs: 3_000,
  bootMs: 20_000,
  startupMs: 4_000,
  servicesMs: 6_000,
};
const [old, wanted] = [toplevelOf('box', 'old'), toplevelOf('box', 'new')];
const box = (...faults: readonly Fault[]): SimMachine =>
  createMachine({ name: 'box', nature, faults, booted: old, current: old, profile: old }, 0);
const switchTo = (machine: SimMachine, now: number): SimMachine =>
  beginActivation(
    machine,
    { claim, toplevel: wanted, mode: 'switch', unit: 'lab-switch', deadlineMs: 60_000 },
    now,
  );

describe('a simulated machine', () => {
  test('switches as the real one does: profile, then live, then its services, then the end', () => {
    const machine = switchTo(box(), 0);
    expect(advance(machine, 999)).toMatchObject({ profile: old, current: old });
    expect(advance(machine, 1_000)).toMatchObject({ profile: wanted, current: old, generation: 2 });
    expect(advance(machine, 5_000)).toMatchObject({ current: wanted, booted: old });
    expect(isWell(advance(machine, 5_000))).toBe(false);
    expect(isWell(advance(machine, 7_000))).toBe(true);
    expect(advance(machine, 9_999).units.get('lab-switch')?.outcome).toBeNull();
    expect(advance(machine, 10_000).units.get('lab-switch')?.outcome).toEqual({ kind: 'live' });
  });

  test('reboots: a second of grace, shutdown, silence, boot, start, services', () => {
    const machine = beginReboot(box(), 0);
    const before = machine.bootId;
    const at = (ms: number): SimMachine => advance(machine, ms);
    expect(at(999).power).toBe('up');
    expect([at(1_000).power, stateOf(at(1_000))]).toEqual(['stopping', 'stopping']);
    expect(at(4_000).power).toBe('down');
    expect(at(23_999).power).toBe('down');
    expect([at(24_000).power, stateOf(at(24_000))]).toEqual(['up', 'starting']);
    expect(at(24_000).bootId).not.toBe(before);
    expect(stateOf(at(28_000))).toBe('running');
    expect(isWell(at(28_000))).toBe(false);
    expect(isWell(at(30_000))).toBe(true);
    expect(at(30_000).unwellSince).toBeNull();
    expect(at(29_999).unwellSince).toBe(1_000);
  });

  test('a reboot in the middle of an activation boots the profile and knows nothing of the unit', () => {
    const machine = beginReboot(advance(switchTo(box(), 0), 2_000), 2_000);
    const after = advance(machine, 60_000);
    expect(after).toMatchObject({ booted: wanted, current: wanted });
    expect(after.units.size).toBe(0);
  });

  test('a second activation beside one that runs is refused by its lock', () => {
    const first = advance(switchTo(box(), 0), 100);
    const both = beginActivation(
      first,
      { claim, toplevel: old, mode: 'switch', unit: 'other', deadlineMs: 1 },
      100,
    );
    expect(advance(both, 60_000).units.get('other')?.outcome).toMatchObject({ kind: 'refused', code: 11 });
  });

  test('goes back, when nobody confirms a second attempt, to where the first one came from: what it boots, too', () => {
    const first = advance(switchTo(box(), 0), 20_000);
    const recorded = { current: old, profile: old };
    const second = beginActivation(
      first,
      {
        claim,
        toplevel: wanted,
        mode: 'test',
        unit: 'second',
        deadlineMs: 60_000,
        supervision: { confirmWithinMs: 5_000, recorded },
      },
      20_000,
    );
    expect(advance(second, 30_000)).toMatchObject({ profile: wanted, current: wanted });
    expect(advance(second, 60_000)).toMatchObject({ profile: old, current: old });
  });

  test('is the same however often it is looked at', () => {
    const faults: readonly Fault[] = [
      { kind: 'boot-loop', times: 2, afterMs: 9_000 },
      { kind: 'falls-ill', atMs: 7_000, forMs: 31_000 },
      { kind: 'crash', atMs: 90_000 },
    ];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 20 }), (looks) => {
        const start = beginReboot(switchTo(box(...faults), 0), 3_000);
        let looked = start;
        for (const at of [...looks].sort((a, b) => a - b)) looked = advance(looked, at);
        expect(advance(looked, 200_000)).toEqual(advance(start, 200_000));
      }),
    );
  });
});
