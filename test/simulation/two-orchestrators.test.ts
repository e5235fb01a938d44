import { expect, test } from 'vitest';
import { leaseTimes } from '../../src/run/lease.ts';
import { progressOf } from '../../src/run/progress.ts';
import { type Performance, simulateTwo } from './two-orchestrators.ts';
import { randomTwo, smallTwo } from './two-scenarios.ts';

/** Two orchestrators over one fleet: never both on one machine, and neither holds the other up for ever. */

const became = ({ plan, state }: Performance): readonly string[] =>
  plan.machines.map((entry) => {
    const { status, failure } = progressOf(state, entry);
    return `${entry.machine.name} ${failure === null ? status : failure.kind}`;
  });
const actors = (effects: readonly { machine: string; run: string }[], machine: string): readonly string[] => [
  ...new Set(effects.filter((effect) => effect.machine === machine).map(({ run }) => run)),
];

test('the second finds every machine leased, says by whom, and touches none', async () => {
  const { first, second, world } = await simulateTwo(smallTwo([], 4_000));
  expect(became(first)).toEqual(['nas done', 'app done', 'desk done']);
  expect(became(second)).toEqual(['nas leased', 'app leased', 'desk leased']);
  expect(second.state.ended).toMatchObject({
    result: 'failed',
    failure: {
      kind: 'leased',
      message: expect.stringContaining('run 20260101-000000-0001 of alice@host-of-alice holds it'),
    },
  });
  expect(world.effects.every(({ run }) => run === first.state.run)).toBe(true);
  expect(world.look('nas').lease).toMatchObject({ state: 'released', run: first.state.run });
});

test('begun in the same moment, each machine is one’s', async () => {
  for (const startsAtMs of [0, 20, 50, 100, 150, 200, 300]) {
    const { first, second, world } = await simulateTwo(smallTwo([], startsAtMs));
    for (const name of ['nas', 'app', 'desk'])
      expect(actors(world.effects, name).length).toBeLessThanOrEqual(1);
    expect(
      became(first)
        .concat(became(second))
        .filter((words) => words.endsWith(' done')).length,
    ).toBeGreaterThan(0);
  }
});

test('a run that waits for an hour keeps its leases, also of machines whose turn has not come', async () => {
  const { fleet, orchestrators } = smallTwo([], 3_000_000);
  const machines = fleet.machines.map((machine) => ({
    ...machine,
    orchestration: { ...machine.orchestration, rebootDelay: 3_600, rebootDelayIsOwn: true },
  }));
  const { first, second } = await simulateTwo({ fleet: { ...fleet, machines }, orchestrators });
  expect(became(first)).toEqual(['nas done', 'app done', 'desk done']);
  expect(became(second)).toEqual(['nas leased', 'app leased', 'desk leased']);
});

test('after the first has ended the second may go on: the leases were given back', async () => {
  const { first, second } = await simulateTwo(smallTwo([], 1_800_000));
  expect([first.state.ended?.result, second.state.ended?.result]).toEqual(['done', 'done']);
});

test('the first dies at every append and never comes back: what it held is free when its leases have run out', async () => {
  const whole = (await simulateTwo(smallTwo([], 7_200_000))).first.events.length;
  for (let append = 1; append < whole - 3; append += 1) {
    const dead = [{ at: { append }, downMs: null }];
    const late = await simulateTwo(smallTwo(dead, 1_800_000));
    expect(became(late.second), `append ${append}`).toEqual(['nas done', 'app done', 'desk done']);
  }
});

test('the first dies at every append, and its own resumption goes on at once with what it holds', async () => {
  const whole = (await simulateTwo(smallTwo([], 7_200_000))).first.events.length;
  for (let append = 1; append < whole - 3; append += 3) {
    const { first, second } = await simulateTwo(smallTwo([{ at: { append }, downMs: 500 }], 7_200_000));
    expect(became(first), `append ${append}`).toEqual(['nas done', 'app done', 'desk done']);
    expect(second.state.ended?.result).toBe('done');
  }
});

test('the first comes back when the second has taken over: it acts no more where the second did', async () => {
  const { ttlMs } = leaseTimes;
  const whole = (await simulateTwo(smallTwo([], 7_200_000))).first.events.length;
  const ends = new Set<string>();
  for (let append = 1; append < whole - 3; append += 1) {
    // Bob begins once the leases have run out; Alice is back in the middle of his run, and after it.
    for (const downMs of [ttlMs + 260_000, ttlMs + 330_000, 3_600_000]) {
      const dead = [{ at: { append }, downMs }];
      const bobWants = append % 2 === 0 ? 'the same' : 'newer';
      const { first, second } = await simulateTwo(smallTwo(dead, ttlMs + 240_000, bobWants));
      for (const words of [...became(first), ...became(second)]) ends.add(words.replace(/^\S+ /u, ''));
    }
  }
  expect([...ends]).toEqual(expect.arrayContaining(['done', 'lease-lost', 'leased']));
});

test('random fleets, faults and deaths: 400 seeds break no rule', async () => {
  for (let seed = 1; seed <= 400; seed += 1)
    try {
      await simulateTwo(randomTwo(seed));
    } catch (error) {
      throw new Error(`seed ${seed} broke a rule. Replay: npm run sim -- --two ${seed}`, { cause: error });
    }
});

test('a machine that still goes down for the other run, which has given it up, is left alone', async () => {
  const kinds = new Set<string | undefined>();
  for (let atMs = 60_000; atMs <= 600_000; atMs += 60_000) {
    const { fleet, orchestrators } = smallTwo([], atMs);
    const hanging = { kind: 'slow-shutdown', ms: 900_000 } as const;
    const starts = fleet.starts.map((start) =>
      start.name === 'nas' ? { ...start, faults: [hanging] } : start,
    );
    const { second } = await simulateTwo({ fleet: { ...fleet, starts }, orchestrators });
    for (const entry of second.plan.machines)
      if (entry.machine.name === 'nas') kinds.add(progressOf(second.state, entry).failure?.kind);
  }
  expect([...kinds]).toContain('stopping');
});
