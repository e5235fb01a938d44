import { describe, expect, test } from 'vitest';
import type { HealthCheck, Machine } from '../../src/fleet/machine.ts';
import { planHash } from '../../src/plan/make-plan.ts';
import { type Goal, Plan } from '../../src/plan/plan.ts';
import { machineNamed, partsWith, serviceCheck, toplevelOf } from '../simulation/fleet.ts';
import { entryOf, kernels, notSeen, planFor, seen, stepsOf } from './input.ts';

const run: Goal = { kind: 'run', update: false };
const deploy = (mode: Extract<Goal, { kind: 'deploy' }>['mode']): Goal => ({ kind: 'deploy', mode });
const box = (traits: Parameters<typeof machineNamed>[1] = {}): Machine =>
  machineNamed('box', { delay: 0, ...traits });

const begin = ['preflight', 'copy'];
const reboot = ['reboot', 'await-boot', 'gate-after-reboot'];
const live = ['activate-switch', 'gate-after-activation', 'confirm'];
const green = ['activate-test', 'gate-after-activation', 'confirm', 'activate-boot'];

describe('the steps of a machine that is behind', () => {
  test.each<[string, Goal, Parameters<typeof machineNamed>[1], string, readonly string[]]>([
    ['rolling, new kernel', run, { strategy: 'rolling' }, '6.12.11', [...begin, ...live, ...reboot]],
    ['rolling, same kernel', run, { strategy: 'rolling' }, '6.12.10', [...begin, ...live]],
    ['blue-green, new kernel', run, { strategy: 'blue-green' }, '6.12.11', [...begin, ...green, ...reboot]],
    ['blue-green, same kernel', run, { strategy: 'blue-green' }, '6.12.10', [...begin, ...green]],
    [
      'recreate, same kernel',
      run,
      { strategy: 'recreate' },
      '6.12.10',
      [...begin, 'activate-boot', ...reboot],
    ],
    ['policy always', run, { policy: 'always' }, '6.12.10', [...begin, ...live, ...reboot]],
    ['policy never', run, { policy: 'never' }, '6.12.11', [...begin, ...live]],
    [
      'recreate, never',
      run,
      { strategy: 'recreate', policy: 'never' },
      '6.12.11',
      [...begin, 'activate-boot'],
    ],
    [
      'deploy as its strategy',
      deploy('strategy'),
      { strategy: 'blue-green' },
      '6.12.11',
      [...begin, ...green],
    ],
    ['deploy recreate', deploy('strategy'), { strategy: 'recreate' }, '6.12.11', [...begin, 'activate-boot']],
    ['deploy switch', deploy('switch'), { strategy: 'recreate' }, '6.12.11', [...begin, ...live]],
    ['deploy boot', deploy('boot'), {}, '6.12.11', [...begin, 'activate-boot']],
    [
      'deploy test',
      deploy('test'),
      {},
      '6.12.11',
      [...begin, 'activate-test', 'gate-after-activation', 'confirm'],
    ],
    ['deploy dry-activate', deploy('dry-activate'), {}, '6.12.11', [...begin, 'activate-dry-activate']],
    ['reboot all', { kind: 'reboot', which: 'all' }, {}, '6.12.11', ['preflight', ...reboot]],
    [
      'reboot all, policy never',
      { kind: 'reboot', which: 'all' },
      { policy: 'never' },
      '',
      ['preflight', ...reboot],
    ],
    ['reboot needed, not needed', { kind: 'reboot', which: 'needed' }, {}, '', []],
    [
      'reboot needed, policy always',
      { kind: 'reboot', which: 'needed' },
      { policy: 'always' },
      '',
      ['preflight', ...reboot],
    ],
  ])('%s', (_name, goal, traits, wantedKernel, steps) => {
    expect(stepsOf(planFor([box(traits)], { goal, wantedKernel }), 'box')).toEqual(steps);
  });
});

