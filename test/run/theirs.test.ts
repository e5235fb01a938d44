import { expect, test } from 'vitest';
import { theirsOn } from '../../src/run/theirs.ts';
import { planFor, seen } from '../plan/input.ts';
import { machineNamed, toplevelOf } from '../simulation/fleet.ts';
import { approved } from './history.ts';

const foreign = toplevelOf('box', 'foreign');

const asked = (runs: Parameters<typeof seen>[1], more: Parameters<typeof seen>[2] = {}) => {
  const plan = planFor([machineNamed('box')]);
  const [entry] = plan.machines;
  if (entry === undefined) throw new TypeError('nothing is planned');
  return theirsOn(approved(plan).state, entry, seen('box', runs, more));
};

test('what a machine had before, and what it was to get, is nobody else’s', () => {
  for (const current of ['old', 'new'] as const)
    for (const profile of ['old', 'new'] as const) expect(asked({ current, profile })).toBeNull();
});

test('what is neither was deployed by somebody else, live or for the next boot', () => {
  expect(asked({}, { current: foreign, profile: foreign })).toEqual({ what: 'runs', toplevel: foreign });
  expect(asked({}, { current: foreign })).toEqual({ what: 'runs', toplevel: foreign });
  expect(asked({}, { profile: foreign })).toEqual({ what: 'boots', toplevel: foreign });
  expect(asked({}, { booted: foreign, current: foreign, profile: foreign })).toMatchObject({ what: 'runs' });
});

test('what a boot loader chose in place of the default is nobody’s deployment, however old', () => {
  expect(asked({ profile: 'new' }, { booted: foreign, current: foreign })).toBeNull();
});

test('what cannot be read is nobody’s either', () => {
  expect(asked({}, { current: null, profile: null })).toBeNull();
});
