import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/fleet/machine.ts';
import { criticalReboots } from '../../src/flow/critical-reboots.ts';
import type { RollbackInput } from '../../src/plan/input.ts';
import { planHash } from '../../src/plan/make-plan.ts';
import { type Goal, Plan } from '../../src/plan/plan.ts';
import { rollbackOrderOf } from '../../src/plan/rollback-order.ts';
import { machineNamed, toplevelOf } from '../simulation/fleet.ts';
import { entryOf, kernels, notSeen, type PlanTraits, planFor, seen, stepsOf } from './input.ts';

const back = (reboot = true): Goal => ({ kind: 'rollback', to: { kind: 'previous' }, reboot });

/** A rollback: every machine runs `old`, generation 7, and goes to `new`, which is generation 6. */
const rollbackOf = (
  machines: readonly Machine[],
  { rollback = {}, ...traits }: PlanTraits & { readonly rollback?: Partial<RollbackInput> } = {},
): Plan =>
  planFor(machines, {
    goal: back(),
    ...traits,
    more: {
      rollback: {
        returns: new Map(machines.map(({ name }) => [name, { generation: 6, words: 'generation 6' }])),
        order: null,
        unhealthy: new Set(),
        judged: new Map(),
        ...rollback,
      },
      ...traits.more,
    },
  });

const box = (traits: Parameters<typeof machineNamed>[1] = {}): Machine =>
  machineNamed('box', { delay: 0, ...traits });
const orderOf = (plan: Plan): readonly string[] => plan.machines.map(({ machine }) => machine.name);

const nas = machineNamed('nas', { delay: 0 });
const app = machineNamed('app', { delay: 0, dependencies: ['nas'] });
const web = machineNamed('web', { delay: 0, dependencies: ['app'] });
const chain = [nas, app, web];

describe('a machine that goes back', () => {
  const live = ['activate-switch', 'gate-after-activation', 'confirm'];
  const reboot = ['reboot', 'await-boot', 'gate-after-reboot'];

  test.each<[string, Goal, Parameters<typeof machineNamed>[1], string, readonly string[]]>([
    ['same kernel', back(), {}, '6.12.10', ['preflight', ...live]],
    ['other kernel', back(), {}, '6.12.11', ['preflight', ...live, ...reboot]],
    ['other kernel, no reboots', back(false), {}, '6.12.11', ['preflight', ...live]],
    [
      'blue-green',
      back(),
      { strategy: 'blue-green' },
      '6.12.10',
      ['preflight', 'activate-test', 'gate-after-activation', 'confirm', 'activate-boot'],
    ],
    ['recreate', back(), { strategy: 'recreate' }, '6.12.10', ['preflight', 'activate-boot', ...reboot]],
    [
      'recreate, no reboots',
      back(false),
      { strategy: 'recreate' },
      '6.12.10',
      ['preflight', 'activate-boot'],
    ],
  ])('%s', (_, goal, traits, wantedKernel, steps) => {
    expect(stepsOf(rollbackOf([box(traits)], { goal, wantedKernel }), 'box')).toEqual(steps);
  });

  test('names the generation where the boot default is set, and nowhere else', () => {
    const modes = (strategy: 'rolling' | 'blue-green') =>
      entryOf(rollbackOf([box({ strategy })]), 'box').steps.flatMap((step) =>
        step.kind === 'activate' ? [[step.mode, step.generation]] : [],
      );
    expect(modes('rolling')).toEqual([['switch', 6]]);
    expect(modes('blue-green')).toEqual([
      ['test', undefined],
      ['boot', 6],
    ]);
  });

  test('says where it goes, and what waits for a reboot that was not asked for', () => {
    const entry = entryOf(rollbackOf([box()], { goal: back(false) }), 'box');
    expect(entry.activation?.why).toBe('back to generation 6: activated live and made the boot default');
    expect(entry.noRebootWhy).toMatch(/^not asked for, though: kernel 6.12.10 → 6.12.11/u);
  });

  test('that runs it already is left alone', () => {
    const observations = { box: seen('box', { booted: 'new', current: 'new', profile: 'new' }) };
    const entry = entryOf(rollbackOf([box()], { observations }), 'box');
    expect(entry.decision).toEqual({ kind: 'nothing' });
    expect(entry.noActivationWhy).toBe('already runs what it would go back to');
  });

  test('reboots no critical machine that nobody named, though its activation ask for it', () => {
    const planOf = (criticality: 'high' | 'critical'): Plan =>
      rollbackOf([box({ criticality })], { wantedKernel: kernels.old });
    expect(entryOf(planOf('high'), 'box').contingent.map(({ kind }) => kind)).toContain('reboot');
    expect(criticalReboots(planOf('critical'))).toEqual([]);
    expect(entryOf(planOf('critical'), 'box').contingent).toEqual([]);
  });

  test('returns to what it ran, and to its number, when the way back fails', () => {
    expect(entryOf(rollbackOf([box()]), 'box').restore).toMatchObject({
      current: toplevelOf('box', 'old'),
      profile: toplevelOf('box', 'old'),
      generation: 7,
    });
  });

  test('survives the journal with its hash', () => {
    const plan = rollbackOf(chain);
    const { hash, ...rest } = Plan.parse(JSON.parse(JSON.stringify(plan)));
    expect(planHash(rest)).toBe(hash);
  });
});

