import { describe, expect, test } from 'vitest';
import { recordOf } from '../../src/run/records.ts';
import { describeFault, type Fault } from '../../src/sim/fault.ts';
import { leaseOf } from '../../src/sim/lease.ts';
import { toplevelOf } from './fleet.ts';
import { tell } from './story.ts';

/** One machine has one trouble, another has none: each trouble is called by its name, and hinders only its own. */

const outcomes: readonly (readonly [Fault, string])[] = [
  // the way to it
  [{ kind: 'offline' }, 'skipped: unreachable'],
  [{ kind: 'hostkey-changed', when: 'always' }, 'skipped: unreachable'],
  [{ kind: 'slow-link', ms: 2_000 }, 'done'],
  [{ kind: 'hostkey-changed', when: 12_000 }, 'failed: activation-unknown'],
  [{ kind: 'stalls', atMs: 8_000, forMs: 100_000 }, 'done'],
  [{ kind: 'stalls', atMs: 8_000, forMs: null }, 'failed: activation-unknown'],
  [{ kind: 'away', atMs: 8_000, forMs: 20_000 }, 'done'],
  [{ kind: 'away', atMs: 8_000, forMs: null }, 'failed: activation-unknown'],
  [{ kind: 'cut-during', act: 'copy', forMs: 10_000 }, 'done'],
  [{ kind: 'cut-during', act: 'copy', forMs: 300_000 }, 'skipped: unreachable'],
  [{ kind: 'cut-during', act: 'activate', forMs: 60_000 }, 'done'],
  // before anything is touched
  [{ kind: 'disk-full', path: '/nix' }, 'skipped: no-space-nix'],
  [{ kind: 'disk-full', path: '/boot' }, 'skipped: no-space-boot'],
  [{ kind: 'disk-full', path: 'during-copy' }, 'failed: disk-full'],
  [{ kind: 'disk-full', path: 'at-profile' }, 'restored: not-confirmed'],
  [{ kind: 'disk-full', path: 'at-boot-entry' }, 'restored: not-confirmed'],
  [{ kind: 'slow-copy', ms: 3_600_000 }, 'done'],
  [{ kind: 'slow-copy', ms: 18_000_000 }, 'failed: timeout'],
  [{ kind: 'copy-lies' }, 'restored: closure-gone'],
  [{ kind: 'collected', times: 1 }, 'done'],
  [{ kind: 'collected', times: 2 }, 'restored: closure-gone'],
  [{ kind: 'sudo-refused' }, 'failed: no-root'],
  [{ kind: 'sudo-breaks', atMs: 3_000, forMs: null }, 'restored: activation-not-started'],
  [{ kind: 'sudo-breaks', atMs: 8_000, forMs: 12_000 }, 'done'],
  [{ kind: 'sudo-breaks', atMs: 8_000, forMs: null }, 'failed: activation-unknown'],
  [{ kind: 'sudo-breaks', atMs: 16_000, forMs: null }, 'failed: confirmation-unknown'],
  [{ kind: 'inhibited' }, 'skipped: inhibited'],
  [{ kind: 'just-booted' }, 'skipped: just-booted'],
  [{ kind: 'no-systemd' }, 'failed: reboot-refused'],
  [
    { kind: 'foreign-deploy', atMs: 3_000, toplevel: toplevelOf('box', 'foreign') },
    'failed: changed-since-plan',
  ],
  // the activation
  [{ kind: 'starts-nothing' }, 'restored: activation-not-started'],
  [{ kind: 'activation-exit', code: 1 }, 'restored: activation-refused'],
  [{ kind: 'activation-exit', code: 2 }, 'restored: activation-refused'],
  [{ kind: 'activation-exit', code: 4 }, 'restored: unhealthy'],
  [{ kind: 'activation-exit', code: 100 }, 'done'],
  [{ kind: 'activation-lies', about: 'everything' }, 'restored: activation-without-effect'],
  [{ kind: 'activation-lies', about: 'failure' }, 'restored: activation-refused'],
  [{ kind: 'slow-activation', ms: 3_600_000 }, 'restored: activation-refused'],
  [{ kind: 'slow-ticks', factor: 5 }, 'done'],
  [{ kind: 'activation-lies', about: 'the-profile' }, 'restored: activation-without-effect'],
  [{ kind: 'slow-activation', ms: 600_000 }, 'done'],
  [{ kind: 'crash-in-activation' }, 'restored: activation-unknown'],
  [{ kind: 'unhealthy-after', cause: 'activation', forMs: 30_000 }, 'done'],
  [{ kind: 'unhealthy-after', cause: 'activation', forMs: null }, 'restored: unhealthy'],
  [{ kind: 'unit-fails-after', cause: 'activation', unit: 'app.service' }, 'restored: unhealthy'],
  [{ kind: 'falls-ill', atMs: 12_000, forMs: 20_000 }, 'done'],
  // the confirmation: it lasts 130 s here until the machine returns by itself
  [{ kind: 'cut-at-confirm', arrived: true, forMs: 10_000 }, 'done'],
  [{ kind: 'cut-at-confirm', arrived: false, forMs: 10_000 }, 'done'],
  [{ kind: 'cut-at-confirm', arrived: false, forMs: 200_000 }, 'restored: not-confirmed'],
  [{ kind: 'cut-at-confirm', arrived: false, forMs: 500_000 }, 'restored: confirmation-unknown'],
  [{ kind: 'cut-at-confirm', arrived: true, forMs: 500_000 }, 'restored: confirmation-unknown'],
  // the reboot: each way to fail has its own name
  [{ kind: 'reboot-refused' }, 'failed: reboot-refused'],
  [{ kind: 'cut-at-trigger', arrived: true }, 'done'],
  [{ kind: 'cut-at-trigger', arrived: false }, 'failed: never-went-down'],
  [{ kind: 'trigger-lies', says: 'triggered' }, 'failed: never-went-down'],
  [{ kind: 'trigger-lies', says: 'refused' }, 'done'],
  [{ kind: 'never-goes-down' }, 'failed: never-went-down'],
  [{ kind: 'slow-shutdown', ms: 10_000 }, 'done'],
  [{ kind: 'slow-shutdown', ms: 60_000 }, 'failed: never-went-down'],
  [{ kind: 'never-comes-back' }, 'failed: never-came-back'],
  [{ kind: 'slow-boot', ms: 30_000 }, 'done'],
  [{ kind: 'slow-boot', ms: 120_000 }, 'failed: never-came-back'],
  [{ kind: 'old-generation' }, 'failed: old-generation'],
  [{ kind: 'boot-loop', times: 1, afterMs: 8_000 }, 'failed: boot-loop'],
  [{ kind: 'boot-unreadable' }, 'failed: unknown-boot'],
  [{ kind: 'hostkey-changed', when: 'after-reboot' }, 'failed: hostkey-changed'],
  [{ kind: 'flaps', forMs: 30_000, periodMs: 6_000, downMs: 2_000 }, 'done'],
  [{ kind: 'unhealthy-after', cause: 'reboot', forMs: 30_000 }, 'done'],
  [{ kind: 'unhealthy-after', cause: 'reboot', forMs: null }, 'failed: unhealthy'],
  [{ kind: 'unit-fails-after', cause: 'reboot', unit: 'app.service' }, 'failed: unhealthy'],
];

