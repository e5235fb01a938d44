import { randomScenario } from '../test/simulation/random-scenario.ts';
import { simulate } from '../test/simulation/simulate.ts';

/**
 * One round of `simulation.ts`, in a process of its own: simulated runs of fleets of the given size, every rule
 * checked. Prints milliseconds of processor time as JSON. Arguments: machines, runs.
 */

const machines = Number(process.argv[2]);
const runs = Number(process.argv[3]);
/** As many as make the compiler settle. */
const warmUp = 400;
/** Simulations that share the turns of the event loop. */
const abreast = 16;

const simulateAll = async (from: number, count: number): Promise<readonly string[]> => {
  const journals: string[] = [];
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < from + count) {
      const { events } = await simulate(randomScenario(next++, machines));
      journals.push(JSON.stringify(events));
    }
  };
  await Promise.all(Array.from({ length: abreast }, lane));
  return journals;
};

const cpuMsOf = async <T>(work: () => Promise<T>): Promise<readonly [T, number]> => {
  const begun = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(begun);
  return [value, (user + system) / 1_000];
};

const roundTrip = async (journals: readonly string[]): Promise<void> => {
  for (const journal of journals)
    if (JSON.stringify(JSON.parse(journal)).length !== journal.length)
      throw new Error('the round trip lost something');
};

await roundTrip(await simulateAll(1, warmUp));
const [journals, runsMs] = await cpuMsOf(() => simulateAll(warmUp + 1, runs));
const [, roundTripMs] = await cpuMsOf(() => roundTrip(journals));
const bytes = journals.reduce((sum, journal) => sum + journal.length, 0);
process.stdout.write(JSON.stringify({ runsMs, roundTripMs, bytes }));
