import type { Machine } from '../fleet/machine.ts';
import type { Clock, SshError } from '../ports.ts';
import { type Fault, faultOf } from './fault.ts';
import { type Link, type Network, sshError } from './link.ts';
import type { SimMachine } from './machine.ts';
import type { Random } from './random.ts';

/**
 * One round trip to a simulated machine. `told` makes the result of why no answer arrived, or of null when one did; `arrive`
 * is what the command does there, at the moment it does: it may do so though its answer never comes (`dispatched`).
 */
export type Ask = <T>(
  machine: Machine,
  deadlineMs: number,
  given: { readonly signal?: AbortSignal },
  told: (problem: SshError | null) => T,
  arrive?: () => void,
) => Promise<T>;

/** The same where why no answer arrived is all that is asked. */
export type Reach = (
  machine: Machine,
  deadlineMs: number,
  given: { readonly signal?: AbortSignal },
  arrive?: () => void,
) => Promise<SshError | null>;
export const reachBy =
  (ask: Ask): Reach =>
  (machine, deadlineMs, given, arrive) =>
    ask(machine, deadlineMs, given, (problem) => problem, arrive);

type Surroundings = {
  readonly clock: Clock;
  readonly now: () => number;
  readonly random: Random;
  readonly network: Network;
  readonly link: Link;
  readonly look: (name: string) => SimMachine;
  /** Counts the round trips to a machine, from 1. */
  readonly nextTrip: (name: string) => number;
  readonly crash: (name: string) => void;
  readonly answered: (name: string) => void;
};

const cancelled = (machine: Machine): SshError =>
  sshError(machine, 'cancelled', 'given up', { retryable: false });
const timeout = (machine: Machine, deadlineMs: number): SshError =>
  sshError(machine, 'timeout', `${machine.name} did not answer within ${deadlineMs / 1_000} s`, {
    phase: 'exec',
    // Whether it had begun is known to nobody who waits for it.
    dispatched: true,
  });

/** A call, because the compiler takes a property that was false once for false ever after. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

const hangs = (
  faults: readonly Fault[],
  trip: number,
  sinceStartMs: number,
): { dispatched: boolean } | null => {
  for (const fault of faults) {
    if (fault.kind === 'trip-hangs' && fault.trip === trip) return fault;
    if (
      fault.kind === 'stalls' &&
      sinceStartMs >= fault.atMs &&
      (fault.forMs === null || sinceStartMs < fault.atMs + fault.forMs)
    )
      return { dispatched: false };
  }
  return null;
};

export const askOver = (world: Surroundings): Ask => {
  const { clock, now, random, network, link, look } = world;
  return async (machine, deadlineMs, { signal }, told, arrive = () => {}) => {
    const trip = world.nextTrip(machine.name);
    const slowMs = faultOf(look(machine.name).faults, 'slow-link')?.ms ?? 0;
    const tripMs = random.between(...network.latencyMs) + slowMs;
    await clock.sleep(Math.min(tripMs, deadlineMs), signal);
    if (isAborted(signal)) return told(cancelled(machine));
    if (tripMs > deadlineMs)
      return told(sshError(machine, 'timeout', `${machine.name} took longer than ${deadlineMs / 1_000} s`));
    const { faults } = look(machine.name);
    if (faults.some((fault) => fault.kind === 'trip-crashes' && fault.trip === trip))
      world.crash(machine.name);
    const problem = link.problem(machine);
    if (problem?.kind === 'timeout') {
      await clock.sleep(Math.min(network.silenceMs, deadlineMs) - tripMs, signal);
      return told(isAborted(signal) ? cancelled(machine) : problem);
    }
    if (problem !== null) return told(problem);
    // Most machines have none.
    if (faults.length === 0) {
      arrive();
      world.answered(machine.name);
      return told(null);
    }
    const lost = faults.find(
      (fault): fault is Extract<Fault, { kind: 'trip-lost' }> =>
        fault.kind === 'trip-lost' && fault.trip === trip,
    );
    const hanging = hangs(faults, trip, now() - link.startedAt);
    if ((lost ?? hanging)?.dispatched !== false) arrive();
    if (lost !== undefined) {
      link.lose(machine.name, lost.forMs);
      return told(
        sshError(machine, 'disconnected', `the connection to ${machine.name} was lost`, {
          phase: lost.dispatched ? 'exec' : 'channel',
          dispatched: lost.dispatched,
        }),
      );
    }
    if (hanging !== null) {
      await clock.sleep(deadlineMs - tripMs, signal);
      return told(isAborted(signal) ? cancelled(machine) : timeout(machine, deadlineMs));
    }
    world.answered(machine.name);
    return told(null);
  };
};
