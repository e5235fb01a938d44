import { simulateSeed } from '../test/simulation/haul.ts';

/**
 * One round of `simulation.ts`, in a process of its own: simulated runs of fleets of the given size on one thread, every
 * rule checked. Prints milliseconds of processor time, all threads of V8 included, as JSON. Arguments: machines, runs.
 */

const machines = Number(process.argv[2]);
const runs = Number(process.argv[3]);
/** As many as make the compiler settle, of other seeds than those that are measured: a long haul is nearly all of that. */
const warmUp = 15 * runs;

const cpuMsOf = async (work: () => Promise<void>): Promise<number> => {
  const begun = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1_000;
};

/** As many journals as runs are measured. */
const journals: string[] = [];
for (let seed = 1; seed <= warmUp; seed += 1) {
  const { events } = await simulateSeed(seed, machines);
  if (seed <= runs) journals.push(JSON.stringify(events));
}

const roundTrip = async (): Promise<void> => {
  for (const journal of journals)
    if (JSON.stringify(JSON.parse(journal)).length !== journal.length)
      throw new Error('the round trip lost something');
};

await roundTrip();
const roundTripMs = await cpuMsOf(roundTrip);
const runsMs = await cpuMsOf(async () => {
  for (let seed = warmUp + 1; seed <= warmUp + runs; seed += 1) await simulateSeed(seed, machines);
});
const bytes = journals.reduce((sum, journal) => sum + journal.length, 0);
process.stdout.write(JSON.stringify({ runsMs, roundTripMs, bytes }));
