import { expect, test } from 'vitest';
import { reportOf } from '../../src/health/verdict.ts';
import type { MachinePlan } from '../../src/plan/plan.ts';
import type { Clock, Reachable, Target } from '../../src/ports.ts';
import { awaitBoot, passGate } from '../../src/run/await.ts';
import { planFor, seen } from '../plan/input.ts';
import { machineNamed, toplevelOf } from '../simulation/fleet.ts';
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

const gateOf = (after: 'activation' | 'reboot', health: Partial<Reachable>) => {
  const plan = planFor([machineNamed('box', { delay: 0, stable: 0 })]);
  const [entry] = plan.machines;
  const step = entry?.steps.find((each) => each.kind === 'gate' && each.after === after);
  if (entry === undefined || step?.kind !== 'gate') throw new TypeError('no such gate is planned');
  let nowMs = 0;
  const wanted = seen('box', { current: 'new', booted: 'new' }, { bootId: 'b1' });
  const target = {
    observe: async () => wanted,
    health: async () => reportOf({ ...wanted, ...health }, []),
  };
  return passGate(
    step,
    {
      state: approved(plan).state,
      entry,
      target: target as unknown as Target,
      clock: {
        now: () => nowMs,
        elapsed: () => nowMs,
        sleep: async (ms) => {
          nowMs += ms;
        },
      },
      signal: new AbortController().signal,
      note: () => {},
      ends: () => {},
      warn: () => {},
      progress: () => {},
      again: false,
      stoodStill: () => false,
    },
    'b1',
  );
};

test('a gate passes what ran what it should as its health was read, and not what only did so before', async () => {
  expect(await gateOf('activation', {})).toMatchObject({ kind: 'succeeded' });
  expect(await gateOf('activation', { current: toplevelOf('box', 'foreign') })).toMatchObject({
    kind: 'failed',
  });
  expect(await gateOf('reboot', { bootId: 'b2' })).toMatchObject({
    kind: 'failed',
    failure: { kind: 'boot-loop' },
  });
});
