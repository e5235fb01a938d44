import { expect, test } from 'vitest';
import { evaluationSurvived } from '../../src/flow/update-lock.ts';
import { machineNamed } from '../simulation/fleet.ts';

/** What an update may not do to a machine that was sound before it. */

const [nas, app] = [machineNamed('nas'), machineNamed('app')];
const before = { machines: [nas, app], failed: [] };
const broken = { name: 'app', message: 'attribute missing', remedy: 'add it' };

test('a machine that breaks with an update, or goes with it, is not dropped without a word', () => {
  const both = ['app', 'nas'];
  expect(evaluationSurvived(before, before, both).ok).toBe(true);
  for (const [failed, why] of [
    [[broken], 'app: attribute missing'],
    [[], 'app: the flake does not describe it any more'],
  ] as const)
    expect(evaluationSurvived(before, { machines: [nas], failed: [...failed] }, both)).toMatchObject({
      ok: false,
      failure: { kind: 'update-breaks-evaluation', detail: [why] },
    });
});

test('one that was broken before, or is not chosen, keeps nobody from the update', () => {
  const after = { machines: [nas], failed: [broken] };
  expect(evaluationSurvived({ machines: [nas], failed: [broken] }, after, ['nas', 'app']).ok).toBe(true);
  expect(evaluationSurvived(before, after, ['nas']).ok).toBe(true);
});
