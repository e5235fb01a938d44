import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { fail, ok } from '../../src/failure.ts';
import { lookForBlockers, withOverrides } from '../../src/flow/session-blockers.ts';
import { createStore } from '../../src/flow/session-store.ts';
import type { PreflightFacts, Target } from '../../src/ports.ts';
import { seedObservations, seedSnapshot, unreachable } from '../tui/fixtures/lab.ts';
import { fullPlan, waitingSnapshot } from '../tui/fixtures/runs.ts';

/** What would hold machines back is known before the plan is answered. */

const gibi = 1024 ** 3;
const free: PreflightFacts = {
  root: true,
  rootProblem: null,
  nixFreeBytes: 40 * gibi,
  bootFreeBytes: gibi,
  inhibitors: [],
  inhibitorsUnknown: null,
  logins: [],
  loginsUnknown: null,
  askedBy: [],
  activating: null,
};
const amy = { user: 'amy', on: 'pts/0', from: null, since: null, idleMs: 0, own: false };

const looker = (facts: Readonly<Record<string, Partial<PreflightFacts> | 'silent'>>) => {
  const asked: string[] = [];
  const target: Pick<Target, 'observe' | 'preflight'> = {
    observe: async ({ name }) => seedObservations.get(name) ?? unreachable(name),
    preflight: async ({ name }) => {
      asked.push(name);
      const given = facts[name];
      return given === 'silent'
        ? fail({
            kind: 'ssh-timeout',
            machine: name,
            phase: 'preflight',
            message: 'it fell silent',
            remedy: '',
          })
        : ok({ ...free, ...given });
    },
  };
  const store = createStore(seedSnapshot, systemClock);
  const { again } = lookForBlockers({ target: target as Target, clock: systemClock }, store);
  return { store, asked, again };
};
const acting = fullPlan.machines
  .filter(({ decision }) => decision.kind === 'act')
  .map(({ machine }) => machine.name);

test('the machines that a waiting plan acts on are looked at once, each told with its reasons', async () => {
  const { store, asked, again } = looker({
    'sleeper-service': { logins: [amy] },
    'grey-area': { nixFreeBytes: 1 },
  });
  store.change({ messages: [] });
  expect(store.snapshot().planLook).toBeNull();
  const { phase, run } = waitingSnapshot;
  store.change({ phase, run });
  await expect.poll(() => store.snapshot().planLook?.looking).toBe(false);
  const { machines } = store.snapshot().planLook ?? { machines: new Map() };
  expect([...asked].sort()).toEqual([...acting].sort());
  const kindsOf = (name: string): unknown => {
    const held = machines.get(name);
    return held?.kind === 'seen' ? held.standing.map(({ kind }: { kind: string }) => kind) : held;
  };
  expect(kindsOf('sleeper-service')).toEqual(['users-logged-in']);
  expect(kindsOf('grey-area')).toEqual(['no-space-nix']);

  store.change({ messages: [] });
  expect(asked).toHaveLength(acting.length);
  again();
  await expect.poll(() => asked.length).toBe(2 * acting.length);
  store.change({ phase: { kind: 'ended' } });
  await expect.poll(() => store.snapshot().planLook).toBeNull();
  store.close();
});

test('a machine that cannot be looked at is not said to be free', async () => {
  const { store } = looker({ 'grey-area': 'silent' });
  const { phase, run } = waitingSnapshot;
  store.change({ phase, run });
  await expect.poll(() => store.snapshot().planLook?.looking).toBe(false);
  expect(store.snapshot().planLook?.machines.get('grey-area')).toEqual({
    kind: 'unknown',
    why: 'it fell silent',
  });
  store.close();
});

test('overrides are added, none twice', () => {
  const one = { blocker: 'inhibited', machine: null } as const;
  const other = { blocker: 'inhibited', machine: 'nas' } as const;
  expect(withOverrides({ overrides: [one] }, [one, other])).toEqual([one, other]);
  expect(withOverrides(null, [])).toEqual([]);
});
