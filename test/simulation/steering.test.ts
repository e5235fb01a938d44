import { describe, expect, test } from 'vitest';
import { progressOf } from '../../src/run/progress.ts';
import { recordOf } from '../../src/run/records.ts';
import { reportOf } from '../../src/run/report.ts';
import type { Fault, FaultKind } from '../../src/sim/fault.ts';
import { crashFaults, crashScenario } from './crash-scenarios.ts';
import type { Reopening } from './scenario.ts';
import { simulate } from './simulate.ts';
import { type Told, tell } from './story.ts';

/** Machines that somebody has left out of a run or tried again, while it lasts and after it has ended. */

const retry = (machine: string | null = null): Reopening => ({
  what: 'retry',
  machine,
  afterMs: 600_000,
  heals: true,
});
const skip = (machine: string | null = null): Reopening => ({
  ...retry(machine),
  what: 'skip',
  heals: false,
});
const saidOf = ({ events }: Told, kind: string): readonly string[] =>
  events.flatMap(({ body }) =>
    body.kind === kind && 'what' in body ? [`${body.what} ${body.machine}`] : [],
  );
const reboots = ({ done }: Told): number => done.filter((line) => line === 'box reboot').length;

describe('tried again, once somebody has seen to it', () => {
  const high = { criticality: 'high' } as const;

  test.each<[string, readonly Fault[], readonly string[]]>([
    [
      'an activation that failed and went back: it is activated anew, under a new supervisor',
      [{ kind: 'activation-exit', code: 2 }],
      ['box switch new', 'box switch new', 'box reboot'],
    ],
    [
      'a gate after the activation: the same',
      [{ kind: 'unhealthy-after', cause: 'activation', forMs: null }],
      ['box switch new', 'box returns', 'box switch new', 'box reboot'],
    ],
    [
      'a copy that found no room: nothing was done before',
      [{ kind: 'disk-full', path: 'during-copy' }],
      ['box switch new', 'box reboot'],
    ],
    ['a preflight without root', [{ kind: 'sudo-refused' }], ['box switch new', 'box reboot']],
    [
      'a gate after the reboot: only the gate',
      [{ kind: 'unhealthy-after', cause: 'reboot', forMs: null }],
      ['box switch new', 'box reboot'],
    ],
    [
      'a machine that never came back, and was switched on by hand: it is looked at, and not rebooted again',
      [{ kind: 'never-comes-back' }],
      ['box switch new', 'box reboot'],
    ],
    [
      'a reboot that hung and was ended by hand: it counts',
      [{ kind: 'never-goes-down' }],
      ['box switch new', 'box reboot'],
    ],
    [
      'a reboot that was refused: it is asked for again',
      [{ kind: 'reboot-refused' }],
      ['box switch new', 'box reboot'],
    ],
    [
      'a reboot whose trigger never arrived: it is asked for again',
      [{ kind: 'cut-at-trigger', arrived: false }],
      ['box switch new', 'box reboot'],
    ],
  ])('%s', async (_what, faults, done) => {
    const told = await tell(
      { box: { ...high, faults, rebootOrder: 1 }, late: { rebootOrder: 2 } },
      { reopenings: [retry()] },
    );
    const ends = told.events.flatMap(({ body }) => (body.kind === 'run-ended' ? [body.result] : []));
    expect(ends).toEqual(['held', 'done']);
    expect(saidOf(told, 'reopened')).toEqual(['retry box']);
    expect(told.became).toEqual({ box: 'done', late: 'done' });
    expect(told.done.filter((line) => line.startsWith('box'))).toEqual(done);
  });

  test('a machine that came back on the old generation is not rebooted a second time, and still fails', async () => {
    const told = await tell(
      { box: { ...high, faults: [{ kind: 'old-generation' }] } },
      { reopenings: [retry()] },
    );
    expect(told.became.box).toBe('failed: old-generation');
    expect([told.result, reboots(told)]).toEqual(['held', 1]);
  });

  test('one that was rebooted and returned is not: only another reboot would make its new generation live', async () => {
    const told = await tell(
      {
        box: {
          criticality: 'critical',
          faults: [{ kind: 'unit-fails-after', cause: 'reboot', unit: 'app.service' }],
        },
      },
      { reopenings: [retry()] },
    );
    expect(told.became.box).toBe('restored: unhealthy');
    expect(saidOf(told, 'reopened')).toEqual([]);
  });

  test('what it failed with before, and is kept from now, holds the run as before', async () => {
    const told = await tell(
      {
        box: {
          ...high,
          faults: [
            { kind: 'activation-exit', code: 2 },
            { kind: 'away', atMs: 400_000, forMs: null },
          ],
        },
      },
      { reopenings: [{ ...retry(), heals: false }] },
    );
    expect(told.events.filter(({ body }) => body.kind === 'run-ended')).toHaveLength(2);
    expect(told.result).toBe('held');
    expect(told.became.box).toMatch(/^restored: /u);
  });

  test('with it go those that were left alone because of it', async () => {
    const cast = {
      nas: { faults: [{ kind: 'activation-exit', code: 2 } as const] },
      app: { dependencies: ['nas'] },
      web: { dependencies: ['app'] },
    };
    const before = await tell(cast);
    expect(before.became).toMatchObject({ app: 'skipped: dependency', web: 'skipped: dependency' });
    const after = await tell(cast, { reopenings: [retry()] });
    expect([after.result, after.became]).toEqual(['done', { nas: 'done', app: 'done', web: 'done' }]);
  });

  test('in the middle of a run it waits until what is on its way has come to its end', async () => {
    const told = await tell(
      {
        box: { faults: [{ kind: 'unhealthy-after', cause: 'activation', forMs: 100_000 }], rebootOrder: 1 },
        late: { rebootOrder: 2 },
        last: { rebootOrder: 3 },
      },
      // `late` is in its reboot by then.
      { steers: [{ what: 'retry', machine: 'box', atMs: 120_000 }] },
    );
    expect(saidOf(told, 'steered')).toEqual(['retry box']);
    const begun = told.events.flatMap(({ body }) => (body.kind === 'step-intended' ? [body.step] : []));
    const second = begun.lastIndexOf('box/preflight');
    expect(second).toBeGreaterThan(begun.indexOf('late/gate-after-reboot'));
    expect(second).toBeLessThan(begun.indexOf('last/activate-switch'));
  });
});