describe('what is left to do follows from the drift', () => {
  test.each<[string, Parameters<typeof seen>[1], Parameters<typeof machineNamed>[1], readonly string[]]>([
    ['as wanted', { booted: 'new', current: 'new', profile: 'new' }, {}, []],
    [
      'as wanted, but another kernel is booted',
      { current: 'new', profile: 'new' },
      {},
      ['preflight', ...reboot],
    ],
    ['live, not the boot default', { booted: 'new', current: 'new' }, {}, [...begin, ...live]],
    [
      'live, not the boot default, blue-green',
      { booted: 'new', current: 'new' },
      { strategy: 'blue-green' },
      [...begin, 'activate-boot'],
    ],
    ['the boot default, not live', { profile: 'new' }, {}, [...begin, ...live, ...reboot]],
    [
      'the boot default, not live, recreate',
      { profile: 'new' },
      { strategy: 'recreate' },
      ['preflight', ...reboot],
    ],
  ])('%s', (_name, runs, traits, steps) => {
    const plan = planFor([box(traits)], { observations: { box: seen('box', runs) } });
    expect(stepsOf(plan, 'box')).toEqual(steps);
    expect(entryOf(plan, 'box').decision.kind).toBe(steps.length === 0 ? 'nothing' : 'act');
  });

  test('says why nothing is activated, and why nothing is rebooted', () => {
    const done = planFor([box()], {
      observations: { box: seen('box', { booted: 'new', current: 'new', profile: 'new' }) },
    });
    expect(entryOf(done, 'box')).toMatchObject({
      noActivationWhy: 'already runs what the flake wants',
      noRebootWhy: 'kernel, initrd, modules, parameters and systemd are the same',
    });
    expect(entryOf(planFor([box({ policy: 'never' })]), 'box').noRebootWhy).toBe(
      'policy never, though: kernel 6.12.10 → 6.12.11, initrd changed, kernel modules 6.12.10 → 6.12.11',
    );
    expect(entryOf(planFor([box()], { wantedKernel: null }), 'box').noRebootWhy).toBe(
      'not known before the toplevel is built',
    );
    expect(entryOf(planFor([box()], { goal: deploy('switch') }), 'box').noRebootWhy).toBe(
      'this goal does not reboot',
    );
  });

  test('says why it reboots, the kernel first', () => {
    expect(entryOf(planFor([box()]), 'box').reboot?.why[0]).toBe('kernel 6.12.10 → 6.12.11');
    const recreate = planFor([box({ strategy: 'recreate' })], { wantedKernel: kernels.old });
    expect(entryOf(recreate, 'box').reboot?.why).toEqual(['strategy recreate boots into the new generation']);
    const asked = planFor([box()], { goal: { kind: 'reboot', which: 'all' } });
    expect(entryOf(asked, 'box').reboot?.why).toEqual(['asked for']);
  });

  test('says which parts could not be compared', () => {
    const blind = seen('box', {}, { bootedParts: { ...partsWith(kernels.old), initrd: null } });
    const plan = planFor([box()], { observations: { box: blind }, wantedKernel: kernels.old });
    expect(entryOf(plan, 'box').noRebootWhy).toContain('could not compare: initrd');
  });
});

describe('a machine is left out, with the reason', () => {
  const reasonOf = (plan: ReturnType<typeof planFor>, name: string): string => {
    const { decision, steps, restore } = entryOf(plan, name);
    expect(steps).toEqual([]);
    expect(restore).toBeNull();
    return decision.kind === 'skip' ? `${decision.reason}: ${decision.message}` : decision.kind;
  };

  test('unreachable', () => {
    const plan = planFor([box()], { observations: { box: notSeen('box') } });
    expect(reasonOf(plan, 'box')).toBe('unreachable: box does not answer');
  });

  test('not built', () => {
    const failure = {
      kind: 'build',
      machine: 'box',
      phase: 'build',
      message: 'hash mismatch',
      remedy: 'fix it',
    };
    expect(reasonOf(planFor([box()], { more: { buildFailures: new Map([['box', failure]]) } }), 'box')).toBe(
      'not-built: hash mismatch',
    );
    expect(reasonOf(planFor([box()], { more: { toplevels: new Map() } }), 'box')).toContain('not-built');
  });

  test('blocked by a problem of the fleet', () => {
    const blocked = new Map([['box', { message: 'duplicate address', remedy: 'change it' }]]);
    expect(reasonOf(planFor([box()], { more: { blocked } }), 'box')).toBe('blocked: duplicate address');
  });

  test('what it runs cannot be read, so it could not be put back', () => {
    const blind = seen('box', {}, { current: null });
    expect(reasonOf(planFor([box()], { observations: { box: blind } }), 'box')).toContain('unknown-state');
    const reboots = planFor([box()], {
      goal: { kind: 'reboot', which: 'all' },
      observations: { box: blind },
    });
    expect(entryOf(reboots, 'box').decision.kind).toBe('act');
  });

  test('on or behind a dependency cycle', () => {
    const plan = planFor([
      machineNamed('a', { dependencies: ['b'] }),
      machineNamed('b', { dependencies: ['a'] }),
      machineNamed('behind', { dependencies: ['a'] }),
      box(),
    ]);
    for (const name of ['a', 'b', 'behind'])
      expect(reasonOf(plan, name)).toContain('blocked: it is on a dependency cycle');
    expect(entryOf(plan, 'box').decision.kind).toBe('act');
  });

  test('behind a machine that is left out, through any number of others', () => {
    const plan = planFor(
      [
        machineNamed('nas'),
        machineNamed('app', { dependencies: ['nas'] }),
        machineNamed('web', { dependencies: ['app'] }),
        machineNamed('free'),
      ],
      { observations: { nas: notSeen('nas') } },
    );
    expect(reasonOf(plan, 'app')).toBe('dependency: it depends on nas, which this plan leaves out');
    expect(reasonOf(plan, 'web')).toBe('dependency: it depends on app, which this plan leaves out');
    expect(entryOf(plan, 'free').decision.kind).toBe('act');
  });

  test('but one behind it that has nothing to do stays as it is', () => {
    const plan = planFor([machineNamed('nas'), machineNamed('app', { dependencies: ['nas'] })], {
      observations: {
        nas: notSeen('nas'),
        app: seen('app', { booted: 'new', current: 'new', profile: 'new' }),
      },
    });
    expect(entryOf(plan, 'app').decision.kind).toBe('nothing');
  });

  test('and holds up nobody behind itself: its health is probed when their turn comes', () => {
    const plan = planFor(
      [
        machineNamed('nas'),
        machineNamed('app', { dependencies: ['nas'] }),
        machineNamed('web', { dependencies: ['app'] }),
      ],
      {
        observations: {
          nas: notSeen('nas'),
          app: seen('app', { booted: 'new', current: 'new', profile: 'new' }),
        },
      },
    );
    expect(entryOf(plan, 'web').decision.kind).toBe('act');
    expect(entryOf(plan, 'web').steps.map(({ kind }) => kind)).toContain('dependencies');
  });

  test('one that could not be evaluated is named beside the plan', () => {
    const failed = [{ name: 'broken', message: 'syntax error', remedy: 'repair it' }];
    const plan = planFor([box()], {
      selection: ['box', 'broken'],
      more: { fleet: { machines: [box()], failed } },
    });
    expect(plan.leftOut).toEqual(failed);
  });
});

