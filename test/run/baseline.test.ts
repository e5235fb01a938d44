import { expect, test } from 'vitest';
import { baselineOf } from '../../src/run/baseline.ts';
import { planFor } from '../plan/input.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { approved, succeededWith } from './history.ts';

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