describe('a machine with one trouble', () => {
  for (const [fault, expected] of outcomes)
    test(`${describeFault(fault)} → ${expected}`, async () => {
      const { became, result } = await tell({ box: { faults: [fault] }, other: {} });
      expect(became).toEqual({ box: expected, other: 'done' });
      expect(result).toBe(expected === 'done' ? 'done' : 'partial');
    });
});

test.each([3_000, 8_000, 16_000])(
  'nobody waits for a machine that lets nobody be root any more (from %i ms on): others have their turn',
  async (atMs) => {
    const { events, startedAt } = await tell({
      box: { rebootOrder: 1, faults: [{ kind: 'sudo-breaks', atMs, forMs: null }] },
      other: { rebootOrder: 2 },
    });
    const turn = events.find(
      ({ body }) => body.kind === 'step-intended' && body.step.startsWith('other/act'),
    );
    expect((turn?.at ?? Number.NaN) - startedAt).toBeLessThan(atMs + 60_000);
  },
);

test('a machine that went away before its turn is skipped like one that was never there', async () => {
  const { became, done } = await tell({
    other: { rebootOrder: 1 },
    box: { rebootOrder: 2, faults: [{ kind: 'away', atMs: 20_000, forMs: null }] },
  });
  expect(became).toEqual({ other: 'done', box: 'skipped: timeout' });
  expect(done).toEqual(['other switch new', 'other reboot']);
});