describe('dependencies', () => {
  const fleet = [machineNamed('nas', { delay: 0 }), machineNamed('app', { dependencies: ['nas'], delay: 0 })];

  test('are looked at before the activation and again before the reboot', () => {
    expect(stepsOf(planFor(fleet), 'app')).toEqual([
      ...begin,
      'dependencies',
      ...live,
      'dependencies-before-reboot',
      ...reboot,
    ]);
  });

  test('outside the selection are bystanders, with the units that had failed before', () => {
    const plan = planFor(fleet, {
      selection: ['app'],
      observations: { nas: seen('nas', {}, { failedUnits: ['old.service'] }) },
    });
    expect(plan.bystanders.map(({ machine, failedUnits }) => [machine.name, failedUnits])).toEqual([
      ['nas', ['old.service']],
    ]);
  });
});

describe('rebootDelay', () => {
  const delays = (
    machines: readonly Machine[],
    traits?: Parameters<typeof planFor>[1],
  ): readonly (number | undefined)[] => {
    const plan = planFor(machines, traits);
    return plan.machines.map((entry) => {
      const step = entry.steps.find(({ kind }) => kind === 'delay');
      const delayMs = step?.kind === 'delay' ? step.delayMs : undefined;
      if (entry.reboot !== null) expect(entry.reboot.delayMs).toBe(delayMs ?? 0);
      return delayMs;
    });
  };

  test('the default of 600 s does not delay the first machine', () => {
    expect(delays([machineNamed('a'), machineNamed('b'), machineNamed('c')])).toEqual([
      undefined,
      600_000,
      600_000,
    ]);
  });

  test('a value of its own does, unless it is zero', () => {
    expect(delays([machineNamed('a', { delay: 30 }), machineNamed('b', { delay: 0 })])).toEqual([
      30_000,
      undefined,
    ]);
  });

  test('the first machine is the first that reboots', () => {
    const observations = { a: seen('a', { booted: 'new', current: 'new', profile: 'new' }) };
    expect(delays([machineNamed('a'), machineNamed('b'), machineNamed('c')], { observations })).toEqual([
      undefined,
      undefined,
      600_000,
    ]);
  });
});

describe('the machine lab runs on', () => {
  const desk = machineNamed('desk', { orchestrator: true, delay: 0 });

  test('is deployed, and told why it is not rebooted', () => {
    const plan = planFor([desk, box()], { more: { localMachine: 'desk' } });
    expect(plan.machines.map(({ machine }) => machine.name)).toEqual(['box', 'desk']);
    expect(stepsOf(plan, 'desk')).toEqual([...begin, ...live]);
    expect(entryOf(plan, 'desk')).toMatchObject({ reboot: null, contingent: [] });
    expect(entryOf(plan, 'desk').noRebootWhy).toContain('reboot it yourself once the run is done (kernel');
  });

  test('is rebooted last from elsewhere', () => {
    const plan = planFor([desk, box()]);
    expect(plan.machines.at(-1)?.reboot).not.toBeNull();
  });
});

