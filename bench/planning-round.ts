import { enableCompileCache } from 'node:module';
import type { PlanInput } from '../src/plan/input.ts';

/**
 * One round of `planning.ts`, in a process of its own: the first plan of a process is the one that users wait for.
 * Prints milliseconds as JSON. The number of machines is the only argument.
 */

// As lab itself does.
enableCompileCache();
const { validateFleet } = await import('../src/fleet/validate.ts');
const { makePlan } = await import('../src/plan/make-plan.ts');
const { fleetOf, observationOf, toplevelOf } = await import('./fleet.ts');

const count = Number(process.argv[2]);
const warmRounds = 9;
const now = Date.UTC(2026, 0, 1);
const machines = fleetOf(count);
const fleet = { machines, failed: [] };
const input: PlanInput = {
  flake: '.',
  fleet,
  selection: machines.map(({ name }) => name),
  goal: { kind: 'run', update: false },
  observations: new Map(machines.map((machine, index) => [machine.name, observationOf(machine, index, now)])),
  toplevels: new Map(machines.map((machine, index) => [machine.name, toplevelOf(machine, index)])),
  buildFailures: new Map(),
  blocked: new Map(),
  localMachine: null,
  resumesAtBoot: false,
  now,
};
const text = JSON.stringify(fleet);

const timed = (work: () => void): number => {
  const begun = performance.now();
  work();
  return performance.now() - begun;
};
const plan = (): void => {
  const problems = validateFleet(fleet);
  // Order and waves are part of it.
  const { machines: planned } = makePlan(input);
  // 1,000 machines are over the bound of a fleet, which is itself a problem to be told; there must be no other.
  const others = problems.filter(({ kind }) => kind !== 'too-many-machines');
  if (others.length > 0) throw new Error(`the fleet of the benchmark is not sound: ${others[0]?.message}`);
  const steps = planned.reduce((sum, { steps }) => sum + steps.length, 0);
  if (planned.length !== count || steps < count * 3)
    throw new Error(`planned ${planned.length} machines with ${steps} steps`);
};
const roundTrip = (): void => {
  if (JSON.stringify(JSON.parse(text)).length !== text.length)
    throw new Error('the round trip lost something');
};
const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

// What making up the fleet left behind is not charged to planning it.
globalThis.gc?.();
const firstRoundTripMs = timed(roundTrip);
globalThis.gc?.();
const cpuBefore = process.threadCpuUsage();
const firstMs = timed(plan);
const cpu = process.threadCpuUsage(cpuBefore);
const warm = Array.from({ length: warmRounds }, () => ({ trip: timed(roundTrip), plan: timed(plan) }));
process.stdout.write(
  JSON.stringify({
    firstMs,
    firstCpuMs: (cpu.user + cpu.system) / 1_000,
    firstRoundTripMs,
    warmMs: middle(warm.map((one) => one.plan)),
    warmRoundTripMs: middle(warm.map((one) => one.trip)),
    bytes: text.length,
  }),
);
