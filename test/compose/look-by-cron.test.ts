import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { lookByCron } from '../../src/compose/look-by-cron.ts';
import type { LookExpressions } from '../../src/compose/look-schedule.ts';

/** Times of looking, as the configuration names them while the screen is open. */

const never = '0 0 0 1 1 *';
const everySecond = '* * * * * *';

const schedule = (first: LookExpressions) => {
  const listeners = new Set<(times: LookExpressions) => void>();
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  return {
    look: lookByCron({
      first,
      watch: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    }),
    change: (times: LookExpressions): void => {
      for (const listener of listeners) listener(times);
    },
    listening: () => listeners.size,
    closing,
  };
};

test('other times hold as soon as they are named, and nothing is looked at by the old ones', async () => {
  const { look, change, closing, listening } = schedule({ observe: never, probe: everySecond });
  const seen = { observe: 0, probe: 0 };
  for (const what of ['observe', 'probe'] as const)
    look(
      what,
      async () => {
        seen[what] += 1;
      },
      closing.signal,
    );
  await expect.poll(() => seen.probe).toBeGreaterThan(0);
  expect(seen.observe).toBe(0);
  change({ observe: everySecond, probe: never });
  const probed = seen.probe;
  await expect.poll(() => seen.observe).toBeGreaterThan(1);
  expect(seen.probe).toBe(probed);
  closing.abort();
  expect(listening()).toBe(0);
});

test('a look that takes longer than its times is not begun twice, by other times neither', async () => {
  const { look, change, closing } = schedule({ observe: everySecond, probe: never });
  let begun = 0;
  const over = Promise.withResolvers<void>();
  look(
    'observe',
    async () => {
      begun += 1;
      await over.promise;
    },
    closing.signal,
  );
  await expect.poll(() => begun).toBe(1);
  let others = 0;
  look(
    'probe',
    async () => {
      others += 1;
    },
    closing.signal,
  );
  change({ observe: '*/1 * * * * *', probe: everySecond });
  await expect.poll(() => others).toBeGreaterThan(1);
  expect(begun).toBe(1);
  over.resolve();
  await expect.poll(() => begun).toBeGreaterThan(1);
});

test('one that comes too late says nothing, for it would be written across the screen', async () => {
  const written = vi.spyOn(console, 'warn').mockImplementation(() => {});
  onTestFinished(() => written.mockRestore());
  const { look, closing } = schedule({ observe: everySecond, probe: never });
  let looks = 0;
  const count = async (): Promise<void> => {
    looks += 1;
  };
  look('observe', count, closing.signal);
  await expect.poll(() => looks).toBe(1);
  // This process stands still for longer than a time of looking may be late.
  const until = performance.now() + 2_500;
  while (performance.now() < until);
  await sleep(10);
  await expect.poll(() => looks).toBeGreaterThan(1);
  expect(written).not.toHaveBeenCalled();
});
