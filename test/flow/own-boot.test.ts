import { describe, expect, test } from 'vitest';
import { fail, ok } from '../../src/failure.ts';
import { type ConductDeps, conduct } from '../../src/flow/conduct.ts';
import { conductUpdate } from '../../src/flow/conduct-update.ts';
import type { EventBody } from '../../src/run/event.ts';
import { exitCodeOfFailure } from '../../src/run/report.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';
import { planFor } from '../plan/input.ts';
import { machineNamed } from '../simulation/fleet.ts';

/** A run has rebooted the machine that executes it; in that boot a timer makes up for what it missed. */

const waiting = '20260101-000000-0001';
const minuteMs = 60_000;
const plan = planFor([machineNamed('desk', { orchestrator: true, delay: 0 })], {
  more: { localMachine: 'desk', resumesAtBoot: true },
});

/** Which steps the process had come to, and what had been asked of the machine. */
const events = (endsBoot: boolean): readonly EventBody[] => [
  {
    kind: 'run-started',
    goal: plan.goal,
    flake: plan.flake,
    selectors: [],
    by: { user: 'root', host: 'desk', pid: 1, via: 'timer' },
    labVersion: 'test',
    opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
  },
  { kind: 'plan-made', plan, remarks: [] },
  { kind: 'approved', hash: plan.hash, how: 'yes-flag' },
  { kind: 'step-intended', step: 'desk/reboot' },
  ...(endsBoot
    ? ([{ kind: 'step-noted', step: 'desk/reboot', note: 'ends the boot', endsBoot: 'b0' }] as const)
    : []),
];

/** What becomes of a run, or an update, that begins so long after the last word of the other, on a machine that is up for so long. */
const begins = async ({ laterMs = 0, upMs = 0, endsBoot = true, update = false }) => {
  let now = 1_000_000;
  let locks = 0;
  const journal = createMemoryJournal(() => now);
  for (const body of events(endsBoot)) journal.append(waiting, body);
  now += laterMs;
  const clock = { now: () => now, elapsed: () => now, sleep: async () => {} };
  const never = new AbortController().signal;
  const failure = { kind: 'flake-syntax', machine: null, phase: 'evaluate', message: 'no', remedy: 'none' };
  const deps = {
    journal,
    clock,
    uptimeMs: () => upMs,
    flake: plan.flake,
    lock: () => {
      locks += 1;
      return ok({ release: () => {} });
    },
    nix: { evaluate: async () => fail(failure) },
  } as unknown as ConductDeps;
  const hosting = { onEvent: () => {}, stop: never, abort: never };
  const request = {
    goal: { kind: 'run', update: false },
    selectors: [],
    consent: { kind: 'given', confirmed: [] },
  } as const;
  const result = update
    ? await conductUpdate(deps, [], hosting)
    : await conduct(deps, '20260101-001000-0002', request, hosting);
  if (result.ok) throw new TypeError('it began');
  return { failure: result.failure, locks, recorded: journal.tail(100).length - events(endsBoot).length };
};

describe('a run that begins in the boot that another one waits for', () => {
  test.each([
    ['while the machine goes down', { laterMs: 5_000, upMs: 40 * 24 * 60 * minuteMs }],
    ['right after its boot, however long that took', { laterMs: 60 * minuteMs, upMs: 20_000 }],
    ['right after its boot, by a clock that has none yet', { laterMs: -900_000, upMs: 20_000 }],
    ['as an update of flake.lock alone', { laterMs: 60 * minuteMs, upMs: 20_000, update: true }],
  ])('%s: yields to it, and leaves its record as it is', async (_when, world) => {
    const { failure, locks, recorded } = await begins(world);
    expect(exitCodeOfFailure(failure)).toBe(5);
    expect(failure.message).toContain(`run ${waiting} has rebooted this machine`);
    expect(failure.remedy).toContain(`lab resume ${waiting}`);
    // Nor is the lock taken for a moment: the unit that takes it up would find it held.
    expect([recorded, locks]).toEqual([0, 0]);
  });

  test.each([
    ['long after that boot, when nobody came to take it up', { laterMs: 60 * minuteMs, upMs: 11 * minuteMs }],
    ['of one that had asked for no reboot yet', { endsBoot: false }],
  ])('%s: goes on in its place', async (_when, world) => {
    // As far as this test lets it: the flake cannot be evaluated.
    expect((await begins(world)).failure.kind).toBe('flake-syntax');
  });
});