describe('the delay before its reboot', () => {
  const reboots = { kind: 'reboot', which: 'all' } as const;
  const gatesAt = ({ events, startedAt }: Told): readonly number[] =>
    events.flatMap(({ at, body }) =>
      body.kind === 'step-ended' && /gate-after-reboot$/u.test(body.step)
        ? [Math.floor((at - startedAt) / 1_000)]
        : [],
    );

  test('was cut short, and its machine is tried again after what it needs: it is waited for anew', async () => {
    const told = await tell(
      {
        base: { faults: [{ kind: 'just-booted' }] },
        box: { dependencies: ['base'], delay: 600 },
        // Keeps the run going meanwhile.
        late: { delay: 500, criticality: 'critical' },
      },
      {
        goal: reboots,
        steers: [
          { what: 'skip', machine: 'box', atMs: 150_000 },
          { what: 'retry', machine: 'base', atMs: 330_000 },
          { what: 'retry', machine: 'box', atMs: 400_000 },
        ],
      },
    );
    expect(told.became).toEqual({ base: 'done', box: 'done', late: 'done' });
    expect(told.rebootsAt[2]).toBeGreaterThanOrEqual((gatesAt(told)[1] ?? Number.NaN) + 600);
  });

  const cast = {
    box: { delay: 600, rebootOrder: 1 },
    late: { delay: 300, rebootOrder: 2 },
  };

  test('is cut short when its machine is left out, and no other delay is', async () => {
    const told = await tell(cast, {
      goal: reboots,
      steers: [{ what: 'skip', machine: 'box', atMs: 50_000 }],
    });
    expect(told.became).toEqual({ box: 'skipped: skipped-by-person', late: 'done' });
    const ended = told.events.flatMap(({ at, body }) =>
      body.kind === 'step-ended' && body.step.endsWith('/delay')
        ? [[body.step, body.outcome.kind, Math.floor((at - told.startedAt) / 1_000)]]
        : [],
    );
    // Counted from the approval: no gate has been passed before.
    expect(ended).toEqual([
      ['box/delay', 'skipped', 50],
      ['late/delay', 'succeeded', 300],
    ]);
    expect(reportOf(told.state)?.machines[0]?.summary).toBe('skipped by somebody');
  });

  test('is waited for anew once the machine is taken in again, be it at the same moment', async () => {
    const told = await tell(cast, {
      goal: reboots,
      steers: [
        { what: 'skip', machine: 'box', atMs: 50_000 },
        { what: 'retry', machine: 'box', atMs: 50_000 },
      ],
    });
    expect(told.became).toEqual({ box: 'done', late: 'done' });
    expect(told.rebootsAt[1]).toBeGreaterThanOrEqual((gatesAt(told)[0] ?? 0) + 600);
  });

  test('was over when what its machine needs was ill, and others had their turn: it is waited for anew', async () => {
    const told = await tell(
      {
        base: { faults: [{ kind: 'falls-ill', atMs: 150_000, forMs: 50_000 }], rebootOrder: 1 },
        box: { dependencies: ['base'], delay: 100, rebootOrder: 2 },
        other: { rebootOrder: 3 },
      },
      { steers: [{ what: 'retry', machine: 'box', atMs: 210_000 }] },
    );
    expect(told.became).toEqual({ base: 'done', box: 'done', other: 'done' });
    expect(told.done.filter((line) => line.endsWith('reboot'))).toEqual([
      'base reboot',
      'other reboot',
      'box reboot',
    ]);
    expect(told.rebootsAt[2]).toBeGreaterThanOrEqual((gatesAt(told)[1] ?? 0) + 100);
  });
});