describe('the order of a rollback', () => {
  test('is that of a run backwards: who needs others goes first, one wave each', () => {
    const plan = rollbackOf(chain);
    expect(orderOf(plan)).toEqual(['web', 'app', 'nas']);
    expect(plan.machines.map(({ wave }) => wave)).toEqual([0, 1, 2]);
  });

  test('is that of the run it undoes, backwards, whatever the fleet says now', () => {
    const machines = ['a', 'b', 'c'].map((name) => machineNamed(name, { delay: 0 }));
    expect(orderOf(rollbackOf(machines, { rollback: { order: ['b', 'c', 'a'] } }))).toEqual(['a', 'c', 'b']);
  });

  test('keeps the machine that lab runs on last', () => {
    const desk = machineNamed('desk', { orchestrator: true });
    expect(orderOf(rollbackOf([...chain, desk]))).toEqual(['web', 'app', 'nas', 'desk']);
  });

  test('sends a sick machine before those that need it', () => {
    const plan = rollbackOf(chain, { rollback: { unhealthy: new Set(['nas']) } });
    expect(orderOf(plan)).toEqual(['web', 'nas', 'app']);
  });

  test('has every machine once, the well ones behind those that need them', () => {
    const fleets = fc.array(fc.record({ needs: fc.array(fc.nat(7)), sick: fc.boolean() }), { maxLength: 8 });
    fc.assert(
      fc.property(fleets, (drawn) => {
        const machines = drawn.map(({ needs }, index) =>
          machineNamed(`m${index}`, {
            dependencies: [...new Set(needs)].filter((other) => other < index).map((other) => `m${other}`),
          }),
        );
        const sick = new Set(drawn.flatMap((one, index) => (one.sick ? [`m${index}`] : [])));
        const order = rollbackOrderOf(machines, sick).map(({ name }) => name);
        expect([...order].sort()).toEqual(machines.map(({ name }) => name).sort());
        for (const { name, dependencies } of machines)
          for (const dependency of dependencies)
            expect(order.indexOf(dependency) < order.indexOf(name)).toBe(sick.has(dependency));
      }),
    );
  });
});

describe('what a machine of a rollback waits for', () => {
  const gatesOf = (plan: Plan, name: string) =>
    entryOf(plan, name).steps.flatMap((step) =>
      step.kind === 'dependencies' ? [{ needs: step.needs, neededBy: step.neededBy ?? [] }] : [],
    );

  test('is what it needs to be well, and what needs it to have gone back', () => {
    const plan = rollbackOf(chain, { wantedKernel: '6.12.10' });
    expect(gatesOf(plan, 'web')).toEqual([{ needs: ['app'], neededBy: [] }]);
    expect(gatesOf(plan, 'app')).toEqual([{ needs: ['nas'], neededBy: ['web'] }]);
    expect(gatesOf(plan, 'nas')).toEqual([{ needs: [], neededBy: ['app'] }]);
  });

  test('is asked again before its reboot', () => {
    expect(gatesOf(rollbackOf(chain), 'nas')).toHaveLength(2);
  });

  test('is not who needs it, where it goes first because it is sick', () => {
    const plan = rollbackOf([nas, app], {
      rollback: { unhealthy: new Set(['nas']) },
      wantedKernel: '6.12.10',
    });
    expect(gatesOf(plan, 'nas')).toEqual([]);
    expect(gatesOf(plan, 'app')).toEqual([{ needs: ['nas'], neededBy: [] }]);
  });
});

describe('a machine that cannot go back', () => {
  test('keeps those that it needs from going back beneath it', () => {
    const plan = rollbackOf(chain, { observations: { app: notSeen('app') } });
    expect(entryOf(plan, 'web').decision.kind).toBe('act');
    expect(entryOf(plan, 'app').decision).toMatchObject({ kind: 'skip', reason: 'unreachable' });
    expect(entryOf(plan, 'nas').decision).toEqual({
      kind: 'skip',
      reason: 'dependency',
      message: 'app, which needs it, does not go back in this plan',
      remedy: 'bring app back first, or name nas alone',
    });
  });

  test('says why, and its generation is not asked of the flake', () => {
    const blocked = new Map([
      ['box', { message: 'box has no generation 3', remedy: 'it has 6 and 7: `lab generations box`' }],
    ]);
    const plan = rollbackOf([box()], { more: { blocked, toplevels: new Map() } });
    expect(entryOf(plan, 'box').decision).toMatchObject({
      kind: 'skip',
      reason: 'blocked',
      message: 'box has no generation 3',
    });
  });

  test('does not keep others from going back when only they are chosen', () => {
    const plan = rollbackOf(chain, { selection: ['nas'], observations: { app: notSeen('app') } });
    expect(orderOf(plan)).toEqual(['nas']);
    expect(entryOf(plan, 'nas').decision.kind).toBe('act');
  });
});
