import { describe, expect, test } from 'vitest';
import { createVirtualClock, Deadlock, EndlessRun } from '../../src/sim/clock.ts';
import { createScaledClock } from '../../src/sim/scaled-clock.ts';

const limits = { until: 1_000_000, turnsMax: 1_000 };

describe.each([
  ['at once', undefined],
  ['turn by turn', null],
])('virtual time, where promises are settled %s', (_how, settleAll) => {
  test('passes only when nothing else can happen, and then at once', async () => {
    const time = createVirtualClock(1_000, settleAll);
    const { clock } = time.process();
    const seen: string[] = [];
    const nap = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      seen.push(`${name} ${clock.now()}`);
    };
    const work = Promise.all([nap('long', 3_600), nap('short', 10), nap('none', 0)]);
    await Promise.resolve();
    expect(seen).toEqual([]);
    await time.run(work, limits);
    expect(seen).toEqual(['none 1000', 'short 1010', 'long 4600']);
  });

  test('wakes equals in the order in which they went to sleep', async () => {
    const time = createVirtualClock(0, settleAll);
    const { clock } = time.process();
    const woken: number[] = [];
    await time.run(
      Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          await clock.sleep(index % 2 === 0 ? 5 : 3);
          woken.push(index);
        }),
      ),
      limits,
    );
    const odd = Array.from({ length: 25 }, (_, index) => 2 * index + 1);
    expect(woken).toEqual([...odd, ...odd.map((index) => index - 1)]);
  });

  test('a sleep ends early when its signal aborts, and time does not jump to where it would have ended', async () => {
    const time = createVirtualClock(0, settleAll);
    const { clock } = time.process();
    const abort = new AbortController();
    time.schedule(40, () => abort.abort());
    await time.run(Promise.all([clock.sleep(1_000, abort.signal), clock.sleep(2_000, abort.signal)]), limits);
    expect(time.now()).toBe(40);
    await time.run(clock.sleep(500, abort.signal), limits);
    expect(time.now()).toBe(40);
  });

  test('a killed process never wakes', async () => {
    const time = createVirtualClock(0, settleAll);
    const [dead, alive] = [time.process(), time.process()];
    let woken = false;
    void dead.clock.sleep(10).then(() => {
      woken = true;
    });
    dead.kill();
    void dead.clock.sleep(0).then(() => {
      woken = true;
    });
    await time.run(alive.clock.sleep(100), limits);
    expect(woken).toBe(false);
  });

  test('work that waits for nothing that will come is a deadlock, not a hang', async () => {
    const time = createVirtualClock(0, settleAll);
    await expect(time.run(new Promise(() => {}), limits)).rejects.toThrow(Deadlock);
  });

  test('work that never ends is found out, by time and by turns', async () => {
    const forever = async (ms: number): Promise<never> => {
      for (;;) await clock.sleep(ms);
    };
    const time = createVirtualClock(0, settleAll);
    const { clock } = time.process();
    await expect(time.run(forever(10_000), limits)).rejects.toThrow(/beyond every deadline/u);
    await expect(time.run(forever(0), limits)).rejects.toThrow(EndlessRun);
  });

  test('what the work throws comes out', async () => {
    const time = createVirtualClock(0, settleAll);
    await expect(time.run(Promise.reject(new Error('so it is')), limits)).rejects.toThrow('so it is');
  });
});

test('a scaled clock runs ahead of the one it is given', async () => {
  const time = createVirtualClock(1_000);
  const fast = createScaledClock(time.process().clock, 10);
  expect(fast.now()).toBe(1_000);
  await time.run(fast.sleep(5_000), limits);
  expect(time.now()).toBe(1_500);
  expect(fast.now()).toBe(6_000);
});
