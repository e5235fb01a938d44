import { describe, expect, test } from 'vitest';
import type { BlockerKind } from '../../src/plan/blocker-kinds.ts';
import type { Override } from '../../src/plan/override.ts';
import { recordOf } from '../../src/run/records.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { toplevelOf } from './fleet.ts';
import { type Plot, tell } from './story.ts';

/** What holds a machine back: seen before it is touched and again right before its reboot, and passed only when named. */

const here: Fault = { kind: 'occupied', by: 'user', atMs: 0, forMs: null };
/** Between the plan and the preflight of a machine in a story of two. */
const afterPlanMs = 150;
const foreign: Fault = {
  kind: 'foreign-deploy',
  atMs: afterPlanMs,
  toplevel: toplevelOf('box', 'foreign'),
};
const onAll = (...kinds: readonly BlockerKind[]): readonly Override[] =>
  kinds.map((blocker) => ({ blocker, machine: null }));
const onBox = (...kinds: readonly BlockerKind[]): readonly Override[] =>
  kinds.map((blocker) => ({ blocker, machine: 'box' }));

const causes: readonly (readonly [BlockerKind, Fault])[] = [
  ['no-space-nix', { kind: 'disk-full', path: '/nix' }],
  ['no-space-boot', { kind: 'disk-full', path: '/boot' }],
  ['inhibited', { kind: 'occupied', by: 'inhibitor', atMs: 0, forMs: null }],
  ['users-logged-in', here],
  ['just-booted', { kind: 'just-booted' }],
  ['changed-since-plan', foreign],
];

describe.each(causes)('%s', (kind, fault) => {
  const story = (plot: Plot) => tell({ box: { faults: [fault] }, other: {} }, plot);

  test('holds the machine back, and nobody else', async () => {
    const { became, result, done } = await story({});
    expect(became).toEqual({ box: `skipped: ${kind}`, other: 'done' });
    expect(result).toBe('partial');
    expect(done.filter((act) => act.startsWith('box'))).toEqual([]);
  });

  test('is passed when it is named, for all machines or for this one', async () => {
    for (const overrides of [onAll(kind), onBox(kind)]) {
      const { became, result, done } = await story({ overrides });
      expect(became.box).toBe('done');
      expect(result).toBe('done');
      expect(done).toContain('box reboot');
    }
  });

  test('is not passed by the name of another, or for another machine', async () => {
    const others = causes.map(([other]) => other).filter((other) => other !== kind);
    const { became } = await story({ overrides: [...onAll(...others), { blocker: kind, machine: 'other' }] });
    expect(became.box).toBe(`skipped: ${kind}`);
  });

  test('of a critical machine holds up neither the run nor what does not need it, only its dependents', async () => {
    const { became, result } = await tell({
      box: { faults: [fault], criticality: 'critical' },
      app: { dependencies: ['box'] },
      other: {},
    });
    expect(became).toEqual({ box: `skipped: ${kind}`, app: 'skipped: dependency', other: 'done' });
    expect(result).toBe('partial');
  });

  test('is passed by a resumed run as well', async () => {
    const { became } = await story({
      overrides: onBox(kind),
      ends: [
        { kind: 'killed-at-append', append: 2, when: 'after', downMs: 5_000 },
        { kind: 'killed-at-append', append: 12, when: 'after', downMs: 5_000 },
      ],
    });
    expect(became.box).toBe('done');
  });
});

test('an activation by somebody else holds it back; overridden, the reboot goes ahead', async () => {
  const activating: Fault = { kind: 'occupied', by: 'activation', atMs: 0, forMs: null };
  const cast = { box: { faults: [activating] }, other: {} };
  expect((await tell(cast)).became).toEqual({ box: 'skipped: activation-in-progress', other: 'done' });
  const goal = { kind: 'reboot', which: 'all' } as const;
  const overridden = await tell(cast, { goal, overrides: onBox('activation-in-progress') });
  expect(overridden.became.box).toBe('done');
});

test('all that holds a machine back is said at once', async () => {
  const faults: Fault[] = [here, { kind: 'just-booted' }, { kind: 'disk-full', path: '/boot' }];
  const { became, state } = await tell({ box: { faults }, other: {} });
  expect(became.box).toBe('skipped: blocked');
  const outcome = recordOf(state, 'box/preflight')?.outcome;
  if (outcome?.kind !== 'skipped') throw new Error('it was not skipped');
  expect(outcome.failure.message).toContain('3 things hold it back');
  expect(outcome.failure.message).toContain('amy on pts/0 from 192.0.2.7');
  expect(outcome.failure.remedy).toContain(
    '--override box:no-space-boot --override box:users-logged-in --override box:just-booted',
  );
  expect(outcome.failure.detail).toHaveLength(3);
  const some = await tell(
    { box: { faults }, other: {} },
    { overrides: onAll('just-booted', 'no-space-boot') },
  );
  expect(some.became.box).toBe('skipped: users-logged-in');
});

