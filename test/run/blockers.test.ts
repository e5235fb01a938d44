import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Machine } from '../../src/fleet/machine.ts';
import { blockerKinds } from '../../src/plan/blocker-kinds.ts';
import type { MachinePlan } from '../../src/plan/plan.ts';
import type { Login } from '../../src/ports.ts';
import { blockedBy, blockersOf, type Look, weighed } from '../../src/run/blockers.ts';
import { entryOf, type PlanTraits, planFor } from '../plan/input.ts';
import { type MachineTraits, machineNamed, toplevelOf } from '../simulation/fleet.ts';

/** The decision over what was seen: every blocker with its evidence, and none without. */

const now = Date.UTC(2026, 10, 21, 3, 0, 0);
const minuteMs = 60_000;
const mebi = 1024 ** 2;

const planOf = (traits: MachineTraits = {}, plan: PlanTraits = {}): MachinePlan =>
  entryOf(planFor([machineNamed('box', traits)], plan), 'box');
const old = toplevelOf('box', 'old');

const quiet: Look = {
  seen: { current: old, profile: old, uptimeSeconds: 86_400, state: 'running' },
  facts: {
    nixFreeBytes: 40 * 1024 * mebi,
    bootFreeBytes: 400 * mebi,
    inhibitors: [],
    inhibitorsUnknown: null,
    logins: [],
    loginsUnknown: null,
    askedBy: ['lab'],
    activating: null,
  },
  at: now,
};
const look = (facts: Partial<Look['facts']>, seen: Partial<Look['seen']> = {}): Look => ({
  ...quiet,
  seen: { ...quiet.seen, ...seen },
  facts: { ...quiet.facts, ...facts },
});
const amy: Login = {
  user: 'amy',
  on: 'pts/0',
  from: '192.0.2.7',
  since: now - 95 * minuteMs,
  idleMs: 2 * minuteMs,
  own: false,
};
const kindsOf = (entry: MachinePlan, at: Look, moment: 'preflight' | 'reboot' = 'preflight') =>
  blockersOf(entry, at, moment).map(({ kind }) => kind);
const reasonOf = (entry: MachinePlan, at: Look) => blockersOf(entry, at, 'preflight')[0]?.reason;

test('a quiet machine has none', () => {
  expect(kindsOf(planOf(), quiet)).toEqual([]);
  expect(kindsOf(planOf(), quiet, 'reboot')).toEqual([]);
  // What cannot be read is no evidence of too little.
  expect(kindsOf(planOf(), look({ nixFreeBytes: null, bootFreeBytes: null }))).toEqual([]);
});

test('each says what was seen', () => {
  const entry = planOf();
  expect(reasonOf(entry, look({ bootFreeBytes: 9 * mebi }))).toBe(
    '/boot has 9 MiB free, less than the 64 MiB that a deployment needs',
  );
  expect(reasonOf(entry, look({ nixFreeBytes: 100 * mebi }))).toContain('/nix has 100 MiB free');
  expect(reasonOf(entry, look({ inhibitors: ['restic: a backup runs', 'zfs: scrub'] }))).toBe(
    'a shutdown inhibitor blocks its reboot: restic: a backup runs; zfs: scrub',
  );
  expect(reasonOf(entry, look({ logins: [amy, { ...amy, on: 'tty1', from: null, idleMs: 0 }] }))).toBe(
    'somebody is logged in, whom its reboot would throw out: amy on pts/0 from 192.0.2.7, for 1 h 35 min, last active 2 min ago; amy on tty1, for 1 h 35 min, last active just now',
  );
  expect(reasonOf(entry, look({}, { uptimeSeconds: 61 }))).toBe(
    'it booted 61 s ago, and is not to be rebooted within 5 min of a boot',
  );
  expect(reasonOf(entry, look({ activating: ['nixos-rebuild-switch.service'] }))).toBe(
    'another activation is under way on it: nixos-rebuild-switch.service',
  );
  const other = toplevelOf('box', 'foreign');
  expect(reasonOf(entry, look({}, { profile: other }))).toBe(
    `someone else changed what it would boot since the plan was made: ${other} instead of ${old}`,
  );
  expect(reasonOf(entry, look({}, { current: other }))).toContain('changed what it runs');
});

describe('who is logged in', () => {
  const blocked = (reboot: Pick<MachineTraits, 'blockOnUsers'>, login: Partial<Login>, local = false) =>
    kindsOf({ ...planOf(reboot), local }, look({ logins: [{ ...amy, ...login }] })).length > 0;

  test.each([
    ['active', { idleMs: 29 * minuteMs }, true],
    ['active', { idleMs: 31 * minuteMs }, false],
    ['active', { idleMs: null }, true],
    ['any', { idleMs: 31 * minuteMs }, true],
    ['any', { own: true }, false],
    ['active', { own: true }, false],
    ['never', {}, false],
  ] as const)('%s, %j: %s', (blockOnUsers, login, expected) => {
    expect(blocked({ blockOnUsers }, login)).toBe(expected);
  });

  test('whoever runs lab on the machine itself knows of the reboot; the same name elsewhere may be somebody else', () => {
    expect(blocked({}, { user: 'lab' }, true)).toBe(false);
    expect(blocked({}, { user: 'lab' }, false)).toBe(true);
    expect(blocked({}, { user: 'amy' }, true)).toBe(true);
  });
});