describe('what watches over an activation', () => {
  const within = (traits: Parameters<typeof machineNamed>[1], goal: Goal = run) =>
    entryOf(planFor([box(traits)], { goal }), 'box').steps.flatMap((step) =>
      step.kind === 'activate' ? [[step.mode, step.confirmWithinMs]] : [],
    );

  test('waits longer than the longest gate: its deadline, its stability, a minute', () => {
    const traits = { deadlines: { down: 1, up: 2, healthy: 90 }, stable: 10, healthChecks: [] };
    expect(within(traits)).toEqual([['switch', 160_000]]);
    expect(within({ ...traits, strategy: 'blue-green' })).toEqual([
      ['test', 160_000],
      ['boot', undefined],
    ]);
  });

  // A check that takes longer than the deadline passes the gate all the same, and would come too late for ever.
  test('waits for the two looks as well that may outlast it: one that first passes, and the last', () => {
    const deadlines = { down: 1, up: 2, healthy: 20 };
    const slow = { ...serviceCheck, timeoutSeconds: 50, retries: 1, intervalSeconds: 5 };
    const waits = (...healthChecks: HealthCheck[]) => within({ deadlines, stable: 0, healthChecks })[0]?.[1];
    expect(waits({ ...serviceCheck, timeoutSeconds: 9, retries: 0 })).toBe(80_000 + 2 * 9_000);
    expect(waits(slow)).toBe(80_000 + 2 * 105_000);
    // No look takes longer than that, whatever its checks would.
    expect(waits(slow, slow)).toBe(80_000 + 2 * 120_000);
  });

  test('is not there where nothing goes live', () => {
    expect(within({ strategy: 'recreate' })).toEqual([['boot', undefined]]);
    expect(within({}, deploy('dry-activate'))).toEqual([['dry-activate', undefined]]);
  });
});

describe('what may become necessary', () => {
  test('a reboot, should the activation ask for one, where the policy allows it', () => {
    const contingent = (traits: Parameters<typeof machineNamed>[1], goal: Goal = run): number =>
      entryOf(planFor([box(traits)], { wantedKernel: kernels.old, goal }), 'box').contingent.length;
    expect(contingent({})).toBe(3);
    expect(contingent({ policy: 'never' })).toBe(0);
    expect(contingent({}, deploy('switch'))).toBe(0);
    expect(entryOf(planFor([box()]), 'box').contingent).toEqual([]);
  });

  test('a way back: to what runs, and to what would be booted', () => {
    const way = (traits: Parameters<typeof machineNamed>[1], goal?: Goal, runs = {}) =>
      entryOf(
        planFor([box(traits)], {
          ...(goal === undefined ? {} : { goal }),
          observations: { box: seen('box', runs) },
        }),
        'box',
      ).restore;
    const old = toplevelOf('box', 'old');
    expect(way({})).toMatchObject({ current: old, profile: old, mode: 'switch' });
    expect(way({}, undefined, { profile: 'new' })).toMatchObject({
      current: old,
      profile: toplevelOf('box', 'new'),
    });
    expect(way({}, deploy('test'))).toMatchObject({ current: old, mode: 'test' });
    expect(way({}, deploy('dry-activate'))).toBeNull();
    expect(way({}, { kind: 'reboot', which: 'all' })).toBeNull();
  });
});

describe('the plan as a value', () => {
  test('is in reboot order with its waves, also for a part of the fleet', () => {
    const fleet = [
      machineNamed('web', { dependencies: ['app'] }),
      machineNamed('app', { dependencies: ['nas'] }),
      machineNamed('nas'),
      machineNamed('pi'),
    ];
    const places = (selection: readonly string[]) =>
      planFor(fleet, { selection }).machines.map(({ machine, position, wave }) => [
        machine.name,
        position,
        wave,
      ]);
    expect(places(['web', 'app', 'nas', 'pi'])).toEqual([
      ['nas', 0, 0],
      ['app', 1, 1],
      ['pi', 2, 1],
      ['web', 3, 2],
    ]);
    expect(places(['web', 'nas'])).toEqual([
      ['nas', 0, 0],
      ['web', 1, 1],
    ]);
  });

  test('has a hash that follows from everything in it, and survives the journal', () => {
    const [one, two] = [planFor([box()]), planFor([box()])];
    expect(one.hash).toBe(two.hash);
    expect(planFor([box({ stable: 11 })]).hash).not.toBe(one.hash);
    const again = Plan.parse(JSON.parse(JSON.stringify(one)));
    expect(again).toEqual(one);
    const { hash, ...body } = again;
    expect(planHash(body)).toBe(hash);
  });

  test('expects its length from its steps: the delays and stable seconds are in it', () => {
    const [short, long] = [planFor([box()]), planFor([box({ delay: 100, stable: 70 })])];
    // 60 s more of stability at each of two gates, and the delay.
    expect(long.expectedMs - short.expectedMs).toBe(100_000 + 2 * 60_000);
  });
});
