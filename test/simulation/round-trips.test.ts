import { expect, test } from 'vitest';
import { crashScenario } from './crash-scenarios.ts';
import { simulate } from './simulate.ts';
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
