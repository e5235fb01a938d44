import { describe, expect, test } from 'vitest';
import { recordOf } from '../../src/run/records.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { toplevelOf } from './fleet.ts';
import { tell } from './story.ts';

const broken: readonly Fault[] = [{ kind: 'unhealthy-after', cause: 'activation', forMs: null }];

describe('criticalityLevel decides what a failure does', () => {
  const after = async (criticality: 'low' | 'medium' | 'high' | 'critical') =>
    tell({
      nas: { criticality, faults: broken, rebootOrder: 1 },
      app: { dependencies: ['nas'], rebootOrder: 2 },
      web: { dependencies: ['app'], rebootOrder: 3 },
      other: { rebootOrder: 4 },
    });

  test('low: it is noted, its dependents are skipped, the rest goes on', async () => {
    const { became, result, done } = await after('low');
    expect(became).toEqual({
      nas: 'restored: unhealthy',
      app: 'skipped: dependency',
      web: 'skipped: dependency',
      other: 'done',
    });
    // Dependents of some criticality were skipped: that is not done.
    expect(result).toBe('partial');
    expect(done).toEqual(['nas switch new', 'nas returns', 'other switch new', 'other reboot']);
  });

  test('low alone does not spoil the run', async () => {
    const { result, reason } = await tell({ box: { criticality: 'low', faults: broken }, other: {} });
    expect(result).toBe('done');
    expect(reason).toContain('box');
  });

  test('medium: as low, and the run ends partial', async () => {
    expect((await after('medium')).result).toBe('partial');
    expect((await tell({ box: { criticality: 'medium', faults: broken }, other: {} })).result).toBe(
      'partial',
    );
  });

  test('high: the run holds, and nothing after it is touched', async () => {
    const { became, result, reason, done } = await after('high');
    expect(result).toBe('held');
    expect(reason).toContain('nas (criticality high) failed');
    expect(became).toMatchObject({ nas: 'restored: unhealthy', app: 'waiting', other: 'waiting' });
    expect(done).toEqual(['nas switch new', 'nas returns']);
  });

  test('critical: the run holds, and the machine is returned to what it ran', async () => {
    const { became, result, done, world } = await after('critical');
    expect(result).toBe('held');
    expect(became.nas).toBe('restored: unhealthy');
    expect(done).toEqual(['nas switch new', 'nas returns']);
    expect(world.look('nas')).toMatchObject({
      current: toplevelOf('nas', 'old'),
      profile: toplevelOf('nas', 'old'),
      unready: null,
    });
  });

  test('critical and gone for good: the run holds and says that it was not restored', async () => {
    const { became, result } = await tell({
      box: { criticality: 'critical', faults: [{ kind: 'never-comes-back' }] },
    });
    expect([became.box, result]).toEqual(['failed: never-came-back', 'held']);
  });
});

describe('deployStrategy', () => {
  test('rolling activates live, then reboots', async () => {
    const { done } = await tell({ box: { strategy: 'rolling' } });
    expect(done).toEqual(['box switch new', 'box reboot']);
  });

  test('blue-green makes green the boot default only after its gate', async () => {
    const { done, state } = await tell({ box: { strategy: 'blue-green' } });
    expect(done).toEqual(['box test new', 'box boot new', 'box reboot']);
    const gate = recordOf(state, 'box/gate-after-activation');
    const boot = recordOf(state, 'box/activate-boot');
    expect(gate?.endedAt ?? 0).toBeLessThanOrEqual(boot?.intendedAt ?? 0);
  });

  test('blue-green returns to blue when green is not healthy, and blue stays the boot default', async () => {
    const { became, done, world } = await tell({ box: { strategy: 'blue-green', faults: broken } });
    expect(became.box).toBe('restored: unhealthy');
    expect(done).toEqual(['box test new', 'box returns']);
    expect(world.look('box').profile).toBe(toplevelOf('box', 'old'));
  });

  test('recreate is live only through the reboot, whatever the kernel', async () => {
    const { done, became } = await tell({ box: { strategy: 'recreate' } }, { sameKernel: true });
    expect(done).toEqual(['box boot new', 'box reboot']);
    expect(became.box).toBe('done');
  });

  test('exit 100 turns a switch into a reboot', async () => {
    const { done, became } = await tell(
      { box: { faults: [{ kind: 'activation-exit', code: 100 }] } },
      { sameKernel: true },
    );
    expect(done).toEqual(['box switch new', 'box reboot']);
    expect(became.box).toBe('done');
  });
});