test('a machine that tells another boot id and does not go down has not rebooted', async () => {
  const faults = [{ kind: 'never-goes-down' }, { kind: 'boot-id-lies', from: 'trigger' }] as const;
  // What runs is what it should boot.
  const { became, done } = await tell({ box: { faults } }, { goal: { kind: 'reboot', which: 'all' } });
  expect(became.box).toBe('failed: never-went-down');
  expect(done).toEqual(['box reboot']);
});

test('nor has one that tells another boot id before its turn has come: it is not asked to', async () => {
  const faults = [{ kind: 'boot-id-lies', from: 100_000 }] as const;
  const { became, done } = await tell(
    { box: { delay: 300, faults } },
    { goal: { kind: 'reboot', which: 'all' } },
  );
  expect([became.box, done]).toEqual(['failed: unknown-boot', []]);
});

test('nor is that taken for a reboot by who tries it again, from another process', async () => {
  const { became, done, state } = await tell(
    { box: { delay: 300, faults: [{ kind: 'boot-id-lies', from: 100_000 }] } },
    {
      goal: { kind: 'reboot', which: 'all' },
      reopenings: [{ what: 'retry', machine: 'box', afterMs: 3_600_000, heals: false }],
    },
  );
  expect([became.box, done, state.takeovers]).toEqual(['failed: unknown-boot', [], 1]);
});

test('green that a crash threw back to blue is not taken for healthy green', async () => {
  const { became, done } = await tell(
    { box: { strategy: 'blue-green', stable: 30, faults: [{ kind: 'crash', atMs: 25_000 }] } },
    { sameKernel: true },
  );
  expect(became.box).toBe('restored: wrong-generation');
  expect(done).toEqual(['box test new', 'box switch old']);
});

test('green that a crash threw back to blue after its gate is not made the boot default', async () => {
  const { became, done } = await tell(
    {
      box: { strategy: 'blue-green', faults: [{ kind: 'crash', atMs: 40_000 }] },
    },
    // Between its gate and its last step the run waits, and the machine crashes.
    { sameKernel: true, pauses: [{ atMs: 20_000, forMs: 600_000 }] },
  );
  expect(became.box).toBe('restored: green-lost');
  expect(done).toEqual(['box test new', 'box switch old']);
});

test('a machine that would boot what somebody else made of it is not rebooted', async () => {
  const { became, done } = await tell({
    box: {
      delay: 300,
      faults: [{ kind: 'foreign-deploy', atMs: 100_000, toplevel: toplevelOf('box', 'foreign') }],
    },
    other: { delay: 0 },
  });
  expect(became).toEqual({ box: 'failed: changed-since-plan', other: 'done' });
  expect(done).not.toContain('box reboot');
});

test('an activation that only a reboot makes live is a failure where none may be taken', async () => {
  const { became, done } = await tell(
    { box: { faults: [{ kind: 'activation-exit', code: 100 }] }, other: {} },
    { goal: { kind: 'deploy', mode: 'switch' } },
  );
  expect(became).toEqual({ box: 'failed: needs-reboot', other: 'done' });
  expect(done).toEqual(['box switch new', 'other switch new']);
});

test('what could not be restored is not called restored', async () => {
  const { became } = await tell({
    box: { faults: [{ kind: 'activation-exit', code: 2 }, { kind: 'restore-refused' }] },
    other: {},
  });
  expect(became.box).toBe('failed: activation-refused');
});

