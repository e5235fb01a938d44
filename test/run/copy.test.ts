import { describe, expect, test } from 'vitest';
import { fail, ok, type Result } from '../../src/failure.ts';
import type { Step } from '../../src/plan/plan.ts';
import type { Clock, Target } from '../../src/ports.ts';
import { copy, copyAgainForMs } from '../../src/run/copy.ts';
import type { PerformContext } from '../../src/run/step-context.ts';

const step = { id: 'box/copy', machine: 'box', kind: 'copy', toplevel: '/nix/store/x' } as Extract<
  Step,
  { kind: 'copy' }
>;

/** Performs a copy that gives these results one after the other, and the last one for ever. */
const copyWith = async (results: readonly Result<void>[]) => {
  let now = 0;
  let attempts = 0;
  const notes: string[] = [];
  const clock: Clock = {
    now: () => now,
    elapsed: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
  const target = {
    copy: async () => {
      attempts += 1;
      return results[Math.min(attempts, results.length) - 1] ?? ok(undefined);
    },
  } as unknown as Target;
  const context = {
    target,
    clock,
    entry: { machine: { name: 'box' } },
    signal: new AbortController().signal,
    note: (text: string) => void notes.push(text),
    ends: () => {},
    progress: () => {},
  } as unknown as PerformContext;
  return { outcome: await copy(step, context), attempts, notes, tookMs: now };
};
const broken = (kind: string): Result<void> =>
  fail({ kind, machine: 'box', phase: 'copy', message: 'the wire', remedy: 'look' });

describe('a copy', () => {
  test('that loses its connection is taken up again, and says so', async () => {
    const { outcome, attempts, notes } = await copyWith([
      broken('unreachable'),
      broken('connection-lost'),
      ok(undefined),
    ]);
    expect(outcome.kind).toBe('succeeded');
    expect(attempts).toBe(3);
    expect(notes).toEqual(Array(2).fill('connection lost, taken up again: the wire'));
  });

  test('to a machine that stays away ends after a while: the machine is skipped', async () => {
    const { outcome, tookMs } = await copyWith([broken('unreachable')]);
    expect(outcome).toMatchObject({ kind: 'skipped', reason: 'unreachable' });
    expect(tookMs).toBe(copyAgainForMs);
  });

  test('that keeps breaking while the machine is there is a failure', async () => {
    const { outcome } = await copyWith([broken('connection-lost')]);
    expect(outcome).toMatchObject({ kind: 'failed', failure: { kind: 'connection-lost' } });
  });

  test('that fails for another reason is not repeated', async () => {
    const { outcome, attempts } = await copyWith([broken('disk-full')]);
    expect(outcome).toMatchObject({ kind: 'failed', failure: { kind: 'disk-full' } });
    expect(attempts).toBe(1);
  });
});