describe('the order', () => {
  test('dependencies reboot first, the orchestrator last, one at a time', async () => {
    const { done, rebootsAt } = await tell({
      desk: { orchestrator: true, rebootOrder: 0 },
      web: { dependencies: ['app'] },
      app: { dependencies: ['nas'] },
      nas: {},
    });
    expect(done.filter((line) => line.endsWith('reboot'))).toEqual([
      'nas reboot',
      'app reboot',
      'web reboot',
      'desk reboot',
    ]);
    // Shutdown, boot, services and ten stable seconds lie between any two.
    for (const [index, at] of rebootsAt.entries())
      if (index > 0) expect(at - (rebootsAt[index - 1] ?? 0)).toBeGreaterThan(30);
  });

  test('a dependency outside the selection is looked at, and an ill one stops its dependent', async () => {
    const well = await tell({ nas: {}, app: { dependencies: ['nas'] } }, { selection: ['app'] });
    expect([well.became, well.done[0]]).toEqual([{ app: 'done' }, 'app switch new']);
    const ill = await tell(
      { nas: { faults: [{ kind: 'falls-ill', atMs: 0, forMs: null }] }, app: { dependencies: ['nas'] } },
      { selection: ['app'] },
    );
    expect([ill.became, ill.done]).toEqual([{ app: 'skipped: dependency' }, []]);
  });

  test('a dependency that falls ill between deployment and reboot stops the reboot', async () => {
    const { became, done } = await tell(
      {
        nas: { faults: [{ kind: 'falls-ill', atMs: 20_000, forMs: null }] },
        app: { dependencies: ['nas'] },
      },
      { selection: ['app'] },
    );
    expect([became, done]).toEqual([{ app: 'skipped: dependency' }, ['app switch new']]);
  });

  test('the machine that lab runs on is deployed and not rebooted', async () => {
    const { done, became, plan } = await tell(
      { box: {}, desk: { orchestrator: true } },
      { localMachine: 'desk' },
    );
    expect(done).toEqual(['box switch new', 'box reboot', 'desk switch new']);
    expect(became.desk).toBe('done');
    expect(plan.machines.at(-1)?.noRebootWhy).toContain('reboot it yourself');
  });
});

describe('rebootDelay', () => {
  test('the default does not delay the first machine, its own value does', async () => {
    const byDefault = await tell({ a: { delay: 600, delayIsOwn: false } });
    const own = await tell({ a: { delay: 600 } });
    expect(byDefault.rebootsAt[0]).toBeLessThan(60);
    expect(own.rebootsAt[0]).toBeGreaterThanOrEqual(600);
    expect(own.rebootsAt[0]).toBeLessThan(660);
  });

  test('it counts from the moment the gate before passed, and does not add up', async () => {
    const { rebootsAt, state } = await tell({
      a: { delay: 0, rebootOrder: 1 },
      b: { delay: 200, rebootOrder: 2 },
      c: { delay: 300, rebootOrder: 3 },
    });
    const passedAt = (name: string): number =>
      ((recordOf(state, `${name}/gate-after-reboot`)?.endedAt ?? 0) - (state.approvedAt ?? 0)) / 1_000;
    expect(Math.abs((rebootsAt[1] ?? 0) - passedAt('a') - 200)).toBeLessThan(5);
    expect(Math.abs((rebootsAt[2] ?? 0) - passedAt('b') - 300)).toBeLessThan(5);
  });
});
