import { expect, test } from 'vitest';
import type { Step } from '../../src/plan/plan.ts';
import type { Lease, LeaseAnswer, LeaseRequest, Target } from '../../src/ports.ts';
import type { StepOutcome } from '../../src/run/event.ts';
import { fenced, underLease } from '../../src/run/lease.ts';
import { failed, failureAt, type PerformContext, succeeded } from '../../src/run/step-context.ts';

const step = { id: 'box/preflight', machine: 'box', kind: 'preflight' } as Step;
const left: Lease = { state: 'held', run: 'dead', owner: 'amy@desk', leftMs: 500_000 };

/** A preflight on a machine that answers so to what is asked about its lease. */
const preflightWith = async (
  answers: Partial<Record<LeaseRequest['ask'], LeaseAnswer | (() => LeaseAnswer)>>,
  look = async (): Promise<StepOutcome> => succeeded('looked'),
) => {
  const target = {
    lease: async (_machine: unknown, { ask }: LeaseRequest) => {
      const answer = answers[ask] ?? { kind: 'held' };
      return typeof answer === 'function' ? answer() : answer;
    },
  } as unknown as Target;
  const context = {
    target,
    state: { run: 'ours', by: { user: 'amy', host: 'desk' } },
    entry: { machine: { name: 'box' } },
    clock: { sleep: async () => {} },
    signal: new AbortController().signal,
    stoodStill: () => false,
    note: () => {},
    ends: () => {},
    isOver: (run: string) => run !== 'ours',
  } as unknown as PerformContext;
  return underLease(step, context, look);
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

const asNas: Lease = { state: 'held', run: 'ours', owner: 'amy@desk', machine: 'nas', leftMs: 500_000 };

test('a machine that the run has as another one already is not touched, and the failure says where its address leads', async () => {
  const outcome = await preflightWith({ take: { kind: 'taken', by: asNas } });
  expect(outcome).toMatchObject({
    kind: 'failed',
    failure: {
      kind: 'another-machine',
      message: 'not touched: what answers for box is nas, for this run has its lease as that',
      remedy:
        'see where `lab ssh box` leads, and correct its address (lab.machine.ssh.host, ssh_config, DNS)',
    },
  });
});

test('what the look at such a machine finds tells more', async () => {
  const outcome = await preflightWith({ take: { kind: 'taken', by: asNas } }, async () =>
    failed(failureAt(step, 'another-machine', 'it says that its host name is nas', 'see')),
  );
  expect(outcome).toMatchObject({ failure: { message: 'it says that its host name is nas' } });
});

test('one that another machine’s preflight had by mistake for a moment is waited for', async () => {
  let asked = 0;
  const outcome = await preflightWith({
    take: () => {
      asked += 1;
      return asked === 1 ? { kind: 'taken', by: asNas } : { kind: 'held' };
    },
  });
  expect(outcome).toMatchObject({ kind: 'succeeded' });
  expect(asked).toBe(2);
});

test('an act that is refused there is no lost lease, but one on another machine; another run’s name for it is not ours', () => {
  expect(fenced(step, asNas, 'not activated', { run: 'ours' })).toMatchObject({
    failure: { kind: 'another-machine', message: expect.stringMatching(/^not activated: .* box is nas/u) },
  });
  expect(fenced(step, { ...asNas, run: 'theirs' }, 'not activated', { run: 'ours' })).toMatchObject({
    failure: { kind: 'lease-lost' },
  });
});