describe('what does not hold it back', () => {
  const young: Fault[] = [{ kind: 'just-booted' }, here, { kind: 'inhibited' }];
  test('from a deployment: whatever speaks against a reboot', async () => {
    const { became } = await tell({ box: { faults: young } }, { goal: { kind: 'deploy', mode: 'switch' } });
    expect(became.box).toBe('done');
  });

  test('from a reboot: whatever speaks against a deployment', async () => {
    const faults: Fault[] = [
      { kind: 'disk-full', path: '/nix' },
      { kind: 'disk-full', path: '/boot' },
    ];
    const { became } = await tell({ box: { faults } }, { goal: { kind: 'reboot', which: 'all' } });
    expect(became.box).toBe('done');
  });

  test('what its configuration says is none', async () => {
    const faults: Fault[] = [{ kind: 'just-booted' }, here];
    const { became } = await tell({ box: { faults, minUptime: 60, blockOnUsers: 'never' } });
    expect(became.box).toBe('done');
  });

  test('the reboot that the run itself began, when another process takes it up', async () => {
    for (let append = 14; append < 30; append += 1) {
      const { became } = await tell(
        { box: { minUptime: 3_600 } },
        { ends: [{ kind: 'killed-at-append', append, when: 'after', downMs: 120_000 }] },
      );
      expect(became.box, `killed at ${append}`).toBe('done');
    }
  });

  test('the boot of the machine that lab itself runs on, which goes on after it', async () => {
    const { became } = await tell(
      { box: {}, desk: { orchestrator: true, minUptime: 3_600 } },
      { localMachine: 'desk', resumesAtBoot: true },
    );
    expect(became).toEqual({ box: 'done', desk: 'done' });
  });
});

describe('somebody who comes between preflight and reboot', () => {
  const late = (by: 'user' | 'inhibitor' | 'activation', forMs: number | null = null): Fault => ({
    kind: 'occupied',
    by,
    atMs: 100_000,
    forMs,
  });

  test.each([
    ['user', 'users-logged-in'],
    ['inhibitor', 'inhibited'],
    ['activation', 'activation-in-progress'],
  ] as const)('%s: it is deployed, not rebooted, and its dependents are left alone', async (by, kind) => {
    const { became, done, result } = await tell({
      box: { delay: 300, faults: [late(by)], criticality: 'critical' },
      app: { dependencies: ['box'] },
      other: {},
    });
    expect(became).toEqual({ box: `skipped: ${kind}`, app: 'skipped: dependency', other: 'done' });
    expect(done.filter((act) => act.startsWith('box'))).toEqual(['box switch new']);
    expect(result).toBe('partial');
  });

  test('has to be named as well', async () => {
    const { became } = await tell(
      { box: { delay: 300, faults: [late('user')] } },
      { overrides: onAll('users-logged-in') },
    );
    expect(became.box).toBe('done');
  });

  test('and is gone again by then: nothing holds it back', async () => {
    const { became } = await tell({ box: { delay: 300, faults: [late('user', 50_000)] } });
    expect(became.box).toBe('done');
  });

  test('while the run was paused is seen', async () => {
    const { became } = await tell(
      { box: { faults: [{ kind: 'occupied', by: 'user', atMs: 300_000, forMs: null }] } },
      { pauses: [{ atMs: 20_000, forMs: 3_600_000 }] },
    );
    expect(became.box).toBe('skipped: users-logged-in');
  });
});

describe('a machine that somebody else deployed to, and that is acted on all the same', () => {
  test('returns to what they had made of it, not to what the plan saw', async () => {
    for (const cause of [
      { kind: 'activation-exit', code: 2 },
      { kind: 'activation-lies', about: 'everything' },
    ] as const) {
      const { became, world } = await tell(
        { box: { faults: [foreign, cause] }, other: {} },
        { overrides: onAll('changed-since-plan') },
      );
      expect(became.box).toMatch(/^restored: /u);
      const { current, profile } = world.look('box');
      expect({ current, profile }).toEqual({ current: foreign.toplevel, profile: foreign.toplevel });
    }
  });

  test('is rebooted into what they had made of it, where the run only reboots', async () => {
    const { became, world } = await tell(
      { box: { faults: [foreign] }, other: {} },
      { goal: { kind: 'reboot', which: 'all' }, overrides: onAll('changed-since-plan') },
    );
    expect(became.box).toBe('done');
    expect(world.look('box').booted).toBe(foreign.toplevel);
  });

  test('is left alone where the plan would not lead from there to its goal', async () => {
    const { became, state } = await tell(
      { box: { faults: [foreign], runs: { current: 'new', profile: 'new' } }, other: {} },
      { overrides: onAll('changed-since-plan') },
    );
    expect(became.box).toBe('skipped: changed-since-plan');
    const outcome = recordOf(state, 'box/preflight')?.outcome;
    expect(outcome?.kind === 'skipped' ? outcome.failure.remedy : '').not.toContain('--override');
  });
});

describe('a machine whose logind is silent', () => {
  const silent: Fault = { kind: 'occupied', by: 'silence', atMs: 0, forMs: null };

  test('is not rebooted: what nobody can say is not that nobody is there', async () => {
    const { became, done, state } = await tell({ box: { faults: [silent] } });
    expect(became.box).toBe('skipped: blocked');
    expect(done).toEqual([]);
    expect(recordOf(state, 'box/preflight')?.outcome).toMatchObject({
      failure: {
        message: expect.stringContaining('users-unknown (it is not known whether somebody is logged in'),
        remedy: expect.stringContaining('--override box:inhibitors-unknown --override box:users-unknown'),
      },
    });
  });

  test('is rebooted where both are overridden, and not for one of them', async () => {
    const both = await tell(
      { box: { faults: [silent] } },
      { overrides: onBox('inhibitors-unknown', 'users-unknown') },
    );
    expect(both.became.box).toBe('done');
    const one = await tell({ box: { faults: [silent] } }, { overrides: onBox('inhibitors-unknown') });
    expect(one.became.box).toBe('skipped: users-unknown');
  });

  test('since the preflight is seen right before its reboot', async () => {
    const { became, done } = await tell({ box: { faults: [{ ...silent, atMs: 12_000 }] } });
    expect([became.box, done]).toEqual(['skipped: blocked', ['box switch new']]);
  });
});
