import { describe, expect, test } from 'vitest';
import { measuredIn } from '../../src/run/measured.ts';
import { allRecords } from '../../src/run/records.ts';
import { toplevelOf } from './fleet.ts';
import { tell } from './story.ts';

/** The process of the engine is stopped for a while, or its computer suspended, and goes on as if nothing had been. */

const hourMs = 3_600_000;
const cast = { nas: {}, app: { dependencies: ['nas'] } };

/** Longer than any look may take, and shorter than a machine waits for its confirmation. */
const minutesMs = 90_000;

describe('a run whose process stands still', () => {
  test('for a minute and a half, at any moment: it comes to the same, and gives nobody up for what it did not see', async () => {
    const sound = await tell(cast);
    const lastsMs = (sound.state.ended?.at ?? 0) - sound.startedAt;
    for (let atMs = 100; atMs < lastsMs; atMs += 900) {
      const { became, done, result } = await tell(cast, { standstills: [{ atMs, forMs: minutesMs }] });
      expect([became, done, result], `${atMs} ms`).toEqual([sound.became, sound.done, 'done']);
    }
  });

  test('for minutes, at any moment, paused by a person or not: nobody learns from it that things take so long', async () => {
    const sound = await tell(cast);
    const lastsMs = (sound.state.ended?.at ?? 0) - sound.startedAt;
    const longest = Math.max(...measuredIn(sound.plan, sound.events).map(({ ms }) => ms));
    for (let atMs = 100; atMs < lastsMs; atMs += 900)
      for (const pauses of [[], [{ atMs: Math.max(1, atMs - 500), forMs: 2 * minutesMs }]]) {
        const told = await tell(cast, { standstills: [{ atMs, forMs: minutesMs }], pauses });
        const learnt = measuredIn(told.plan, told.events);
        // A look that is done again takes its time again, and no more.
        expect(Math.max(0, ...learnt.map(({ ms }) => ms)), `${atMs} ms`).toBeLessThan(longest + 10_000);
      }
  });

  test('for an hour, and what its next machine needs falls ill meanwhile: that one is left alone', async () => {
    const sound = await tell(cast);
    const at = (step: string): number =>
      (allRecords(sound.state).find(({ step: { id } }) => id === step)?.intendedAt ?? 0) - sound.startedAt;
    for (const [step, effect] of [
      ['activate-switch', 'app switch new'],
      ['reboot', 'app reboot'],
    ] as const)
      for (let earlierMs = -600; earlierMs <= 600; earlierMs += 20) {
        const atMs = at(`app/${step}`) + earlierMs;
        const nas = { faults: [{ kind: 'falls-ill', atMs: atMs + 60_000, forMs: null } as const] };
        const { done, became, world } = await tell(
          { ...cast, nas },
          { standstills: [{ atMs, forMs: hourMs }] },
        );
        expect(world.look('nas').ill, `${atMs} ms`).not.toBeNull();
        // What had begun before it stood still has begun.
        if (done.includes(effect)) continue;
        expect(became.app, `${step}, ${atMs} ms`).toMatch(/dependency/u);
      }
  });

  test('for an hour and then another while it looks at what its next machine needs, and somebody asks something of it meanwhile: it looks again', async () => {
    const sound = await tell(cast);
    const looked = allRecords(sound.state).find(({ step: { id } }) => id === 'app/dependencies');
    const [begunAt, endedAt] = [looked?.intendedAt ?? 0, looked?.endedAt ?? 0];
    const illMs = endedAt - sound.startedAt + 60_000;
    for (let laterMs = 1; laterMs < endedAt - begunAt; laterMs += 3) {
      const { became, world } = await tell(
        { ...cast, nas: { faults: [{ kind: 'falls-ill', atMs: illMs, forMs: null }] } },
        {
          standstills: [
            { step: 'dependencies', nth: 1, laterMs, forMs: hourMs },
            { atMs: illMs + 1_000, forMs: hourMs },
          ],
          steers: [{ what: 'skip', machine: 'nobody', atMs: illMs }],
        },
      );
      expect(world.look('nas').ill, `${laterMs} ms`).not.toBeNull();
      expect(became.app, `${laterMs} ms`).toMatch(/dependency/u);
    }
  });

  test('for an hour at the end of any step: every lease is had and every gate passed by what is seen afterwards', async () => {
    const sound = await tell(cast);
    for (const { step, endedAt } of allRecords(sound.state))
      for (let earlierMs = 10; earlierMs <= 130; earlierMs += 20) {
        const atMs = (endedAt ?? 0) - sound.startedAt - earlierMs;
        const { became, state } = await tell(cast, { standstills: [{ atMs, forMs: hourMs }] });
        // One whose activation nobody confirmed in time goes back by itself, and what needs it is left alone.
        expect(state.ended?.result, `${step.id}, ${atMs} ms`).toMatch(
          became.nas === 'done' && became.app === 'done' ? /done/u : /failed|partial|held/u,
        );
      }
  });

  test('while it looks whether a machine goes down at last: one that has rebooted meanwhile is not said to run its old boot', async () => {
    const story = (standstills: NonNullable<Parameters<typeof tell>[1]>['standstills'] = []) =>
      tell({ box: { faults: [{ kind: 'slow-shutdown', ms: 50_000 }] } }, { standstills });
    const sound = await story();
    expect(sound.became.box).toBe('failed: never-went-down');
    const looked = allRecords(sound.state).find(({ step: { kind } }) => kind === 'await-boot');
    const [begunAt, endedAt] = [looked?.intendedAt ?? 0, looked?.endedAt ?? 0];
    for (let laterMs = Math.max(1, endedAt - begunAt - 100); laterMs < endedAt - begunAt; laterMs += 5) {
      const { became } = await story([{ step: 'await-boot', nth: 1, laterMs, forMs: 2 * minutesMs }]);
      expect(became.box, `${laterMs} ms`).toBe('done');
    }
  });

  test.each([
    ['nothing had begun on its machine', { kind: 'starts-nothing' }],
    ['its machine has gone back by itself', { kind: 'activation-exit', code: 2 }],
  ] as const)(
    'while it looks what a return has come to, where %s: what somebody deploys meanwhile is seen',
    async (_why, fault) => {
      const toplevel = toplevelOf('box', 'foreign');
      const story = (
        atMs: number,
        standstills: NonNullable<Parameters<typeof tell>[1]>['standstills'] = [],
      ) => {
        const theirs = { kind: 'foreign-deploy', atMs, toplevel } as const;
        return tell({ box: { criticality: 'critical', faults: [fault, theirs] } }, { standstills });
      };
      const sound = await story(hourMs);
      expect(sound.became.box).toMatch(/^restored/u);
      const back = allRecords(sound.state).find(({ step: { kind } }) => kind === 'restore');
      const [begunAt, endedAt] = [back?.intendedAt ?? 0, back?.endedAt ?? 0];
      for (let laterMs = Math.max(1, endedAt - begunAt - 100); laterMs < endedAt - begunAt; laterMs += 5) {
        const { became, world } = await story(endedAt - sound.startedAt + 60_000, [
          { step: 'restore', nth: 1, laterMs, forMs: 2 * minutesMs },
        ]);
        expect([became.box, world.look('box').current], `${laterMs} ms`).toEqual([
          expect.stringMatching(/^failed/u),
          toplevel,
        ]);
      }
    },
  );
});
