import { expect, test } from 'vitest';
import { makePen } from '../../../src/tui/draw/pen.ts';
import { resultLines } from '../../../src/tui/screen/result.ts';
import { notSeen, planFor } from '../../plan/input.ts';
import { approved } from '../../run/history.ts';
import { machineNamed } from '../../simulation/fleet.ts';
import { plainTextOf } from '../fixtures/text.ts';

test('the end of a run names what it leaves owed, and what was worth a warning', () => {
  const plan = planFor([machineNamed('box', { delay: 0 }), machineNamed('off')], {
    observations: { off: notSeen('off') },
  });
  const { state } = approved(plan)
    .pass('box/preflight', 'box/copy', 'box/activate-switch', 'box/gate-after-activation', 'box/confirm')
    .pass('box/reboot')
    .begin('box/await-boot')
    .add({ kind: 'step-noted', step: 'box/await-boot', note: 'longer than ever', warning: true })
    .add({ kind: 'run-ended', result: 'interrupted', reason: 'stopped', failure: null });
  const text = resultLines(state, [], 100, makePen(false)).map((content) => plainTextOf(content).trimEnd());
  expect(text).toContainEqual(expect.stringMatching(/^\s+warning\s+longer than ever$/u));
  const owed = text.indexOf(' OWED');
  expect(text.slice(owed, owed + 2)).toEqual([
    ' OWED',
    expect.stringMatching(/^\s+off\s+deploy, reboot if needed$/u),
  ]);
});
