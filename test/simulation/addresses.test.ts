import { describe, expect, test } from 'vitest';
import { recordOf } from '../../src/run/records.ts';
import { reportOf } from '../../src/run/report.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { type Character, type Plot, tell } from './story.ts';

/** The address of a machine comes to lead to another one, with a host key that fits. Every rule is checked on the way. */

const elsewhere = (atMs: number, forMs: number | null = null): Fault => ({
  kind: 'leads-elsewhere',
  to: 'other',
  atMs,
  forMs,
});

const told = async (box: Character, plot: Plot = {}) => {
  const story = await tell({ other: {}, box }, plot);
  return { ...story, acts: story.done.map((act) => act.split(' ', 2).join(' ')) };
};

describe('an address that leads to another machine of the run', () => {
  test('before the plan is made: nothing is done there in its name, and the other one has its own turn', async () => {
    const { became, acts } = await told({ faults: [elsewhere(0)] });
    expect(became).toMatchObject({ box: 'skipped: unknown-state', other: 'done' });
    expect(acts).toContain('other switch');
    expect(acts.filter((act) => act.startsWith('box'))).toEqual([]);
  });

  test('at whatever moment it begins to: no act lands on the wrong machine, and the other one comes to its goal', async () => {
    const outcomes = new Set<string>();
    for (let atMs = 0; atMs < 200_000; atMs += 1_500) {
      const { became } = await told({ stable: 5, faults: [elsewhere(atMs)] });
      outcomes.add(became.box ?? '');
      expect(became.other, `${atMs} ms`).toBe('done');
    }
    // Before anything, in the middle of its activation, in its gate, as it reboots, and after it all.
    expect(outcomes.size).toBeGreaterThan(3);
    expect(outcomes).toContain('failed: another-machine');
    expect([...outcomes].some((outcome) => outcome.startsWith('done'))).toBe(true);
  });

  test('as it reboots: the boot of the other one is not taken for its own, and its report does not say that it came up', async () => {
    const rebooting = { policy: 'always' } as const;
    const sound = await told(rebooting);
    const triggered = sound.world.effects.find(({ kind, machine }) => kind === 'reboot' && machine === 'box');
    const atMs = (triggered?.at ?? 0) - sound.startedAt + 100;
    const { state, became } = await told({ ...rebooting, faults: [elsewhere(atMs)] });
    expect(became.box).toBe('failed: never-came-back');
    const report = reportOf(state)?.machines.find(({ machine }) => machine === 'box');
    expect(report).toMatchObject({ rebooted: false });
    expect(report?.summary).toContain('what answers for box is other');
  });

  test('as it reboots, and the process dies: whoever takes the run up waits for it before another one goes down', async () => {
    const rebooting = { policy: 'always' } as const;
    const cast = (faults: readonly Fault[]) => ({
      box: { ...rebooting, rebootOrder: 1, faults },
      other: { ...rebooting, rebootOrder: 2 },
    });
    const sound = await tell(cast([]));
    const triggered = sound.world.effects.find(({ kind, machine }) => kind === 'reboot' && machine === 'box');
    const atMs = (triggered?.at ?? 0) - sound.startedAt + 20;
    const begun = sound.events.findIndex(({ body }) => body.kind === 'approved') + 1;
    const told = sound.events.findIndex(
      ({ body }) => body.kind === 'step-ended' && body.step === 'box/reboot',
    );
    const { became, done, state } = await tell(cast([elsewhere(atMs, 20_000)]), {
      ends: [{ kind: 'killed-at-append', append: told - begun + 1, when: 'before', downMs: 5_000 }],
    });
    expect(recordOf(state, 'box/reboot')?.outcome).toMatchObject({
      facts: { note: expect.stringContaining('probably triggered before lab was interrupted') },
    });
    expect(became).toEqual({ box: 'done', other: 'done' });
    expect(done.filter((act) => act.endsWith('reboot'))).toEqual(['box reboot', 'other reboot']);
  });

  test('of what another one needs: the health of the one that answers is not taken for its own', async () => {
    const cast = (faults: readonly Fault[]) => ({
      other: {},
      base: { faults },
      box: { dependencies: ['base'] },
    });
    const sound = await tell(cast([]));
    const begunAt = recordOf(sound.state, 'box/dependencies')?.intendedAt ?? 0;
    const { became, state } = await tell(cast([elsewhere(begunAt - sound.startedAt + 1)]));
    expect(became).toMatchObject({ base: 'done', box: 'skipped: dependency' });
    const needed = recordOf(state, 'box/dependencies')?.outcome;
    expect(needed).toMatchObject({
      failure: {
        message: expect.stringContaining(
          'its dependency base is not healthy: what answers for base is other',
        ),
      },
    });
  });
});
