import type { Plan } from '../../src/plan/plan.ts';
import { leaseTimes } from '../../src/run/lease.ts';
import { recordsOfMachine } from '../../src/run/records.ts';
import type { RunState } from '../../src/run/state.ts';
import { leaseOf } from '../../src/sim/lease.ts';
import type { World } from '../../src/sim/world.ts';

/** What must hold of the leases of a run: taken before anything is done, kept all along, given back at its end. */

/** What ran out while nobody executed the run, or the machine was away, is had again so soon; milliseconds. */
const renewalMs = leaseTimes.renewMs + 2 * leaseTimes.askMs;

/** Nothing keeps a word from it. */
const isSound = (world: World, name: string): boolean => {
  const { faults, power } = world.look(name);
  return faults.length === 0 && power === 'up';
};

/** Why the preflight of this machine should not have passed, or null. */
export const withoutLease = (world: World, run: string, name: string, at: number): string | null => {
  const truth = world.look(name);
  const lease = leaseOf(truth, at);
  // A lease goes by the boot it was taken in: one that is told wrongly makes it look older than it is.
  const lies = truth.faults.some(({ kind }) => kind === 'boot-id-lies');
  return lies || (lease?.state === 'held' && lease.run === run)
    ? null
    : `the preflight of ${name} passed without its lease`;
};

/** Why a step should not begin now, or null: somebody else could have what this run goes on to act on. */
export const ranOut = (
  plan: Plan,
  world: World,
  state: RunState,
  at: number,
  since: number,
): string | null => {
  if (at < since + renewalMs) return null;
  for (const { machine } of plan.machines) {
    const { name } = machine;
    const truth = world.look(name);
    const lease = leaseOf(truth, at);
    // Mostly it is held: asked first, for this is asked at every step.
    if (lease?.state === 'held' || !isSound(world, name) || truth.bootedAt > at - renewalMs) continue;
    const looked = recordsOfMachine(state, name).some(
      ({ step, status }) => step.kind === 'preflight' && status === 'succeeded',
    );
    if (looked) return `the lease of ${name} is ${lease?.state ?? 'free'} while the run goes on`;
  }
  return null;
};

/**
 * Why the run should not have ended so, or null. A machine that was down a moment ago, before a standstill perhaps, could not
 * be told, nor could one that somebody has seen to since.
 */
export const notGivenBack = (
  plan: Plan,
  world: World,
  seenTo: ReadonlySet<string>,
  at: number,
  stoodMs: number,
): string | null => {
  for (const { machine } of plan.machines) {
    const truth = world.look(machine.name);
    if (seenTo.has(machine.name)) continue;
    if (!isSound(world, machine.name) || truth.bootedAt > at - 2 * leaseTimes.releaseMs - stoodMs) continue;
    const lease = leaseOf(truth, at);
    // What was renewed over an address that leads here was taken for the other one, and runs out.
    if (lease?.state === 'held' && lease.machine === machine.name)
      return `the run has ended and holds ${machine.name}`;
  }
  return null;
};
