import { expect, test } from 'vitest';
import { ok } from '../../src/failure.ts';
import { conduct } from '../../src/flow/conduct.ts';
import type { RunEvent } from '../../src/run/event.ts';
import { progressOf, type RunState } from '../../src/run/state.ts';
import { createVirtualClock } from '../../src/sim/clock.ts';
import { createDemoWorld, demoPace } from '../../src/sim/demo.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';

const startAt = Date.UTC(2026, 4, 24, 20);

/** The demo's whole flow in virtual time. */
const runDemo = async (seed: number): Promise<{ state: RunState; events: RunEvent[]; tookMs: number }> => {
  const time = createVirtualClock(startAt);
  const { clock } = time.process();
  const world = createDemoWorld({ seed, speed: 1, clock });
  const events: RunEvent[] = [];
  const never = new AbortController().signal;
  const conducted = await time.run(
    conduct(
      {
        ...world,
        journal: createMemoryJournal(time.now),
        lock: () => ok({ release: () => {} }),
        by: { user: 'demo', host: 'demo', pid: 1, via: 'demo' },
        labVersion: 'test',
      },
      {
        goal: { kind: 'run', update: true },
        selectors: [],
        approve: async () => 'answered',
        onEvent: (event) => events.push(event),
        stop: never,
        abort: never,
      },
    ),
    { until: startAt + 86_400_000, turnsMax: 100_000 },
  );
  if (!conducted.ok) throw new Error(conducted.failure.message);
  return { state: conducted.value, events, tookMs: time.now() - startAt };
};

const statuses = (state: RunState): Record<string, string> =>
  Object.fromEntries(
    (state.plan?.machines ?? []).map((entry) => [entry.machine.name, progressOf(state, entry).status]),
  );

test('the demo updates, deploys and reboots its lab, all but the laptop that is away', async () => {
  const { state } = await runDemo(1);
  expect(state.ended).toMatchObject({ result: 'done' });
  expect(statuses(state)).toEqual({
    'sleeper-service': 'done',
    'grey-area': 'done',
    'reverse-proxy': 'done',
    'lightly-seared': 'done',
    'little-rascal': 'done',
    'congenital-optimist': 'done',
    'killing-time': 'skipped',
  });
});

test('the demo shows every way to be rebooted or not', async () => {
  const { state } = await runDemo(1);
  const rebooted = new Map(
    (state.plan?.machines ?? []).map((entry) => [entry.machine.name, entry.reboot?.why ?? []]),
  );
  expect(rebooted.get('sleeper-service')).toContain('kernel 6.12.40 → 6.12.43');
  expect(rebooted.get('lightly-seared')).toContain('kernel 6.12.34 → 6.12.43');
  expect(rebooted.get('little-rascal')).toEqual(['strategy recreate boots into the new generation']);
  expect(rebooted.get('congenital-optimist')).toEqual([]);
});

test('the whole demo takes about a minute to watch', async () => {
  const { tookMs } = await runDemo(1);
  const watchedSeconds = tookMs / demoPace / 1_000;
  expect(watchedSeconds).toBeGreaterThan(50);
  expect(watchedSeconds).toBeLessThan(95);
});

test('the same seed shows the same demo', async () => {
  const bodies = (events: readonly RunEvent[]): string =>
    JSON.stringify(events.map(({ at, body }) => [at, body]));
  expect(bodies((await runDemo(3)).events)).toEqual(bodies((await runDemo(3)).events));
  expect(bodies((await runDemo(3)).events)).not.toEqual(bodies((await runDemo(4)).events));
});
