import { expect, test } from 'vitest';
import type { Observation, Target } from '../../src/ports.ts';
import { type PerformContext, see } from '../../src/run/step-context.ts';
import { leapingClock } from '../remote/clocks.ts';

const toplevel = '/nix/store/00000000000000000000000000000000-nixos-system-box';
type Shown = { readonly current: string | null; readonly profile: string | null } | 'away';

/** Looks at a machine that shows this, look by look; the last for ever. */
const seeing = async (...shown: readonly Shown[]) => {
  const clock = leapingClock();
  let looks = 0;
  const target = {
    observe: async () => {
      const now = shown[Math.min(looks, shown.length - 1)];
      looks += 1;
      return now === 'away'
        ? { kind: 'unreachable', error: { retryable: true, message: 'gone' } }
        : ({ kind: 'reachable', ...now } as Observation);
    },
  } as unknown as Target;
  const context = { target, clock, entry: {}, signal: new AbortController().signal };
  return { seen: await see(context as unknown as PerformContext, 30_000), looks };
};

test('a machine that somebody reboots shows less and less: it is looked at until it is back', async () => {
  const whole = { current: toplevel, profile: toplevel };
  const { seen } = await seeing({ current: toplevel, profile: null }, 'away', 'away', whole);
  expect(seen).toMatchObject({ kind: 'reachable', ...whole });
});

test('one that has lost what it would boot is not looked at for ever', async () => {
  const half = { current: toplevel, profile: null };
  const { seen, looks } = await seeing(half);
  expect(seen).toMatchObject({ kind: 'reachable', ...half });
  expect(looks).toBe(11);
});
