import { expect, test } from 'vitest';
import { changesOf } from '../../src/flow/way-back.ts';
import { planFor } from '../plan/input.ts';
import { approved, succeededWith } from '../run/history.ts';
import { machineNamed, toplevelOf } from '../simulation/fleet.ts';

test('what a run went ahead past, somebody’s change since its plan, is what its rollback returns to', () => {
  const plan = planFor([machineNamed('box', { delay: 0 })]);
  const theirs = toplevelOf('box', 'theirs');
  const history = approved(plan)
    .begin('box/preflight')
    .end('box/preflight', succeededWith({ bootId: 'b', current: theirs, profile: theirs }))
    .pass('box/copy', 'box/activate-switch');
  expect(changesOf(history.state)).toEqual([
    {
      machine: 'box',
      before: { current: theirs, profile: theirs, generation: null },
      wanted: plan.machines[0]?.wanted,
    },
  ]);
});
