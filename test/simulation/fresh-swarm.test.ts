import { expect, test } from 'vitest';
import { simulateSeed } from './haul.ts';
import { simulateTwo } from './two-orchestrators.ts';
import { randomTwo } from './two-scenarios.ts';

/**
 * Seeds that nobody has tried yet, for a while: others each time. `LAB_SWARM_SEED=…` begins with that seed instead, and
 * `LAB_SWARM_MS=…` goes on for so long. What it finds gets a story, for this finds it only once.
 */
const boxMs = Number(process.env.LAB_SWARM_MS ?? 8_000);
const pinned = process.env.LAB_SWARM_SEED;
const first = pinned === undefined ? Math.floor(Math.random() * 2 ** 40) : Number(pinned);
/** Beside as many runs alone, one of two orchestrators. */
const aloneEach = 8;

test(
  `seeds from ${first} on break no rule for ${boxMs / 1_000} s`,
  async () => {
    expect(
      [first, boxMs].every(Number.isSafeInteger),
      'LAB_SWARM_SEED and LAB_SWARM_MS are whole numbers',
    ).toBe(true);
    const until = performance.now() + boxMs;
    let tried = 0;
    const tryOne = async (
      option: 'seed' | 'two',
      seed: number,
      run: () => Promise<unknown>,
    ): Promise<void> => {
      tried += 1;
      try {
        await run();
      } catch (error) {
        throw new Error(
          `seed ${seed} broke a rule. Replay: npm run sim -- --${option} ${seed}; the swarm from there on: LAB_SWARM_SEED=${seed}`,
          { cause: error },
        );
      }
    };
    for (let seed = first; tried === 0 || performance.now() < until; seed += 1) {
      await tryOne('seed', seed, () => simulateSeed(seed));
      if (seed % aloneEach === 0) await tryOne('two', seed, () => simulateTwo(randomTwo(seed)));
    }
    // What is not told cannot be missed: a swarm that has come to nothing would be green as well.
    process.stdout.write(`fresh swarm: ${tried} runs from seed ${first} on\n`);
  },
  boxMs + 180_000,
);
