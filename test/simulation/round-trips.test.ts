import { expect, test } from 'vitest';
import type { Fault } from '../../src/sim/fault.ts';
import { crashScenario } from './crash-scenarios.ts';
import { simulate } from './simulate.ts';
import { tell } from './story.ts';
import { tripFaults, tripMachines, tripScenario } from './trip-scenarios.ts';

/** Every round trip to every machine of a small fleet: lost before or after its command went out, hanging, or its last. */

for (const machine of tripMachines)
  test(`each round trip to ${machine} goes wrong in every way`, async () => {
    const { world } = await simulate(crashScenario({ fault: null, machine: 'app', crash: null }));
    const trips = world.tripsTo(machine);
    expect(trips).toBeGreaterThan(10);
    const results = new Set<string>();
    for (let trip = 1; trip <= trips; trip += 1)
      for (const [index, fault] of tripFaults(trip).entries())
        try {
          results.add((await simulate(tripScenario(machine, fault))).state.ended?.result ?? 'none');
        } catch (error) {
          const name = `trip/${machine}/${trip}/${index}`;
          throw new Error(`${name} broke a rule. Replay: npm run sim -- --crash ${name}`, { cause: error });
        }
    // One that goes wrong is mostly got over, and never takes the run's end away.
    expect(results).toContain('done');
    expect(results).not.toContain('none');
  });

test('a machine that loses its power at any round trip, and boots what it booted before, counts as nothing else', async () => {
  /** What some of these come to at the least. */
  const seenThrough = {
    rolling: 'restored: activation-without-effect',
    'blue-green': 'restored: green-lost',
    recreate: 'failed: old-generation',
  } as const;
  for (const strategy of ['rolling', 'blue-green', 'recreate'] as const) {
    const sound = await tell({ box: { strategy } }, { sameKernel: true });
    const trips = sound.world.tripsTo('box');
    const became = new Set<string>();
    for (let trip = 1; trip <= trips; trip += 1) {
      const faults: readonly Fault[] = [{ kind: 'trip-crashes', trip }, { kind: 'old-generation' }];
      const told = await tell({ box: { strategy, faults } }, { sameKernel: true });
      became.add(told.became.box ?? 'none');
    }
    expect([...became], strategy).toContain(seenThrough[strategy]);
  }
});
