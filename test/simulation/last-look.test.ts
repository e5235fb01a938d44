import { describe, expect, test } from 'vitest';
import { reportOf } from '../../src/run/report.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { tell } from './story.ts';

/** A run looks at its machines once more before it says how they are. */

const illAt = (atMs: number, forMs: number | null = null): Fault => ({ kind: 'falls-ill', atMs, forMs });
const asWanted = { runs: { booted: 'new', current: 'new', profile: 'new' } } as const;

const reported = (state: Awaited<ReturnType<typeof tell>>['state']) => {
  const report = reportOf(state);
  return {
    exitCode: report?.exitCode,
    machines: Object.fromEntries(
      (report?.machines ?? []).map(({ machine, atEnd, summary }) => [
        machine,
        `${atEnd?.verdict ?? 'not looked at'}: ${summary}`,
      ]),
    ),
  };
};

describe('a run that has nothing to do', () => {
  test('looks at its machines all the same, and says that they are well', async () => {
    const { result, reason, state } = await tell({ box: asWanted });
    expect([result, reason]).toEqual(['done', 'every machine is as planned']);
    expect(reported(state)).toEqual({
      exitCode: 0,
      machines: { box: 'well: already runs what the flake wants, healthy' },
    });
  });

  test('names a machine that is ill, and is done: it was so before, and nothing was to be done', async () => {
    const { result, reason, state } = await tell({
      box: { ...asWanted, faults: [illAt(0)] },
      other: asWanted,
    });
    expect(result).toBe('done');
    expect(reason).toBe('nothing to do; 1 machine is unhealthy: box (service (connection refused))');
    expect(reported(state).exitCode).toBe(0);
    expect(reported(state).machines.box).toBe(
      'as-before: already runs what the flake wants, no worse than before (failing: service)',
    );
  });

  test('is partial where a machine has fallen silent since the plan: unknown is not healthy', async () => {
    const { result, reason, state } = await tell({
      box: { ...asWanted, faults: [{ kind: 'away', atMs: 130, forMs: null }] },
      other: asWanted,
    });
    expect(result).toBe('partial');
    expect(reason).toContain('nothing to do; 1 machine is not well: box (box did not answer');
    expect(reported(state)).toMatchObject({
      exitCode: 3,
      machines: { other: expect.stringMatching(/^well/u) },
    });
  });

  test('does not take one lost answer for an illness', async () => {
    const { result } = await tell({
      box: { ...asWanted, faults: [{ kind: 'trip-lost', trip: 2, dispatched: false, forMs: 5_000 }] },
    });
    expect(result).toBe('done');
  });
});

describe('a machine with nothing to do, in a run that acts on others', () => {
  test('is told with what failed on it before the run, which does not change how the run ends', async () => {
    const { result, reason, state } = await tell({
      nas: { ...asWanted, faults: [illAt(0)] },
      box: {},
    });
    expect([result, reason]).toEqual([
      'done',
      'every machine is as planned; unhealthy as before the run: nas',
    ]);
    expect(reported(state).machines.nas).toContain('no worse than before (failing: service)');
  });

  test('makes the run partial with what began to fail during it', async () => {
    const { result, reason, state } = await tell({
      nas: { ...asWanted, faults: [illAt(20_000)] },
      box: {},
    });
    expect(result).toBe('partial');
    expect(reason).toBe(
      'every machine came to its goal; not well at the end: nas (service (connection refused))',
    );
    expect(reported(state)).toMatchObject({
      exitCode: 3,
      machines: {
        nas: 'worse: already runs what the flake wants, is not well at the end: service (connection refused)',
      },
    });
  });

  test('and of low criticality does not: it is told', async () => {
    const { result, reason } = await tell({
      nas: { ...asWanted, criticality: 'low', faults: [illAt(20_000)] },
      box: {},
    });
    expect(result).toBe('done');
    expect(reason).toContain('not well at the end: nas');
  });

  test('whose first look a dead process took with it is looked at again before anything is done', async () => {
    const { events, result } = await tell(
      { nas: { ...asWanted, faults: [illAt(0)] }, box: {} },
      { ends: [{ kind: 'killed-at-append', append: 1, when: 'after', downMs: 1_000 }] },
    );
    expect(events.filter(({ body }) => body.kind === 'look-begun' && body.moment === 'start')).toHaveLength(
      2,
    );
    expect(result).toBe('done');
  });
});

describe('a machine that passed its gates early', () => {
  test('and fell over while others had their turn makes the run partial', async () => {
    const { became, result, reason, state } = await tell({
      early: { faults: [illAt(100_000)] },
      late: { delay: 60 },
    });
    expect(became).toEqual({ early: 'done', late: 'done' });
    expect(result).toBe('partial');
    expect(reason).toContain('not well at the end: early (service (connection refused))');
    expect(reported(state).machines.early).toBe(
      'worse: deployed, rebooted, is not well at the end: service (connection refused)',
    );
  });

  test('and rebooted again by itself makes it partial, healthy as it is by then', async () => {
    const { became, result, reason, world } = await tell({
      early: { faults: [{ kind: 'crash', atMs: 100_000 }] },
      late: { delay: 60 },
    });
    expect(became).toEqual({ early: 'done', late: 'done' });
    expect(world.look('early').boots).toBe(2);
    expect(result).toBe('partial');
    expect(reason).toContain(
      'not well at the end: early (it is in another boot than the one that passed its gate: ',
    );
  });

  test('and does not answer at the end is not known to be well', async () => {
    const { result, state } = await tell({
      early: { faults: [{ kind: 'away', atMs: 100_000, forMs: null }] },
      late: { delay: 60 },
    });
    expect(result).toBe('partial');
    expect(reported(state).machines.early).toContain('unknown: deployed, rebooted, is not known to be well');
  });

  test('and is well again before the last look has lost its patience is well', async () => {
    const { result, events } = await tell({
      early: { faults: [illAt(100_000, 95_000)] },
      late: { delay: 60 },
    });
    const look = events.filter(({ body }) => /^look/u.test(body.kind)).map(({ at }) => at);
    expect((look[1] ?? 0) - (look[0] ?? 0), 'it was waited for').toBeGreaterThan(5_000);
    expect(result).toBe('done');
  });
});

test('a run that was stopped or aborted does not look: somebody asked for its end', async () => {
  const { state, events } = await tell(
    { box: asWanted },
    { ends: [{ kind: 'stopped-at', ms: 5, downMs: 1_000 }] },
  );
  expect(events.filter(({ body }) => body.kind === 'look-begun')).toHaveLength(2);
  expect(state.ended?.result).toBe('done');
});

test('a run that holds looks at those it had done before', async () => {
  const { result, reason } = await tell({
    early: { faults: [illAt(90_000)] },
    grave: { criticality: 'high', faults: [{ kind: 'never-comes-back' }] },
  });
  expect(result).toBe('held');
  expect(reason).toContain('nothing after it was touched; not well at the end: early');
});
