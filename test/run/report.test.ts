import { expect, test } from 'vitest';
import { reportOf } from '../../src/run/report.ts';
import { planFor, seen } from '../plan/input.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { approved } from './history.ts';

test('a machine with nothing to do whose units fail is not told as if it were well', () => {
  const done = { kind: 'run-ended', result: 'done', reason: '', failure: null } as const;
  const asWanted = { booted: 'new', current: 'new', profile: 'new' } as const;
  const told = (failedUnits: readonly string[]) => {
    const plan = planFor([machineNamed('box')], {
      observations: { box: seen('box', asWanted, { failedUnits }) },
    });
    return reportOf(approved(plan).add(done).state)?.machines[0];
  };
  expect(told([])).toMatchObject({ status: 'nothing', summary: 'already runs what the flake wants' });
  expect(told(['nginx.service'])?.summary).toBe(
    'already runs what the flake wants, and is not well: units failed (nginx.service)',
  );
});
