import { expect, test } from 'vitest';
import type { MachinePlan } from '../../src/plan/plan.ts';
import type { Clock, Target } from '../../src/ports.ts';
import { awaitBoot } from '../../src/run/await.ts';
import { planFor, seen } from '../plan/input.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { approved, succeededWith } from './history.ts';

const learnt = { times: 5, typicalMs: 40_000, slowMs: 50_000, longestMs: 60_000 };

/** What is said of a boot that is looked at so long after its trigger. */
const saidAfter = async (laterMs: number): Promise<string> => {
  const plan = planFor([machineNamed('box', { delay: 0 })]);
  const [planned] = plan.machines;
  const step = planned?.steps.find(({ kind }) => kind === 'await-boot');
  if (planned === undefined || step?.kind !== 'await-boot') throw new TypeError('no reboot is planned');
  const entry: MachinePlan = { ...planned, durations: { reboot: learnt } };
  const { state } = approved(plan)
    .pass('box/preflight', 'box/copy', 'box/activate-switch', 'box/gate-after-activation', 'box/confirm')
    .begin('box/reboot')
    .end('box/reboot', succeededWith({ bootId: 'old' }));
  const now = (): number => state.lastAt + laterMs;
  const clock: Clock = { now, elapsed: now, sleep: async () => {} };
  const target = { observe: async () => seen('box', { booted: 'new' }, { bootId: 'new' }) };
  const outcome = await awaitBoot(
    step,
    {
      state,
      entry,
      target: target as unknown as Target,
      clock,
      signal: new AbortController().signal,
      note: () => {},
      ends: () => {},
      warn: () => {},
      progress: () => {},
      again: false,
      stoodStill: () => false,
    },
    'old',
  );
  return outcome.kind === 'succeeded' ? outcome.facts.note : outcome.failure.message;
};

test('how long a reboot took is told by who saw it from its trigger on, and by nobody else', async () => {
  expect(await saidAfter(100)).toMatch(/booted as expected after 0 s \(usually 40 s\)$/u);
  expect(await saidAfter(4 * 60_000)).toMatch(/booted as expected$/u);
});
