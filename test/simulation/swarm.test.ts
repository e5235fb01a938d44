import { expect, test } from 'vitest';
import { simulateSeed } from './haul.ts';
import { randomScenario } from './random-scenario.ts';
import { simulate } from './simulate.ts';

/** Random fleets, goals, faults and process deaths. `npm run sim -- --runs N` goes further. */
const seeds = 1_500;

test(`${seeds} seeds break no rule`, async () => {
  const results = new Set<string>();
  for (let seed = 1; seed <= seeds; seed += 1)
    try {
      results.add((await simulateSeed(seed)).state.ended?.result ?? 'none');
    } catch (error) {
      throw new Error(`seed ${seed} broke a rule. Replay: npm run sim -- --seed ${seed}`, { cause: error });
    }
  // The swarm reaches every way a run can end; `none`: left by everyone, or by the machine of the engine.
  expect([...results].sort()).toEqual(['done', 'failed', 'held', 'interrupted', 'none', 'partial']);
});

test('seeds that broke a rule in a long haul break none', async () => {
  // A pause in the middle of a look at dependencies; a crash between the two looks at a machine that was returned; an
  // illness between two looks of a gate; a crash of a machine that was seen to run what it is then asked to activate again.
  // A reboot in spite of an activation, as somebody chose; a machine of the engine that crashes again once it is back.
  // A closure that is gone, and a crash while it is copied once more; a pause in the middle of the last look.
  for (const seed of [
    5_372_701, 5_474_101, 5_772_449, 123_766, 687_450_443, 687_575_026, 39_401_832, 39_416_655, 129_912_739,
  ])
    expect((await simulate(randomScenario(seed))).state.ended, `seed ${seed}`).not.toBeNull();
});

test('the same seed gives the same run, event for event', async () => {
  for (const seed of [7, 42, 1234]) {
    const [first, second] = [await simulate(randomScenario(seed)), await simulate(randomScenario(seed))];
    expect(second.events).toEqual(first.events);
    expect(second.world.effects).toEqual(first.world.effects);
  }
});
