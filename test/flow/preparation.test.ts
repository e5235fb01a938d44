import { expect, test } from 'vitest';
import { ok } from '../../src/failure.ts';
import { createPreparations } from '../../src/flow/preparation.ts';
import type { OnProgress } from '../../src/ports.ts';
import type { EventBody } from '../../src/run/event.ts';
import { createVirtualClock } from '../../src/sim/clock.ts';

/** What Nix says by the thousand becomes a few notes, and nothing that matters is lost. */

const never = new AbortController().signal;
const amounts = [{ of: 'builds', done: 1, all: 9 }] as const;

const notesOf = async (
  script: (
    say: OnProgress,
    wait: (ms: number) => Promise<void>,
    setWall: (byMs: number) => void,
  ) => Promise<void>,
): Promise<readonly EventBody[]> => {
  const time = createVirtualClock(0);
  const { clock: steady } = time.process();
  let steppedMs = 0;
  const clock = { ...steady, now: () => steady.now() + steppedMs };
  const written: EventBody[] = [];
  const prepare = createPreparations((body) => void written.push(body), clock, never);
  const work = prepare('build', async ({ onProgress }) => {
    await clock.sleep(1_000);
    await script(
      onProgress ?? (() => {}),
      (ms) => clock.sleep(ms),
      (byMs) => {
        steppedMs += byMs;
      },
    );
    return ok({ value: null, note: 'done' });
  });
  await time.run(work, { until: 1_000_000, turnsMax: 10_000 });
  await time.run(clock.sleep(10_000), { until: 1_000_000, turnsMax: 10_000 });
  return written;
};
const lines = (bodies: readonly EventBody[]): readonly string[] =>
  bodies.flatMap((body) => (body.kind === 'preparation-noted' ? [body.note] : []));

test('lines that come at once are thinned out, but the newest is noted when its time has come', async () => {
  const written = await notesOf(async (say, wait) => {
    say('one');
    say('two');
    say('three', { amounts, built: [] });
    await wait(10_000);
    say('four');
    await wait(1);
    say('five');
  });
  expect(lines(written)).toEqual(['one', 'three', 'four']);
  expect(written).toContainEqual({ kind: 'preparation-noted', work: 'build', note: 'three', amounts });
  // What waited when the work ended is told by its end.
  expect(written.at(-1)).toMatchObject({ kind: 'preparation-finished', note: 'done' });
});

test('a note that cannot be written gives the work up, and is told by it: nobody catches it where a program speaks', async () => {
  const time = createVirtualClock(0);
  const { clock } = time.process();
  const full = new Error('no room');
  let given: AbortSignal | undefined;
  const prepare = createPreparations(
    ({ kind }) => {
      if (kind === 'preparation-noted') throw full;
    },
    clock,
    never,
  );
  for (const lines of [['at once'], ['at once', 'a moment later']]) {
    const work = prepare('build', async ({ onProgress, signal }) => {
      given = signal;
      for (const line of lines) onProgress?.(line);
      await clock.sleep(60_000, signal);
      return ok({ value: null, note: 'done' });
    });
    const told = work.then(
      () => null,
      (error: unknown) => error,
    );
    await time.run(told, { until: 1_000_000, turnsMax: 10_000 });
    expect(await told).toBe(full);
    expect(given?.aborted).toBe(true);
  }
});

test('a clock that is set back an hour keeps nothing back', async () => {
  const written = await notesOf(async (say, wait, setWall) => {
    say('one');
    setWall(-3_600_000);
    say('two');
    await wait(10_000);
    say('three');
  });
  expect(lines(written)).toEqual(['one', 'two', 'three']);
});

test('a system that is built is noted whatever came before it', async () => {
  const written = await notesOf(async (say) => {
    say('one');
    say('built the system of nas', { amounts: [], built: ['nas'] });
    say('built the system of web', { amounts: [], built: ['web'] });
  });
  expect(written.flatMap((body) => (body.kind === 'preparation-noted' ? (body.built ?? []) : []))).toEqual([
    'nas',
    'web',
  ]);
});
