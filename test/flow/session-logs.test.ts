import { expect, test } from 'vitest';
import { createLogFollower } from '../../src/flow/session-logs.ts';
import { createStore } from '../../src/flow/session-store.ts';
import { emptySnapshot, machine } from '../tui/fixtures/lab.ts';

const nas = machine('nas');
const web = machine('web');

const follower = () => {
  const clock = { now: () => Date.now(), elapsed: () => performance.now(), sleep: async () => {} };
  const store = createStore(emptySnapshot, clock);
  const followed: {
    readonly machine: string;
    readonly signal: AbortSignal;
    readonly onLine: (line: string) => void;
  }[] = [];
  const logs = createLogFollower(
    (at, options) => {
      followed.push({ machine: at.name, ...options });
      return new Promise((resolve) => options.signal.addEventListener('abort', () => resolve(null)));
    },
    store,
    clock.now,
  );
  return { store, logs, followed };
};

test('however many lines come, only the newest are kept and all are counted', async () => {
  const { store, logs, followed } = follower();
  logs.follow(nas, null);
  for (let index = 1; index <= 100_000; index += 1) followed[0]?.onLine(`line ${index}`);
  await expect.poll(() => store.snapshot().logs?.count).toBe(100_000);
  const kept = store.snapshot().logs?.lines ?? [];
  expect(kept).toHaveLength(5_000);
  expect(kept.at(-1)?.text).toBe('line 100000');
});

test('one machine at a time: following another leaves the first, whose late lines are not mixed in', async () => {
  const { store, logs, followed } = follower();
  logs.follow(nas, null);
  logs.follow(web, 'nginx.service');
  expect(followed[0]?.signal.aborted).toBe(true);
  followed[0]?.onLine('too late');
  followed[1]?.onLine('here');
  await expect.poll(() => store.snapshot().logs?.lines.map(({ text }) => text)).toEqual(['here']);
  expect(store.snapshot().logs).toMatchObject({ machine: 'web', unit: 'nginx.service', status: 'following' });
});

test('closing the session ends it', () => {
  const { store, logs, followed } = follower();
  logs.follow(nas, null);
  store.close();
  expect(followed[0]?.signal.aborted).toBe(true);
});
