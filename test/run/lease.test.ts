import { expect, test } from 'vitest';
import type { Step } from '../../src/plan/plan.ts';
import type { Lease, LeaseAnswer, LeaseRequest, Target } from '../../src/ports.ts';
import { underLease } from '../../src/run/lease.ts';
import { type PerformContext, succeeded } from '../../src/run/step-context.ts';

const step = { id: 'box/preflight', machine: 'box', kind: 'preflight' } as Step;
const left: Lease = { state: 'held', run: 'dead', owner: 'amy@desk', leftMs: 500_000 };

/** A preflight on a machine that answers so to what is asked about its lease. */
const preflightWith = async (answers: Partial<Record<LeaseRequest['ask'], LeaseAnswer>>) => {
  const target = {
    lease: async (_machine: unknown, { ask }: LeaseRequest) => answers[ask] ?? { kind: 'held' },
  } as unknown as Target;
  const context = {
    target,
    state: { run: 'ours', by: { user: 'amy', host: 'desk' } },
    entry: { machine: { name: 'box' } },
    signal: new AbortController().signal,
    note: () => {},
    ends: () => {},
    isOver: () => true,
  } as unknown as PerformContext;
  return underLease(step, context, async () => succeeded('looked'));
};

test('a record of a run that is over, which cannot be written anew: what stands in the way is told, not that run', async () => {
  const outcome = await preflightWith({
    take: { kind: 'taken', by: left },
    break: {
      kind: 'unknown',
      message: '/var/lib/lab/lease cannot be written: Read-only file system',
      error: null,
    },
  });
  expect(outcome).toMatchObject({
    kind: 'failed',
    failure: {
      kind: 'lease-unknown',
      message: 'its lease could not be had: /var/lib/lab/lease cannot be written: Read-only file system',
    },
  });
});

test('a lease that somebody else has taken meanwhile is theirs', async () => {
  const theirs: LeaseAnswer = { kind: 'taken', by: { ...left, run: 'theirs' } };
  const outcome = await preflightWith({ take: theirs, break: theirs });
  expect(outcome).toMatchObject({ kind: 'skipped', reason: 'blocked', failure: { kind: 'leased' } });
});
