import { randomScenario } from '../test/simulation/random-scenario.ts';
import { simulate } from '../test/simulation/simulate.ts';

/**
 * One round of `simulation.ts`, in a process of its own: simulated runs of a fleet of the given size, every rule
 * checked. Prints what they took, in milliseconds, as JSON. Arguments: machines, runs.
 */

const machines = Number(process.argv[2]);
const runs = Number(process.argv[3]);
/** As many as make the compiler settle. */
const warmUp = 500;
/** Simulations that share the turns of the event loop. */
const abreast = 16;

const run = async (from: number, count: number): Promise<{ readonly events: number; readonly effects: number }> => {
  let next = from;
  let events = 0;
  let effects = 0;
  const lane = async (): Promise<void> => {
    while (next < from + count) {
      const done = await simulate(randomScenario(next++, machines));
      events += done.events.length;
      effects += done.world.effects.length;
    }
  };
  await Promise.all(Array.from({ length: abreast }, lane));
  return { events, effects };
};

await run(1, warmUp);
const begun = performance.now();
const cpuBegun = process.cpuUsage();
const { events, effects } = await run(warmUp + 1, runs);
const cpu = process.cpuUsage(cpuBegun);
process.stdout.write(
  JSON.stringify({
    cpuMs: (cpu.user + cpu.system) / 1_000,
    wallMs: performance.now() - begun,
    events: events / runs,
    effects: effects / runs,
  }),
);
