import { expect, test } from 'vitest';
import { reportOf } from '../../src/run/report.ts';
import { tell } from './story.ts';

/** One machine at a time is the rule of a run: what else of a group is down is told to who reads its report. */

const warningsOf = ({ state }: Awaited<ReturnType<typeof tell>>, name: string): readonly string[] =>
  reportOf(state)?.machines.find(({ machine }) => machine === name)?.warnings ?? [];

test('a reboot beside one of its group that is away, or that this run has lost, is told', async () => {
  const told = await tell({
    first: { groups: ['dns'], faults: [{ kind: 'offline' }], rebootOrder: 1 },
    second: { groups: ['dns'], faults: [{ kind: 'never-comes-back' }], rebootOrder: 2 },
    third: { groups: ['dns', 'web'], rebootOrder: 3 },
    other: { groups: ['web'], rebootOrder: 4 },
    alone: { rebootOrder: 5 },
  });
  expect(told.became).toMatchObject({ third: 'done', other: 'done', alone: 'done' });
  expect(warningsOf(told, 'third')).toEqual([
    'goes down while others of its groups may be: first (unreachable), second (never-came-back)',
  ]);
  expect([warningsOf(told, 'other'), warningsOf(told, 'alone')]).toEqual([[], []]);
});

test('so is one that was lost at whatever moment of the run', async () => {
  const untold: string[] = [];
  for (let trip = 2; trip < 32; trip += 1) {
    const told = await tell({
      first: {
        groups: ['dns'],
        rebootOrder: 1,
        criticality: 'low',
        faults: [{ kind: 'trip-lost', trip, dispatched: false, forMs: 3_600_000 }],
      },
      second: { groups: ['dns'], rebootOrder: 2 },
    });
    expect(told.became.second).toBe('done');
    const warned = warningsOf(told, 'second').some((warning) => warning.includes('first ('));
    // Lost after its last gate, it is up as far as anybody knows.
    if (!warned && told.became.first !== 'done') untold.push(`trip ${trip}: ${told.became.first}`);
  }
  expect(untold).toEqual([]);
});
