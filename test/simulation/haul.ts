import { setImmediate } from 'node:timers/promises';
import { randomScenario } from './random-scenario.ts';
import { type Simulated, simulate } from './simulate.ts';
import { simulateTwo } from './two-orchestrators.ts';
import { randomTwo } from './two-scenarios.ts';

/** A stretch of seeds, and what became of them. */
export type Stretch = {
  readonly from: number;
  readonly count: number;
  /** Machines of each fleet, or null for as many as the seed says. */
  readonly size: number | null;
  /** Two orchestrators over each fleet. */
  readonly both: boolean;
};
export type Hauled = {
  readonly results: Readonly<Record<string, number>>;
  readonly broken: readonly { readonly seed: number; readonly why: string }[];
};

export const whyBroken = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** Reading a journal as it is on disk costs as much as the run itself. */
const readsJournalEach = 256;

/** The run of one seed among many. */
export const simulateSeed = (seed: number, size?: number): Promise<Simulated> =>
  simulate(randomScenario(seed, size), { readsJournal: seed % readsJournalEach === 0 });

/** How the run of a seed ended; `none`: nobody took it up again. */
const one = async (seed: number, size: number | null): Promise<string> =>
  (await simulateSeed(seed, size ?? undefined)).state.ended?.result ?? 'none';
const two = async (seed: number): Promise<string> => {
  const { first, second } = await simulateTwo(randomTwo(seed));
  return [first, second].map(({ state }) => state.ended?.result ?? 'none').join(' and ');
};

/** Runs from one turn of the event loop to the next: some hundredths of a second. */
const turnEach = 32;

/** Simulates them all, one after the other; gives up once so many have broken a rule. */
export const haul = async ({ from, count, size, both }: Stretch, brokenMax: number): Promise<Hauled> => {
  const results: Record<string, number> = {};
  const broken: { seed: number; why: string }[] = [];
  for (let seed = from; seed < from + count && broken.length < brokenMax; seed += 1) {
    let result = 'BROKEN';
    try {
      result = await (both ? two(seed) : one(seed, size));
    } catch (error) {
      broken.push({ seed, why: whyBroken(error) });
    }
    results[result] = (results[result] ?? 0) + 1;
    // A simulation waits for nothing that is not its own: signals and messages have their turn in between.
    if (seed % turnEach === 0) await setImmediate();
  }
  return { results, broken };
};
