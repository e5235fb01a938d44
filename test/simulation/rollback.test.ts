import { describe, expect, test } from 'vitest';
import type { Goal } from '../../src/plan/plan.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { toplevelOf } from './fleet.ts';
import { type Character, type Plot, tell } from './story.ts';

/** Rollbacks, told: `new` is the generation before `old` here. */

const back: Goal = { kind: 'rollback', to: { kind: 'previous' }, reboot: true };
const chain = (faults: Readonly<Record<string, readonly Fault[]>> = {}, traits: Character = {}) => ({
  nas: { ...traits, faults: faults.nas ?? [] },
  app: { ...traits, dependencies: ['nas'], faults: faults.app ?? [] },
  web: { ...traits, dependencies: ['app'], faults: faults.web ?? [] },
});
const rollback = (cast: Readonly<Record<string, Character>>, plot: Plot = {}) =>
  tell(cast, { goal: back, sameKernel: true, ...plot });

describe('a rollback of machines that need each other', () => {
  test('goes backwards, each to the number it had', async () => {
    const { done, became, result, world } = await rollback(chain());
    expect(done).toEqual(['web switch new', 'app switch new', 'nas switch new']);
    expect(became).toEqual({ web: 'done', app: 'done', nas: 'done' });
    expect(result).toBe('done');
    for (const name of ['nas', 'app', 'web'])
      expect(world.look(name)).toMatchObject({ generation: 1, profile: toplevelOf(name, 'new') });
  });

  test('stops above a machine that did not go back: what it needs stays as it is', async () => {
    const broken: Fault = { kind: 'unhealthy-after', cause: 'activation', forMs: null };
    const { done, became, result } = await rollback(chain({ app: [broken] }));
    expect(done).toEqual(['web switch new', 'app switch new', 'app returns']);
    expect(became).toEqual({ web: 'done', app: 'restored: unhealthy', nas: 'skipped: dependency' });
    expect(result).toBe('partial');
  });

  test('sends a sick machine first, and then those that need it', async () => {
    const sick: Fault = { kind: 'falls-ill', atMs: 0, forMs: 12_000 };
    const { done, became } = await rollback(chain({ nas: [sick] }));
    expect(done).toEqual(['web switch new', 'nas switch new', 'app switch new']);
    expect(became).toEqual({ web: 'done', nas: 'done', app: 'done' });
  });

  test('reboots backwards too, minutes after another boot', async () => {
    const { done } = await rollback(chain({}, { minUptime: 300 }), { sameKernel: false });
    expect(done).toEqual([
      'web switch new',
      'web reboot',
      'app switch new',
      'app reboot',
      'nas switch new',
      'nas reboot',
    ]);
  });

  test('whose machine is away leaves alone what that one needs', async () => {
    const { done, became, result } = await rollback(chain({ app: [{ kind: 'offline' }] }));
    expect(became).toEqual({
      web: 'skipped: dependency',
      app: 'skipped: unreachable',
      nas: 'skipped: dependency',
    });
    expect([done, result]).toEqual([[], 'failed']);
  });

  test('goes on where it was when its process dies and it is resumed', async () => {
    const { done, became, world } = await rollback(chain(), {
      ends: [{ kind: 'killed-at', ms: 25_000, downMs: 5_000 }],
    });
    expect([...new Set(done)]).toEqual(['web switch new', 'app switch new', 'nas switch new']);
    expect(became).toEqual({ web: 'done', app: 'done', nas: 'done' });
    expect(world.look('nas').generation).toBe(1);
  });
});
