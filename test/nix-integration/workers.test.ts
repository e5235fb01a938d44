import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunkSize } from '../../src/nix-integration/apply.ts';
import { createPool, evaluationEnv, workerCount } from '../../src/nix-integration/workers.ts';

const resources = (cores: number, gigabytes: number) => ({ cores, freeMemoryBytes: () => gigabytes * 1e9 });

test('as many processes as cores and memory bear, at least one and at most four', () => {
  expect(workerCount(resources(1, 64))).toBe(1);
  expect(workerCount(resources(2, 64))).toBe(2);
  expect(workerCount(resources(64, 64))).toBe(4);
  expect(workerCount(resources(8, 1.7))).toBe(2);
  expect(workerCount(resources(8, 0.2))).toBe(1);
});

test('the collector begins with a large heap only where memory is plenty', () => {
  expect(evaluationEnv(resources(2, 8))).toEqual({ GC_INITIAL_HEAP_SIZE: '1G' });
  expect(evaluationEnv(resources(2, 1))).toEqual({});
});

test('a small fleet is one chunk, a large one has chunks of fifty', () => {
  expect(chunkSize(3, 2)).toBe(4);
  expect(chunkSize(20, 2)).toBe(10);
  expect(chunkSize(21, 2)).toBe(11);
  expect(chunkSize(500, 2)).toBe(50);
});

test('a pool runs every job once, also those that jobs add, and never more at a time than it may', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }),
      async (workers, children) => {
        const pool = createPool(workers);
        let running = 0;
        let most = 0;
        let done = 0;
        const job = (more: number) => async () => {
          running += 1;
          most = Math.max(most, running);
          await Promise.resolve();
          pool.add(Array.from({ length: more }, () => job(0)));
          await Promise.resolve();
          running -= 1;
          done += 1;
        };
        pool.add(children.map(job));
        await pool.idle();
        expect(done).toBe(children.length + children.reduce((sum, more) => sum + more, 0));
        expect(most).toBeLessThanOrEqual(workers);
      },
    ),
  );
});
