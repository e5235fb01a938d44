import { describe, expect, test } from 'vitest';
import { parseOverrides } from '../../src/plan/override.ts';
import type { MachinePlan, Plan, Step } from '../../src/plan/plan.ts';
import type { Reachable, Target } from '../../src/ports.ts';
import { lookAtAll } from '../../src/run/look-at-all.ts';
import { needsRestore } from '../../src/run/next.ts';
import { perform } from '../../src/run/perform.ts';
import { preflight } from '../../src/run/preflight.ts';
import { progressOf } from '../../src/run/progress.ts';
import type { RunState } from '../../src/run/state.ts';
import { approved, failedWith } from '../run/history.ts';
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
  /** Performs a step of `box` where something else answers; whatever else is asked of that would be a call of undefined. */
  const answering = (step: Step, entry: MachinePlan, state: RunState, more: Partial<Reachable>) => {
    const target = { observe: async () => seen('box', {}, more) } as unknown as Target;
    const act = step.kind === 'preflight' ? preflight : perform;
    return act(step, {
      state,
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
  const performed = (id: string, more: Partial<Reachable>) => {
    const plan = planWith(called('box', boots.box));
    const entry = entryOf(plan, 'box');
    const at = entry.steps.findIndex((step) => step.id === id);
    const step = entry.steps[at];
    if (step === undefined) throw new TypeError(`no step ${id} is planned`);
    const before = entry.steps.slice(0, at).map((each) => each.id);
    const { state } = approved(plan)
      .pass(...before)
      .begin(id);
    return answering(step, entry, state, more);
  };
  const mistaken = {
    kind: 'failed',
    failure: { kind: 'another-machine', machine: 'box', message: expect.stringContaining('is nas') },
  };

  test.each([
    ['by its name', called('nas', 'c0ffee00-0000-4000-8000-000000000000')],
    ['by the boot in which the other was seen', called(null, boots.nas)],
  ])('fails its preflight, its activation and its reboot, known %s', async (_by, more) => {
    for (const step of ['box/preflight', 'box/activate-switch', 'box/reboot'])
      expect(await performed(step, more), step).toMatchObject(mistaken);
  });

  test('is no way back either, however critical the machine: the other one has nothing to return to', () => {
    const plan = planFor([nas, machineNamed('box', { hostName: 'box', criticality: 'critical' })]);
    const before = ['preflight', 'copy', 'activate-switch', 'gate-after-activation', 'confirm'];
    const { state } = approved(plan)
      .pass(...before.map((step) => `box/${step}`))
      .begin('box/reboot')
      .end('box/reboot', failedWith('another-machine'));
    expect(needsRestore(state, progressOf(state, entryOf(plan, 'box')))).toBe(false);
  });

  test('nor where the failure was another: what answered for it did not run what it should', async () => {
    const plan = planFor([nas, machineNamed('box', { hostName: 'box', criticality: 'critical', delay: 0 })]);
    const entry = entryOf(plan, 'box');
    if (entry.restore === null) throw new TypeError('no way back is planned');
    const before = ['preflight', 'copy', 'activate-switch', 'gate-after-activation', 'confirm', 'reboot'];
    const history = approved(plan)
      .pass(...before.map((step) => `box/${step}`))
      .begin('box/await-boot')
      .end('box/await-boot', failedWith('wrong-generation'));
    expect(needsRestore(history.state, progressOf(history.state, entry))).toBe(true);
    const { state } = history.begin('box/restore');
    expect(await answering(entry.restore, entry, state, called('nas', boots.nas))).toMatchObject(mistaken);
  });

  test('is not looked at in its place at the end: nothing is known of it', async () => {
    const plan = planWith(called('box', boots.box));
    const asked: string[] = [];
    const target = {
      observe: async ({ name }: { name: string }) => seen(name, {}, called('nas', boots.nas)),
      health: async ({ name }: { name: string }) => {
        asked.push(name);
        return {
          machine: name,
          at: 0,
          verdict: 'healthy',
          state: 'running',
          failedUnits: [],
          readings: [],
          summary: 'well',
        };
      },
    } as unknown as Target;
    const clock = { now: () => 0, elapsed: () => 0, sleep: async () => {} };
    const { signal } = new AbortController();
    const looked = await lookAtAll('end', approved(plan).state, { target, clock, signal });
    expect(looked.find(({ machine }) => machine === 'box')).toMatchObject({
      verdict: 'unknown',
      why: expect.stringContaining('what answers for box is nas'),
    });
    expect(asked).toEqual(['nas']);
  });
});