describe('left out', () => {
  test('before its turn: nothing is done to it, and the run is partial and says who wanted it so', async () => {
    const told = await tell(
      { box: { rebootOrder: 1 }, late: { rebootOrder: 2, criticality: 'low' } },
      { steers: [{ what: 'skip', machine: 'late', atMs: 20_000 }] },
    );
    expect(told.became).toEqual({ box: 'done', late: 'skipped: skipped-by-person' });
    expect([told.result, told.reason]).toEqual(['partial', 'not as planned: late (skipped by somebody)']);
    expect(told.done).toEqual(['box switch new', 'box reboot']);
    const report = reportOf(told.state);
    expect([report?.exitCode, report?.machines[1]?.summary]).toEqual([3, 'skipped by somebody']);
    expect(report?.owed).toEqual([]);
  });

  test('what needs it goes on, as long as it is well', async () => {
    const app = { dependencies: ['nas'] };
    const steers = [{ what: 'skip', machine: 'nas', atMs: 2_000 } as const];
    const well = await tell({ nas: {}, app }, { steers });
    expect(well.became).toMatchObject({ nas: 'skipped: skipped-by-person', app: 'done' });
    const ill = await tell(
      { nas: { faults: [{ kind: 'falls-ill', atMs: 0, forMs: null }] }, app },
      { steers },
    );
    expect(ill.became).toMatchObject({ app: 'skipped: dependency' });
  });

  test('in the middle of its activation it is not: the refusal is in the record', async () => {
    const told = await tell({ box: {} }, { steers: [{ what: 'skip', machine: 'box', atMs: 12_000 }] });
    expect(saidOf(told, 'steer-refused')).toEqual(['skip box']);
    expect(told.became.box).toBe('done');
  });

  test('by mistake: it is taken in again', async () => {
    const told = await tell(
      { box: {} },
      {
        steers: [{ what: 'skip', machine: 'box', atMs: 500 }],
        reopenings: [{ ...retry('box'), heals: false }],
      },
    );
    expect(told.events.flatMap(({ body }) => (body.kind === 'run-ended' ? [body.result] : []))).toEqual([
      'partial',
      'done',
    ]);
  });

  test('once it has failed and is back: the run goes on without it, and without what needs it', async () => {
    const told = await tell(
      {
        nas: { criticality: 'high', faults: [{ kind: 'activation-exit', code: 2 }], rebootOrder: 1 },
        app: { dependencies: ['nas'], rebootOrder: 2 },
        free: { rebootOrder: 3 },
      },
      { reopenings: [skip()] },
    );
    expect(told.result).toBe('partial');
    expect(told.became).toEqual({
      nas: 'restored: activation-refused',
      app: 'skipped: dependency',
      free: 'done',
    });
    const [nas] = told.plan.machines;
    expect(nas === undefined ? null : progressOf(told.state, nas).skippedBy).toBe('somebody');
  });

  test('after it was changed and has failed it is not', async () => {
    const told = await tell(
      { box: { criticality: 'high', faults: [{ kind: 'never-comes-back' }] }, late: {} },
      { reopenings: [skip()] },
    );
    expect([told.result, saidOf(told, 'reopened')]).toEqual(['held', []]);
  });
});

