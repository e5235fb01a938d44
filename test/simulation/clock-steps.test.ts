import { describe, expect, test } from 'vitest';
import { reportOf } from '../../src/run/report.ts';
import { type Plot, tell } from './story.ts';

/** Somebody, or NTP, sets the clock of the machine that runs lab while a run goes on. */

const hourMs = 3_600_000;
const cast = { box: {}, late: {} };

describe.each([
  ['an hour ahead', hourMs],
  ['an hour back', -hourMs],
  ['as by the first NTP answer of a board without a battery', 56 * 365 * 24 * hourMs],
  ['half a minute ahead', 30_000],
])('set %s', (_how, byMs) => {
  test('at any moment of a run: no wait ends early, none is longer, and nothing took less than no time', async () => {
    const sound = await tell(cast);
    const lastsMs = (sound.state.ended?.at ?? 0) - sound.startedAt;
    for (let atMs = 500; atMs < lastsMs; atMs += 1_700) {
      const told = await tell(cast, { clockSteps: [{ atMs, byMs }] });
      expect([told.became, told.done, told.rebootsAt], `${atMs} ms`).toEqual([
        sound.became,
        sound.done,
        sound.rebootsAt,
      ]);
      const report = reportOf(told.state);
      for (const { tookMs } of report?.machines ?? []) expect(tookMs).toBeGreaterThanOrEqual(0);
      expect((report?.endedAt ?? 0) - (report?.startedAt ?? 0)).toBeGreaterThanOrEqual(0);
    }
  });

  test('while a machine is away: it has its whole deadline, and no more', async () => {
    const lost = { box: { faults: [{ kind: 'never-comes-back' } as const] } };
    const endOf = async (plot: Plot): Promise<number> => {
      const { became, world, done } = await tell(lost, plot);
      expect([became.box, done.length]).toEqual(['failed: never-came-back', 2]);
      return world.tripsTo('box');
    };
    const trips = await endOf({});
    for (const atMs of [40_000, 60_000, 80_000])
      expect(await endOf({ clockSteps: [{ atMs, byMs }] }), `${atMs} ms`).toBe(trips);
  });
});
