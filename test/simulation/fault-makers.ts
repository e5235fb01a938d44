import type { Fault } from '../../src/sim/fault.ts';
import type { Random } from '../../src/sim/random.ts';
import { toplevelOf } from './fleet.ts';

/** Makes a fault for the machine of this name, with times and chances as they come. */
export type FaultMaker = (random: Random, machine: string) => Fault;

const soon = (random: Random): number => random.between(0, 400_000);
const aWhile = (random: Random): number | null =>
  random.chance(0.3) ? null : random.between(1_000, 200_000);
const cause = (random: Random): 'activation' | 'reboot' => random.pick(['activation', 'reboot']);

/** Every kind of fault, in every variant that matters. */
export const faultMakers: readonly FaultMaker[] = [
  () => ({ kind: 'offline' }),
  (random) => ({ kind: 'away', atMs: soon(random), forMs: aWhile(random) }),
  (random) => ({ kind: 'cut-during', act: 'copy', forMs: random.between(1_000, 60_000) }),
  (random) => ({ kind: 'cut-during', act: 'activate', forMs: random.between(1_000, 120_000) }),
  () => ({ kind: 'cut-at-trigger', arrived: true }),
  () => ({ kind: 'cut-at-trigger', arrived: false }),
  (random) => ({
    kind: 'cut-at-confirm',
    arrived: random.chance(0.5),
    forMs: random.between(1_000, 600_000),
  }),
  // A run is some hundred round trips: from the first look of the plan to the last gate.
  (random) => ({
    kind: 'trip-lost',
    trip: random.between(1, 60),
    dispatched: random.chance(0.5),
    forMs: random.pick([0, 2_000, 20_000, 200_000]),
  }),
  (random) => ({ kind: 'trip-hangs', trip: random.between(1, 60), dispatched: random.chance(0.5) }),
  (random) => ({ kind: 'trip-crashes', trip: random.between(2, 60) }),
  (random) => ({ kind: 'stalls', atMs: soon(random), forMs: aWhile(random) }),
  (random) => ({ kind: 'flaky', chance: random.pick([0.02, 0.1, 0.3]) }),
  (random) => ({ kind: 'slow-link', ms: random.between(200, 3_000) }),
  (random) => ({ kind: 'hostkey-changed', when: random.pick(['always', 'after-reboot', soon(random)]) }),
  () => ({ kind: 'never-goes-down' }),
  (random) => ({ kind: 'slow-shutdown', ms: random.between(1_000, 120_000) }),
  () => ({ kind: 'never-comes-back' }),
  (random) => ({ kind: 'slow-boot', ms: random.between(1_000, 300_000) }),
  () => ({ kind: 'old-generation' }),
  (random) => ({
    kind: 'boot-loop',
    times: random.between(1, 3),
    afterMs: random.between(1_000, 30_000),
  }),
  (random) => ({
    kind: 'flaps',
    forMs: random.between(5_000, 200_000),
    periodMs: random.between(4_000, 20_000),
    downMs: random.between(500, 4_000),
  }),
  () => ({ kind: 'reboot-refused' }),
  () => ({ kind: 'trigger-lies', says: 'triggered' }),
  () => ({ kind: 'trigger-lies', says: 'refused' }),
  () => ({ kind: 'boot-unreadable' }),
  () => ({ kind: 'starts-nothing' }),
  () => ({ kind: 'activation-exit', code: 1 }),
  () => ({ kind: 'activation-exit', code: 2 }),
  () => ({ kind: 'activation-exit', code: 4 }),
  () => ({ kind: 'activation-exit', code: 100 }),
  () => ({ kind: 'activation-lies', about: 'everything' }),
  () => ({ kind: 'activation-lies', about: 'the-profile' }),
  () => ({ kind: 'activation-lies', about: 'failure' }),
  () => ({ kind: 'activation-lies', about: 'the-return' }),
  (random) => ({ kind: 'slow-copy', ms: random.pick([60_000, 3_600_000, 18_000_000]) }),
  () => ({ kind: 'copy-lies' }),
  (random) => ({ kind: 'collected', times: random.pick([1, 2]) }),
  (random) => ({ kind: 'slow-ticks', factor: random.pick([2, 5]) }),
  (random) => ({ kind: 'slow-activation', ms: random.pick([10_000, 200_000, 3_600_000]) }),
  () => ({ kind: 'crash-in-activation' }),
  () => ({ kind: 'restore-refused' }),
  (random) => ({ kind: 'unhealthy-after', cause: cause(random), forMs: aWhile(random) }),
  (random) => ({ kind: 'unit-fails-after', cause: cause(random), unit: 'app.service' }),
  (random) => ({ kind: 'unit-restarts', unit: random.pick(['app.service', 'flaky-timer.service']) }),
  // Before anything is done, or in the middle of it.
  (random) => ({ kind: 'falls-ill', atMs: random.chance(0.3) ? 0 : soon(random), forMs: aWhile(random) }),
  ...(['/nix', '/boot', 'during-copy', 'at-profile', 'at-boot-entry'] as const).map(
    (path) => () => ({ kind: 'disk-full', path }) as const,
  ),
  () => ({ kind: 'sudo-refused' }),
  () => ({ kind: 'no-systemd' }),
  () => ({ kind: 'inhibited' }),
  () => ({ kind: 'just-booted' }),
  (random) => ({
    kind: 'occupied',
    by: random.pick(['user', 'inhibitor', 'activation', 'silence']),
    atMs: random.chance(0.3) ? 0 : soon(random),
    forMs: aWhile(random),
  }),
  (random) => ({ kind: 'crash', atMs: soon(random) }),
  (random, machine) => ({
    kind: 'foreign-deploy',
    atMs: random.between(0, random.pick([3_000, 400_000])),
    toplevel: toplevelOf(machine, 'foreign'),
  }),
  (random) => ({ kind: 'sudo-breaks', atMs: soon(random), forMs: aWhile(random) }),
  // While what was activated waits for its gate and its word, or for longer than it does; or after a boot.
  (random, machine) => ({
    kind: 'foreign-deploy',
    atMs: random.between(0, random.pick([10_000, 60_000, 400_000])),
    toplevel: toplevelOf(machine, 'foreign'),
    since: random.pick(['live', 'live', 'boot']),
    ...(random.chance(0.4) ? { mode: 'boot' } : {}),
  }),
  // Between one look and the next.
  (random, machine) => ({
    kind: 'foreign-deploy',
    atMs: 0,
    toplevel: toplevelOf(machine, 'foreign'),
    since: random.between(4, 40),
  }),
  (random) => ({ kind: 'boot-id-lies', from: random.chance(0.5) ? 'trigger' : soon(random) }),
];
