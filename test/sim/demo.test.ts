import { expect, test } from 'vitest';
import { validateFleet } from '../../src/fleet/validate.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import type { Observation, Toplevel } from '../../src/ports.ts';
import { drive } from '../../src/run/drive.ts';
import type { EventBody } from '../../src/run/event.ts';
import { progressOf } from '../../src/run/progress.ts';
import { allRecords } from '../../src/run/records.ts';
import { applyEvent, beginRun, type RunState, replay } from '../../src/run/state.ts';
import { createVirtualClock } from '../../src/sim/clock.ts';
import { createDemoWorld, type DemoWorld } from '../../src/sim/demo.ts';
import type { DemoTrouble } from '../../src/sim/demo-trouble.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';

const startAt = Date.UTC(2026, 4, 24, 20);
const run = '20260524-200000-0001';
const never = new AbortController().signal;

const got = <T>(result: { ok: true; value: T } | { ok: false; failure: { message: string } }): T => {
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
};

/** Update, evaluate, look, build, plan, drive: what `lab run` does. */
const wholeFlow = async ({ nix, target, clock, flake, hostName }: DemoWorld): Promise<RunState> => {
  const journal = createMemoryJournal(clock.now);
  let state: RunState | null = null;
  const append = (body: EventBody): RunState => {
    const event = journal.append(run, body);
    state = state === null ? beginRun(event) : applyEvent(state, event);
    return state;
  };
  const { fleet } = got(await nix.evaluate({}));
  expect(validateFleet(fleet)).toEqual([]);
  const { changes, write } = got(await nix.proposeUpdate([], {}));
  expect(changes.length).toBeGreaterThan(2);
  if (write !== null) got(await nix.writeLock(write));
  const names = fleet.machines.map(({ name }) => name);
  const seen = await Promise.all(
    fleet.machines.map((machine) => target.observe(machine, { deadlineMs: 20_000 })),
  );
  const { built } = await nix.build(names, {});
  const plan = makePlan({
    flake,
    fleet,
    selection: names,
    goal: { kind: 'run', update: true },
    observations: new Map(
      seen.map((observation): [string, Observation] => [observation.machine, observation]),
    ),
    toplevels: new Map(built.map((toplevel): [string, Toplevel] => [toplevel.machine, toplevel])),
    buildFailures: new Map(),
    blocked: new Map(),
    localMachine: hostName,
    resumesAtBoot: false,
    now: clock.now(),
  });
  append({
    kind: 'run-started',
    goal: plan.goal,
    flake,
    selectors: [],
    by: { user: 'you', host: 'demo', pid: 1, via: 'demo' },
    labVersion: 'test',
    opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
  });
  append({ kind: 'plan-made', plan, remarks: [] });
  const approved = append({ kind: 'approved', hash: plan.hash, how: 'answered' });
  const left = await drive(approved, { append, target, clock, stop: never, abort: never });
  expect(replay(journal.eventsOf(run))).toEqual(left);
  return left;
};

/** The demo's whole flow in virtual time; `tookMs` is what a viewer spends with it. */
const runDemo = async (
  seed: number,
  trouble: DemoTrouble | null = null,
): Promise<{ state: RunState; tookMs: number }> => {
  const time = createVirtualClock(startAt);
  const world = createDemoWorld({ seed, speed: 1, trouble, clock: time.process().clock });
  const state = await time.run(wholeFlow(world), { until: startAt + 3_600_000, turnsMax: 100_000 });
  return { state, tookMs: time.now() - startAt };
};

const statuses = (state: RunState): Record<string, string> =>
  Object.fromEntries(
    (state.plan?.machines ?? []).map((entry) => [entry.machine.name, progressOf(state, entry).status]),
  );

test('the demo updates, deploys and reboots its lab, all but the laptop that is away', async () => {
  const { state } = await runDemo(1);
  expect(state.ended).toMatchObject({ result: 'done' });
  expect(statuses(state)).toEqual({
    'sleeper-service': 'done',
    'grey-area': 'done',
    'reverse-proxy': 'done',
    'lightly-seared': 'done',
    'little-rascal': 'done',
    'congenital-optimist': 'done',
    'killing-time': 'skipped',
  });
});

test.each([
  ['gate', 'grey-area', 'restored'],
  ['reboot', 'sleeper-service', 'failed'],
  ['stuck', 'grey-area', 'restored'],
  ['cut', 'grey-area', 'done'],
  ['busy', 'lightly-seared', 'skipped'],
] as const)('trouble with a %s is what becomes of %s: %s', async (trouble, machine, status) => {
  const { state } = await runDemo(1, trouble);
  expect(statuses(state)[machine]).toBe(status);
});

test('the demo shows every way to be rebooted or not', async () => {
  const { state } = await runDemo(1);
  const rebooted = new Map(
    (state.plan?.machines ?? []).map((entry) => [entry.machine.name, entry.reboot?.why ?? []]),
  );
  expect(rebooted.get('sleeper-service')).toContain('kernel 6.12.40 → 6.12.43');
  expect(rebooted.get('lightly-seared')).toContain('kernel 6.12.34 → 6.12.43');
  expect(rebooted.get('little-rascal')).toEqual(['strategy recreate boots into the new generation']);
  expect(rebooted.get('congenital-optimist')).toEqual([]);
});

test('every input that the update moves shows another revision, as short as it is shown', async () => {
  const time = createVirtualClock(startAt);
  const { nix } = createDemoWorld({ seed: 1, speed: 1, clock: time.process().clock });
  const { changes } = got(
    await time.run(nix.proposeUpdate([], {}), { until: startAt + 600_000, turnsMax: 10_000 }),
  );
  expect(changes.length).toBeGreaterThan(2);
  for (const { input, from, to } of changes)
    expect({ input, rev: to?.rev?.slice(0, 8) }).not.toEqual({ input, rev: from?.rev?.slice(0, 8) });
});

test('an activation for the next boot starts and stops nothing', async () => {
  const { state } = await runDemo(1);
  const said = allRecords(state).flatMap(({ step, notes }) =>
    step.kind === 'activate' ? notes.map(({ note }) => ({ mode: step.mode, note })) : [],
  );
  expect(said.filter(({ mode, note }) => mode === 'boot' && note.includes('units'))).toEqual([]);
  expect(said.some(({ mode, note }) => mode === 'boot' && note.includes('systemd-boot'))).toBe(true);
  expect(said.some(({ mode, note }) => mode !== 'boot' && note.includes('units'))).toBe(true);
});

test('the whole demo takes about a minute to watch', async () => {
  const { tookMs } = await runDemo(1);
  expect(tookMs).toBeGreaterThan(50_000);
  expect(tookMs).toBeLessThan(95_000);
});

test('the same seed shows the same demo, another seed another', async () => {
  const times = async (seed: number): Promise<readonly number[]> =>
    allRecords((await runDemo(seed)).state).map(({ endedAt }) => endedAt ?? 0);
  expect(await times(3)).toEqual(await times(3));
  expect(await times(3)).not.toEqual(await times(4));
});
