import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dependentsOf, findCycles } from '../../src/fleet/graph.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import { rebootOrderOf, wavesOf } from '../../src/fleet/order.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { acyclicFleet } from './random-fleet.ts';

const names = (machines: readonly Machine[]): readonly string[] => machines.map(({ name }) => name);

describe('the reboot order', () => {
  test('holds every machine once, its dependencies before it, the orchestrator last', () => {
    fc.assert(
      fc.property(acyclicFleet(14), (fleet) => {
        const order = names(rebootOrderOf(fleet));
        expect([...order].sort()).toEqual([...names(fleet)].sort());
        for (const machine of fleet)
          for (const dependency of machine.dependencies)
            expect(order.indexOf(dependency)).toBeLessThan(order.indexOf(machine.name));
        const orchestrator = fleet.find((machine) => machine.orchestrator);
        if (orchestrator !== undefined) expect(order.at(-1)).toBe(orchestrator.name);
      }),
    );
  });

  test('does not depend on the order in which the machines were listed', () => {
    fc.assert(
      fc.property(acyclicFleet(10), (fleet) => {
        const sorted = [...fleet].sort((a, b) => (a.name < b.name ? -1 : 1));
        expect(names(rebootOrderOf(fleet))).toEqual(names(rebootOrderOf(sorted)));
      }),
    );
  });

  test('breaks ties by rebootOrder, then criticality with canaries first, then name', () => {
    const fleet = [
      machineNamed('zoe', { criticality: 'low' }),
      machineNamed('amy', { criticality: 'critical' }),
      machineNamed('bob', { criticality: 'low' }),
      machineNamed('eve', { rebootOrder: 2, criticality: 'low' }),
      machineNamed('dan', { rebootOrder: 1, criticality: 'critical' }),
      machineNamed('cat', { criticality: 'medium' }),
    ];
    expect(names(rebootOrderOf(fleet))).toEqual(['dan', 'eve', 'bob', 'zoe', 'cat', 'amy']);
  });

  test('lets a dependency go before its rebootOrder would', () => {
    const fleet = [
      machineNamed('app', { rebootOrder: 1, dependencies: ['nas'] }),
      machineNamed('nas'),
      machineNamed('web', { rebootOrder: 5 }),
    ];
    expect(names(rebootOrderOf(fleet))).toEqual(['web', 'nas', 'app']);
  });

  test('leaves out what is on or behind a cycle', () => {
    const fleet = [
      machineNamed('a', { dependencies: ['b'] }),
      machineNamed('b', { dependencies: ['a'] }),
      machineNamed('behind', { dependencies: ['a'] }),
      machineNamed('free'),
    ];
    expect(names(rebootOrderOf(fleet))).toEqual(['free']);
  });
});

describe('waves', () => {
  test('are the order cut into pieces whose machines do not need each other', () => {
    fc.assert(
      fc.property(acyclicFleet(14), (fleet) => {
        const order = rebootOrderOf(fleet);
        const waves = wavesOf(order);
        expect(names(waves.flat())).toEqual(names(order));
        for (const wave of waves) {
          expect(wave.length).toBeGreaterThan(0);
          const members = names(wave);
          // Directly or through others.
          const behind = dependentsOf(fleet, members);
          for (const member of members) expect(behind.has(member)).toBe(false);
          for (const machine of wave)
            expect([...dependentsOf(fleet, [machine.name])].some((name) => members.includes(name))).toBe(
              false,
            );
          if (wave.some((machine) => machine.orchestrator)) expect(wave).toHaveLength(1);
        }
      }),
    );
  });

  test('are the phases of the example lab', () => {
    const fleet = [
      machineNamed('sleeper-service', { rebootOrder: 1 }),
      machineNamed('grey-area', { rebootOrder: 2, dependencies: ['sleeper-service'] }),
      machineNamed('reverse-proxy', { rebootOrder: 3, dependencies: ['grey-area'] }),
      machineNamed('congenital-optimist', { orchestrator: true }),
    ];
    expect(wavesOf(rebootOrderOf(fleet)).map(names)).toEqual([
      ['sleeper-service'],
      ['grey-area'],
      ['reverse-proxy'],
      ['congenital-optimist'],
    ]);
  });
});

describe('cycles', () => {
  test('are found with their path, closed at its end', () => {
    const fleet = [
      machineNamed('a', { dependencies: ['b'] }),
      machineNamed('b', { dependencies: ['c'] }),
      machineNamed('c', { dependencies: ['a'] }),
      machineNamed('d', { dependencies: ['a'] }),
    ];
    expect(findCycles(fleet)).toEqual([['a', 'b', 'c', 'a']]);
  });

  test('are found exactly when the order is not complete', () => {
    const anyFleet = fc
      .array(fc.array(fc.nat(7), { maxLength: 3 }), { minLength: 1, maxLength: 8 })
      .map((rows) =>
        rows.map((needs, index) =>
          machineNamed(`m${index}`, {
            dependencies: [...new Set(needs.filter((need) => need < rows.length && need !== index))].map(
              (need) => `m${need}`,
            ),
          }),
        ),
      );
    fc.assert(
      fc.property(anyFleet, (fleet) => {
        const cycles = findCycles(fleet);
        expect(cycles.length > 0).toBe(rebootOrderOf(fleet).length < fleet.length);
        for (const path of cycles) {
          expect(path.at(0)).toBe(path.at(-1));
          for (const [index, name] of path.slice(0, -1).entries())
            expect(fleet.find((machine) => machine.name === name)?.dependencies).toContain(path[index + 1]);
        }
      }),
    );
  });

  test('a chain of five hundred machines is ordered and has none', () => {
    const chain = Array.from({ length: 500 }, (_, index) =>
      machineNamed(`m${String(index).padStart(3, '0')}`, {
        dependencies: index === 0 ? [] : [`m${String(index - 1).padStart(3, '0')}`],
      }),
    );
    expect(findCycles(chain)).toEqual([]);
    expect(names(rebootOrderOf([...chain].reverse()))).toEqual(names(chain));
  });
});