test('a machine that was degraded before the run may stay so, and no more', async () => {
  const before = ['backup.service'];
  const same = await tell({ box: { failedUnits: before } });
  expect(same.became.box).toBe('done');
  const worse = await tell({
    box: {
      failedUnits: before,
      faults: [{ kind: 'unit-fails-after', cause: 'reboot', unit: 'app.service' }],
    },
  });
  expect(worse.became.box).toBe('failed: unhealthy');
});

test('a return that a late shutdown undoes in its second half is not called one', async () => {
  const found = new Set<string>();
  // It has to fall between the last word of the second half and the look after it.
  for (let ms = 49_500; ms < 50_000; ms += 20) {
    const { became, state } = await tell({
      box: {
        criticality: 'critical',
        policy: 'always',
        // What it runs is not what it would boot, so its return has two halves.
        runs: { current: 'new' },
        faults: [{ kind: 'slow-shutdown', ms }],
      },
    });
    const outcome = recordOf(state, 'box/restore')?.outcome;
    if (outcome?.kind === 'failed') found.add(`${outcome.failure.kind}, ${became.box}`);
  }
  expect([...found]).toEqual(['restore-lost, failed: never-went-down']);
});

test('a machine that says it refuses to reboot, and answers no longer, is waited for before others are disturbed', async () => {
  const { became, done, rebootsAt, world, startedAt } = await tell({
    box: {
      criticality: 'low',
      rebootOrder: 1,
      deadlines: { down: 30, up: 300, healthy: 60 },
      faults: [
        { kind: 'trigger-lies', says: 'refused' },
        { kind: 'away', atMs: 29_000, forMs: 20_000 },
        { kind: 'slow-boot', ms: 100_000 },
      ],
    },
    other: { rebootOrder: 2 },
  });
  expect(became).toEqual({ box: 'done', other: 'done' });
  expect(done).toEqual(['box switch new', 'box reboot', 'other switch new', 'other reboot']);
  expect(rebootsAt[1]).toBeGreaterThan((world.look('box').bootedAt - startedAt) / 1_000);
});

test('a machine that is gone when its reboot is to be triggered is not said to have refused', async () => {
  // The round trips from the confirmation of its activation to the first look after the trigger.
  for (let trip = 18; trip < 26; trip += 1) {
    const faults: readonly Fault[] = [{ kind: 'trip-lost', trip, dispatched: false, forMs: 300_000 }];
    const { became, done } = await tell({ box: { faults }, other: { rebootOrder: 9 } });
    expect(became.box, `trip ${trip}`).not.toContain('refused');
    if (!done.includes('box reboot')) expect(became.box, `trip ${trip}`).toMatch(/timeout|unknown/u);
  }
});

test('a lease that was taken is given back, though the answer that it was taken was lost and the machine is left alone', async () => {
  let lost = 0;
  for (let trip = 1; trip < 6; trip += 1) {
    const faults: readonly Fault[] = [{ kind: 'trip-lost', trip, dispatched: true, forMs: 2_000 }];
    const { became, world, state } = await tell({ box: { faults }, other: { rebootOrder: 9 } });
    if (became.box?.startsWith('skipped') === true) lost += 1;
    expect(leaseOf(world.look('box'), state.lastAt)?.state ?? 'free', `trip ${trip}`).not.toBe('held');
  }
  expect(lost).toBeGreaterThan(1);
});

test('who goes away while it is looked at first is one that is away, at whatever moment, and holds nobody up', async () => {
  const cast = { box: { criticality: 'critical' as const }, app: {} };
  const sound = await tell(cast);
  const looked = recordOf(sound.state, 'box/preflight');
  const lastsMs = (looked?.endedAt ?? 0) - sound.startedAt;
  for (let atMs = (looked?.intendedAt ?? 0) - sound.startedAt; atMs < lastsMs; atMs += 4)
    for (const forMs of [null, 20_000]) {
      const box = { ...cast.box, faults: [{ kind: 'away', atMs, forMs } as const] };
      const { became, result } = await tell({ ...cast, box });
      expect(became.app, `${atMs} ms`).toBe('done');
      expect(became.box, `${atMs} ms`).toMatch(/^(?:skipped: (?:unreachable|timeout)|done)$/u);
      expect(['partial', 'done'], `${atMs} ms`).toContain(result);
    }
});
