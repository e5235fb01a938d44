import { describe, expect, test } from 'vitest';
import { atTimes } from '../../src/cli/at-times.ts';

/** The schedule of `lab daemon`: every hour here, on a clock that is set and a machine that is suspended. */

const hourMs = 3_600_000;
const start = Date.UTC(2026, 10, 21, 12, 30);
const full = (hour: number): number => Date.UTC(2026, 10, 21, hour);

/** What begins in which moment by the wall, until so many naps were taken. `after` happens at the end of a nap, by its number. */
const told = async (
  naps: number,
  after: Readonly<Record<number, (wall: { at: number }) => void>> = {},
  lastsMs = 0,
): Promise<readonly { readonly due: number; readonly at: number }[]> => {
  const wall = { at: start };
  const stop = new AbortController();
  const begun: { due: number; at: number }[] = [];
  let taken = 0;
  await atTimes(
    {
      next: () => (Math.floor(wall.at / hourMs) + 1) * hourMs,
      wall: () => wall.at,
      sleep: async (ms) => {
        taken += 1;
        wall.at += ms;
        after[taken]?.(wall);
        if (taken >= naps) stop.abort();
      },
      begin: async (due) => {
        begun.push({ due, at: wall.at });
        wall.at += lastsMs;
      },
    },
    stop.signal,
  );
  return begun;
};

describe('a schedule', () => {
  test('begins when it is due', async () => {
    expect(await told(100)).toEqual([{ due: full(13), at: full(13) }]);
  });

  test('leaves out what falls into the time that one takes', async () => {
    expect(await told(120, {}, 2.5 * hourMs)).toEqual([{ due: full(13), at: full(13) }]);
  });

  test('makes up, once, for what was missed by a machine that was suspended', async () => {
    const suspended = (wall: { at: number }): void => {
      wall.at = full(17) + 5_000;
    };
    expect(await told(100, { 10: suspended })).toEqual([{ due: full(13), at: full(17) + 5_000 }]);
  });

  test('goes on by a clock that was ahead by years and is set right', async () => {
    const begun = await told(100, {
      10: (wall) => {
        wall.at += 70 * 365 * 24 * hourMs;
      },
      12: (wall) => {
        wall.at -= 70 * 365 * 24 * hourMs;
      },
    });
    expect(begun.map(({ due }) => due)).toEqual([full(13), full(13)]);
    expect(begun.at(-1)?.at).toBe(full(13));
  });

  test('waits for its time again where the clock is set back', async () => {
    const back = (wall: { at: number }): void => {
      wall.at -= 2 * hourMs;
    };
    expect((await told(200, { 10: back }))[0]).toEqual({ due: full(11), at: full(11) });
  });
});