describe('left out in the middle of something that does nothing to it', () => {
  const endsOf = ({ events, startedAt }: Told, step: string): readonly string[] =>
    events.flatMap(({ at, body }) =>
      body.kind === 'step-ended' && body.step === step
        ? [`${body.outcome.kind} after ${Math.round((at - startedAt) / 1_000)} s`]
        : [],
    );
  const hour = 3_600_000;
  const hangs = [{ kind: 'slow-copy', ms: hour }] as const;

  test('a copy that hangs is given up at once, other copies are not, and the run goes on', async () => {
    const told = await tell(
      { box: { faults: hangs }, slow: { faults: [{ kind: 'slow-copy', ms: 300_000 }] }, late: {} },
      { steers: [{ what: 'skip', machine: 'box', atMs: 60_000 }] },
    );
    expect(endsOf(told, 'box/copy')).toEqual(['skipped after 60 s']);
    expect(told.became).toEqual({ box: 'skipped: skipped-by-person', slow: 'done', late: 'done' });
    expect((told.state.ended?.at ?? Number.NaN) - told.startedAt).toBeLessThan(hour / 2);
    expect(reportOf(told.state)?.machines[0]).toMatchObject({ summary: 'skipped by somebody' });
  });

  test('a look that hangs: the same, and its lease is given back at the end', async () => {
    const told = await tell(
      { box: { faults: [{ kind: 'stalls', atMs: 100, forMs: null }] }, late: {} },
      { steers: [{ what: 'skip', machine: 'box', atMs: 3_000 }] },
    );
    expect(endsOf(told, 'box/preflight')).toEqual(['skipped after 3 s']);
    expect(told.became).toEqual({ box: 'skipped: skipped-by-person', late: 'done' });
  });

  test('taken in again before its copy was ended: it is copied to anew', async () => {
    const told = await tell(
      { box: { faults: hangs }, late: {} },
      {
        steers: [
          { what: 'skip', machine: 'box', atMs: 60_000 },
          { what: 'retry', machine: 'box', atMs: 60_001 },
        ],
      },
    );
    expect(saidOf(told, 'steered')).toEqual(['skip box', 'retry box']);
    expect(
      told.events.filter(({ body }) => body.kind === 'step-intended' && body.step === 'box/copy'),
    ).toHaveLength(2);
    expect(told.became).toEqual({ box: 'done', late: 'done' });
  });

  test('and taken in again once the run has ended: it is copied to anew, and gets its turn', async () => {
    const told = await tell(
      { box: { faults: hangs }, late: {} },
      {
        steers: [{ what: 'skip', machine: 'box', atMs: 60_000 }],
        reopenings: [retry('box')],
      },
    );
    expect(saidOf(told, 'reopened')).toEqual(['retry box']);
    expect(told.became).toEqual({ box: 'done', late: 'done' });
  });

  test('whoever takes the run over from a process that died before the copy had ended does not wait for it', async () => {
    const told = await tell(
      { box: { faults: hangs }, late: { faults: [{ kind: 'slow-activation', ms: 60_000 }] } },
      {
        steers: [{ what: 'skip', machine: 'box', atMs: 40_000 }],
        ends: [{ kind: 'killed-at', ms: 60_000, downMs: 30_000 }],
      },
    );
    expect(told.became).toEqual({ box: 'skipped: skipped-by-person', late: 'done' });
  });
});

test('what was failing before the run is excused when it is tried again, and what failed since is not', async () => {
  const told = await tell(
    {
      box: {
        criticality: 'high',
        failedUnits: ['old.service'],
        faults: [{ kind: 'unit-fails-after', cause: 'activation', unit: 'new.service' }],
      },
    },
    { reopenings: [{ ...retry(), heals: false }] },
  );
  expect(told.became.box).toBe('restored: unhealthy');
  expect(recordOf(told.state, 'box/preflight')?.firstFailing?.units).toEqual(['old.service']);
});

describe('the process dies at every append of a run that is tried again', () => {
  const firstOf = (kind: FaultKind): number => crashFaults.findIndex((fault) => fault.kind === kind);
  const faults = [
    ['an activation that fails', firstOf('activation-exit')],
    ['a gate that fails', firstOf('unhealthy-after')],
    ['a reboot that hangs', firstOf('never-goes-down')],
    ['a reboot that is refused', firstOf('reboot-refused')],
    ['a trigger that never arrives', crashFaults.findLastIndex(({ kind }) => kind === 'cut-at-trigger')],
  ] as const;
  test.each(faults)('%s', async (_kind, fault) => {
    const scenario = {
      ...crashScenario({ fault, machine: 'app', crash: null }),
      reopenings: [retry(), skip()],
    };
    const whole = await simulate(scenario);
    expect(whole.events.some(({ body }) => body.kind === 'reopened')).toBe(true);
    for (let append = 1; append <= whole.events.length; append += 1)
      for (const when of ['before', 'after'] as const)
        await simulate({
          ...scenario,
          ends: [{ kind: 'killed-at-append', append, when, downMs: append % 2 === 0 ? 500 : 600_000 }],
        });
  });
});
