import { expect, test } from 'vitest';
import { baselineOf } from '../../src/run/baseline.ts';
import { planFor } from '../plan/input.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { approved, failedWith, succeededWith } from './history.ts';

const sees = (checks: readonly string[], units: readonly string[] = []) =>
  succeededWith({ bootId: 'b', failing: { checks, units } });

test.each([{ kind: 'resumed', pid: 2 } as const, { kind: 'unpaused', by: 'amy' } as const])(
  'what begins to fail while a run waits is not excused by the look after it: $kind',
  (event) => {
    const plan = planFor([machineNamed('box', { delay: 0 })]);
    const [entry] = plan.machines;
    if (entry === undefined) throw new TypeError('no machine is planned');
    const history = approved(plan)
      .begin('box/preflight')
      .end('box/preflight', sees(['old', 'repaired'], ['old.service']))
      .add(event)
      .begin('box/preflight')
      .end('box/preflight', sees(['old', 'new'], ['old.service', 'new.service']));
    expect(baselineOf(history.state, entry)).toEqual({ checks: ['old'], units: ['old.service'] });
    // And again: the first look stays the measure, however often it is repeated.
    history
      .add(event)
      .begin('box/preflight')
      .end('box/preflight', sees(['new', 'old']));
    expect(baselineOf(history.state, entry)).toEqual({ checks: ['old'], units: [] });
  },
);

test.each([
  ['its process dies before it is confirmed', [{ kind: 'resumed', pid: 2 }]],
  [
    'its confirmation fails, and it is tried again',
    [
      { kind: 'step-intended', step: 'box/confirm' },
      { kind: 'step-ended', step: 'box/confirm', outcome: failedWith('confirmation-unknown') },
      { kind: 'steered', what: 'retry', machine: 'box', by: 'amy' },
    ],
  ],
] as const)('what has passed a gate since has to go on passing, though %s', (_why, events) => {
  const plan = planFor([machineNamed('box', { delay: 0, criticality: 'low' })]);
  const [entry] = plan.machines;
  if (entry === undefined) throw new TypeError('no machine is planned');
  const history = approved(plan)
    .begin('box/preflight')
    .end('box/preflight', sees(['old', 'repaired']))
    .pass('box/copy', 'box/activate-switch')
    .begin('box/gate-after-activation')
    .end('box/gate-after-activation', sees(['old']));
  for (const event of events) history.add(event);
  expect(baselineOf(history.state, entry).checks).toEqual(['old']);
  history.begin('box/activate-switch', 'box/gate-after-activation');
  expect(baselineOf(history.state, entry).checks).toEqual(['old']);
});
