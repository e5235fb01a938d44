import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { fail, ok } from '../../src/failure.ts';
import { emptySnapshot } from '../../src/flow/empty-snapshot.ts';
import { closureKey, createClosureComparer } from '../../src/flow/session-closures.ts';
import { createStore } from '../../src/flow/session-store.ts';
import type { Closures } from '../../src/ports.ts';
import { seedSnapshot, toplevelPath } from '../tui/fixtures/lab.ts';

/** When differences of closures are read, and when not. */

const [old, wanted] = [toplevelPath('grey-area', '26.11.1'), toplevelPath('grey-area', '26.11.2')];
const key = closureKey(old, wanted);

const comparer = (closures: Partial<Closures>, first = seedSnapshot) => {
  const store = createStore(first, systemClock);
  const absent = async () =>
    fail({ kind: 'not-here', machine: null, phase: 'closure', message: 'not here', remedy: '' });
  return { store, ...createClosureComparer({ here: absent, on: absent, ...closures }, systemClock, store) };
};

test('nothing is read before somebody looks, and then once', async () => {
  const asked: string[] = [];
  const { store, look, leave } = comparer({
    here: async (toplevel) => {
      asked.push(toplevel);
      return ok([{ path: toplevel, bytes: 1 }]);
    },
  });
  store.change({ messages: [] });
  expect(asked).toEqual([]);
  look('grey-area');
  await expect.poll(() => store.snapshot().closureDiffs.get(key)?.value).toBeTruthy();
  leave();
  look('grey-area');
  expect(asked).toEqual([wanted, old]);
  store.close();
});

test('leaving gives up what is being read, and leaves nothing behind', async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const { store, look, leave } = comparer({
    here: (_toplevel, { signal }) =>
      new Promise((resolve) => {
        signals.push(signal);
        signal?.addEventListener('abort', () =>
          resolve(
            fail({ kind: 'cancelled', machine: null, phase: 'closure', message: 'given up', remedy: '' }),
          ),
        );
      }),
  });
  look('grey-area');
  expect(store.snapshot().closureDiffs.get(key)).toMatchObject({ refreshing: true, value: null });
  leave();
  expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
  await expect.poll(() => store.snapshot().closureDiffs.size).toBe(0);
  store.close();
});

test('what comes to be known while somebody looks is compared then; what failed is tried anew at the next look', async () => {
  let tries = 0;
  const { store, look } = comparer(
    {
      here: async () => {
        tries += 1;
        return fail({
          kind: 'disk',
          machine: null,
          phase: 'closure',
          message: 'the store is gone',
          remedy: '',
        });
      },
    },
    emptySnapshot('/lab', false, 0),
  );
  look('grey-area');
  expect(tries).toBe(0);
  const { evaluation, observations, toplevels } = seedSnapshot;
  store.change({ evaluation, observations, toplevels });
  await expect.poll(() => store.snapshot().closureDiffs.get(key)?.failure?.kind).toBe('disk');
  store.change({ messages: [] });
  expect(tries).toBe(1);
  look('grey-area');
  await expect.poll(() => tries).toBe(2);
  store.close();
});