test('what could not be learnt is no absence, and says why it could not', () => {
  const silent = look({ inhibitorsUnknown: 'logind hangs', loginsUnknown: 'logind hangs' });
  expect(blockersOf(planOf(), silent, 'reboot').map(({ kind, reason }) => [kind, reason])).toEqual([
    ['inhibitors-unknown', 'it is not known whether a shutdown inhibitor blocks its reboot: logind hangs'],
    [
      'users-unknown',
      'it is not known whether somebody is logged in, whom its reboot would throw out: logind hangs',
    ],
  ]);
  // Who is not asked for is not missed.
  expect(kindsOf(planOf({ blockOnUsers: 'never' }), silent, 'reboot')).toEqual(['inhibitors-unknown']);
  const deployment = planOf({}, { goal: { kind: 'deploy', mode: 'switch' } });
  expect(kindsOf(deployment, silent)).toEqual([]);
});

test.for([
  ['unknown', 'does not say how it is'],
  ['maintenance', 'emergency mode'],
] as const)(
  'a systemd that is %s blocks what would have to pass a gate under it, and nothing else',
  ([state, words]) => {
    const ill = look({}, { state });
    expect(reasonOf(planOf(), ill)).toContain(words);
    expect(kindsOf(planOf({}, { goal: { kind: 'deploy', mode: 'test' } }), ill)).toEqual(['systemd-unwell']);
    // A reboot may mend it, and what only becomes the boot default passes no gate.
    expect(kindsOf(planOf({}, { goal: { kind: 'reboot', which: 'all' } }), ill)).toEqual([]);
    expect(kindsOf(planOf({}, { goal: { kind: 'deploy', mode: 'boot' } }), ill)).toEqual([]);
    for (const well of ['running', 'degraded', 'starting', 'offline'] as const)
      expect(kindsOf(planOf(), look({}, { state: well }))).toEqual([]);
  },
);

describe('what blocks what', () => {
  const everything = look(
    {
      nixFreeBytes: 0,
      bootFreeBytes: 0,
      inhibitors: ['x: y'],
      inhibitorsUnknown: 'logind was silent',
      logins: [amy],
      loginsUnknown: 'logind was silent',
      activating: [],
    },
    { uptimeSeconds: 1, profile: toplevelOf('box', 'foreign'), state: 'unknown' },
  );

  test('a full run: all at once', () => {
    expect([...kindsOf(planOf(), everything)].sort()).toEqual([...blockerKinds].sort());
  });

  test('a deployment: nothing that is about reboots', () => {
    const entry = planOf({}, { goal: { kind: 'deploy', mode: 'switch' } });
    expect([...kindsOf(entry, everything)].sort()).toEqual([
      'activation-in-progress',
      'changed-since-plan',
      'no-space-boot',
      'no-space-nix',
      'systemd-unwell',
    ]);
  });

  test('a test activation writes no boot entry', () => {
    const entry = planOf({}, { goal: { kind: 'deploy', mode: 'test' } });
    expect(kindsOf(entry, everything)).not.toContain('no-space-boot');
  });

  test('a reboot alone needs no room', () => {
    const entry = planOf({}, { goal: { kind: 'reboot', which: 'all' } });
    expect([...kindsOf(entry, everything)].sort()).toEqual([
      'activation-in-progress',
      'changed-since-plan',
      'inhibited',
      'inhibitors-unknown',
      'just-booted',
      'users-logged-in',
      'users-unknown',
    ]);
  });

  test('right before a reboot, also one that only its activation asked for: what is about reboots', () => {
    const entry = planOf({}, { wantedKernel: '6.12.10' });
    expect(entry.reboot).toBeNull();
    expect(kindsOf(entry, everything)).not.toContain('users-logged-in');
    expect([...kindsOf(entry, everything, 'reboot')].sort()).toEqual([
      'activation-in-progress',
      'inhibited',
      'inhibitors-unknown',
      'just-booted',
      'users-logged-in',
      'users-unknown',
    ]);
  });
});

describe('overrides', () => {
  test('pass what they name, on the machine they name, and nothing that could not lead to the goal', () => {
    const kind = fc.constantFrom(...blockerKinds);
    const override = fc.record({ blocker: kind, machine: fc.constantFrom(null, 'box', 'other') });
    const blocker = fc.record({
      kind,
      reason: fc.constant('because'),
      remedy: fc.constant('do'),
      overridable: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(override), fc.array(blocker), (overrides, blockers) => {
        const { standing, overridden } = weighed({ overrides }, 'box', blockers);
        expect(standing.length + overridden.length).toBe(blockers.length);
        for (const passed of overridden) {
          expect(passed.overridable).toBe(true);
          expect(overrides.some((one) => one.blocker === passed.kind && one.machine !== 'other')).toBe(true);
        }
        for (const stands of standing)
          expect(
            !stands.overridable ||
              !overrides.some((one) => one.blocker === stands.kind && one.machine !== 'other'),
          ).toBe(true);
      }),
    );
  });

  test('are named in the remedy, unless one would not help', () => {
    const both = blockersOf(planOf(), look({ inhibitors: ['a: b'], logins: [amy] }), 'preflight');
    expect(blockedBy('box', both)).toMatchObject({
      kind: 'blocked',
      remedy: expect.stringContaining('--override box:inhibited --override box:users-logged-in'),
    });
    const unreadable = blockersOf(planOf(), look({}, { current: null }), 'preflight');
    expect(unreadable).toMatchObject([{ kind: 'changed-since-plan', overridable: false }]);
    expect(blockedBy('box', unreadable).remedy).not.toContain('--override');
  });
});

test('a machine of a journal from before has the defaults', () => {
  const { blockOnUsers: _, minUptime: __, ...reboot } = machineNamed('box').reboot;
  const read = Machine.parse({ ...machineNamed('box'), reboot });
  expect(read.reboot).toMatchObject({ blockOnUsers: 'active', minUptime: 300 });
});
