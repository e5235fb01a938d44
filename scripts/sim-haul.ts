import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Hauled, haul, type Stretch } from '../test/simulation/haul.ts';

/** Many seeds, on as many threads as asked for, with a line that tells how far it is. */

export type HaulOptions = {
  readonly from: number;
  readonly runs: number;
  readonly size: number | null;
  /** Two orchestrators over each fleet. */
  readonly both: boolean;
  readonly workers: number;
  /** Broken seeds after which it gives up. */
  readonly brokenMax: number;
  readonly onBroken: (seed: number, why: string) => void;
};

/** Small enough that progress is told and threads end together; large enough that handing them out costs nothing. */
const stretchLength = 250;
const progressPauseMs = process.stderr.isTTY ? 1_000 : 60_000;
const young = { maxYoungGenerationSizeMb: 96 };

type Hand = { readonly work: (stretch: Stretch) => Promise<Hauled>; readonly close: () => Promise<unknown> };

const ownHand = (brokenMax: number): Hand => ({
  work: (stretch) => haul(stretch, brokenMax),
  close: async () => {},
});
const threadHand = (brokenMax: number): Hand => {
  const worker = new Worker(new URL('../test/simulation/haul-worker.ts', import.meta.url), {
    resourceLimits: young,
  });
  return {
    work: async (stretch) => {
      worker.postMessage({ stretch, brokenMax });
      const [hauled] = await once(worker, 'message');
      return hauled as Hauled;
    },
    close: () => worker.terminate(),
  };
};

const minutes = (ms: number): string => `${Math.ceil(ms / 60_000)} min`;

/** True when no seed broke a rule. */
export const haulAll = async (options: HaulOptions): Promise<boolean> => {
  const { from, runs, size, both, workers, brokenMax, onBroken } = options;
  const begun = performance.now();
  const cpuBegun = process.cpuUsage();
  const results = new Map<string, number>();
  let next = from;
  let done = 0;
  let broken = 0;
  let toldAt = begun;
  const rate = (): number => done / ((performance.now() - begun) / 1_000);
  const tell = (): void => {
    if (performance.now() - toldAt < progressPauseMs) return;
    toldAt = performance.now();
    const left = minutes(((runs - done) / rate()) * 1_000);
    const line = `${done} of ${runs} runs, ${Math.round(rate())} a second, ${broken} broken, ${left} left`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  };
  const haulWith = async ({ work, close }: Hand): Promise<void> => {
    while (next < from + runs && broken < brokenMax) {
      const count = Math.min(stretchLength, from + runs - next);
      const stretch = { from: next, count, size, both };
      next += count;
      const hauled = await work(stretch);
      for (const [result, number] of Object.entries(hauled.results)) {
        results.set(result, (results.get(result) ?? 0) + number);
        done += number;
      }
      for (const { seed, why } of hauled.broken) {
        broken += 1;
        onBroken(seed, why);
      }
      tell();
    }
    await close();
  };
  await Promise.all(
    Array.from({ length: workers }, () =>
      haulWith(workers === 1 ? ownHand(brokenMax) : threadHand(brokenMax)),
    ),
  );
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  const { user, system } = process.cpuUsage(cpuBegun);
  const summary = [...results].map(([result, number]) => `${number} ${result}`).join(', ');
  process.stdout.write(
    `${done} runs (${summary}) in ${((performance.now() - begun) / 1_000).toFixed(1)} s: ${Math.round((done / (user + system)) * 1e6)} runs per second and core\n`,
  );
  return broken === 0;
};
