import { describe, expect, test } from 'vitest';
import { parseOverrides } from '../../src/plan/override.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Reachable, Target } from '../../src/ports.ts';
import { preflight } from '../../src/run/preflight.ts';
import { approved } from '../run/history.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { entryOf, planFor, seen } from './input.ts';

/** An address that leads to another machine, whose host key is known: what it would do to that one is never done. */

const [nas, box] = [machineNamed('nas', { hostName: 'nas' }), machineNamed('box', { hostName: 'box' })];
const boots = { nas: seen('nas').bootId, box: seen('box').bootId } as const;
const called = (hostName: string | null, bootId: string): Partial<Reachable> => ({ hostName, bootId });
/** The plan, where `box` was seen so and `nas` as itself. */
const planWith = (more: Partial<Reachable>, nasSays: string | null = 'nas'): Plan =>
  planFor([nas, box], {
    observations: {
      nas: seen('nas', { booted: 'new', current: 'new', profile: 'new' }, { hostName: nasSays }),
      box: seen('box', {}, more),
    },
  });
const decided = (plan: Plan, name: string): string => {
  const { decision } = entryOf(plan, name);
  return decision.kind === 'skip' ? `${decision.reason}: ${decision.message}` : decision.kind;
};

describe('a plan', () => {
  test('leaves alone what says the name of another machine of the lab', () => {
    const plan = planWith(called('nas', boots.nas));
    expect(decided(plan, 'box')).toBe(
      'unknown-state: what answers for box is nas, as it seems: it says that its host name is nas',
    );
    expect(entryOf(plan, 'box').steps).toEqual([]);
    // That one is itself, and goes its way.
    expect(decided(plan, 'nas')).toBe('nothing');
  });

  test('leaves alone both of two that tell one boot, where neither says its name', () => {
    const plan = planWith(called(null, boots.nas), null);
    expect(decided(plan, 'box')).toMatch(/^unknown-state: what answers for box is nas, .* boot id/u);
    expect(decided(plan, 'nas')).toMatch(/^unknown-state: what answers for nas is box, .* boot id/u);
  });

  test('goes on with machines that share the boot id of their kernel, and say their own names', () => {
    expect(decided(planWith(called('box', boots.nas)), 'box')).toBe('act');
    expect(decided(planWith(called('BOX.lan', boots.nas)), 'box')).toBe('act');
  });

  test.each([['box-under-its-old-name'], ['localhost'], [null]])(
    'goes on with a machine that says a name which no other has: %s',
    (name) => {
      expect(decided(planWith(called(name, boots.box)), 'box')).toBe('act');
    },
  );
});

describe('two machines that change names in one deployment', () => {
  const [nasNext, boxNext] = [
    machineNamed('nas', { hostName: 'box' }),
    machineNamed('box', { hostName: 'nas' }),
  ];
  const planWhere = (nasSays: string, boxSays: string, boxBoot: string = boots.box): Plan =>
    planFor([nasNext, boxNext], {
      observations: {
        nas: seen('nas', {}, called(nasSays, boots.nas)),
        box: seen('box', {}, called(boxSays, boxBoot)),
      },
    });

  test('are both held back, and told the way', () => {
    const plan = planWhere('nas', 'box');
    expect(decided(plan, 'nas')).toContain('it says that its host name is nas');
    expect(decided(plan, 'box')).toContain('it says that its host name is box');
    const { decision } = entryOf(plan, 'box');
    expect(decision.kind === 'skip' ? decision.remedy : '').toContain(
      'where it is box after all, and the two are to change names: on its own console, `hostname box-for-now`',
    );
  });

  test('go ahead once each says a name between', () => {
    const plan = planWhere('nas-for-now', 'box-for-now');
    expect([decided(plan, 'nas'), decided(plan, 'box')]).toEqual(['act', 'act']);
  });

  test('are held back all the same where it was one machine that was given the name between', () => {
    const plan = planWhere('box-for-now', 'box-for-now', boots.nas);
    expect(decided(plan, 'nas')).toContain('both tell the boot id');
    expect(decided(plan, 'box')).toContain('both tell the boot id');
  });

  test('and no override gets past it', () => {
    const parsed = parseOverrides(['nas:another-machine']);
    expect(parsed.ok ? '' : parsed.failure.message).toBe('"nas:another-machine" cannot be overridden');
  });
});

test('a machine does not go with what it needs while another one answers for that', () => {
  const app = machineNamed('app', { hostName: 'app', dependencies: ['box'] });
  const planOf = (boxSays: string): Plan =>
    planFor([nas, box, app], {
      selection: ['app'],
      observations: {
        box: seen('box', {}, { hostName: boxSays }),
        app: seen('app', {}, { hostName: 'app' }),
      },
    });
  expect(decided(planOf('box'), 'app')).toBe('act');
  expect(decided(planOf('nas'), 'app')).toBe(
    'dependency: whether what it needs is well cannot be told: what answers for box is nas, as it seems: it says that its host name is nas',
  );
});

describe('an address that has come to lead elsewhere since the plan was made', () => {
  const lookedAt = (more: Partial<Reachable>) => {
    const plan = planWith(called('box', boots.box));
    const entry = entryOf(plan, 'box');
    const [step] = entry.steps;
    if (step === undefined) throw new TypeError('nothing is planned');
    // Whatever else is asked of it would be a call of undefined.
    const target = { observe: async () => seen('box', {}, more) } as unknown as Target;
    return preflight(step, {
      state: approved(plan).begin(step.id).state,
      entry,
      target,
      clock: { now: () => 0, elapsed: () => 0, sleep: async () => {} },
      signal: new AbortController().signal,
      note: () => {},
      ends: () => {},
      warn: () => {},
      progress: () => {},
      again: false,
      stoodStill: () => false,
    });
  };

  test.each([
    ['by its name', called('nas', 'c0ffee00-0000-4000-8000-000000000000')],
    ['by the boot in which the other was seen', called(null, boots.nas)],
  ])('fails its preflight, known %s', async (_by, more) => {
    expect(await lookedAt(more)).toMatchObject({
      kind: 'failed',
      failure: { kind: 'another-machine', machine: 'box', message: expect.stringContaining('is nas') },
    });
  });
});
