import type { Machine } from '../fleet/machine.ts';
import type { Clock, SshError } from '../ports.ts';
import { type Fault, faultOf } from './fault.ts';
import { type Link, type Network, sshError } from './link.ts';
import type { Random } from './random.ts';

/**
 * One round trip to a simulated machine. `told` makes the result of why no answer arrived, or of null when one did; `arrive`
 * is what the command does there, at the moment it does: it may do so though its answer never comes (`dispatched`). Both
 * hear the name of the machine that is there: where an address leads elsewhere, another than was asked.
 */
export type Ask = <T>(
  machine: Machine,
  deadlineMs: number,
  given: { readonly signal?: AbortSignal },
  told: (problem: SshError | null, there: string) => T,
  arrive?: (there: string) => void,
) => Promise<T>;

/** The same where why no answer arrived is all that is asked. */
export type Reach = (
  machine: Machine,
  deadlineMs: number,
  given: { readonly signal?: AbortSignal },
  arrive?: (there: string) => void,
) => Promise<SshError | null>;
export const reachBy =
  (ask: Ask): Reach =>
  (machine, deadlineMs, given, arrive) =>
    ask(machine, deadlineMs, given, (problem) => problem, arrive);

type Surroundings = {
  readonly after: After;
  readonly now: () => number;
  readonly random: Random;
  readonly network: Network;
  readonly link: Link;
  /** A round trip to a machine begins: which it is, counted from 1, and what ails the machine. */
  readonly setOut: (name: string) => { readonly trip: number; readonly faults: readonly Fault[] };
  readonly crash: (name: string) => void;
  /** Somebody else deploys to it. */
  readonly deployed: (name: string, trip: number) => void;
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

/** Which machine an address leads to now. */
const leadsTo = (name: string, faults: readonly Fault[], sinceStartMs: number): string => {
  const fault = faultOf(faults, 'leads-elsewhere');
  const holds =
    fault !== null &&
    sinceStartMs >= fault.atMs &&
    (fault.forMs === null || sinceStartMs < fault.atMs + fault.forMs);
  return holds ? fault.to : name;
};

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

/** Acts after a while of the clock, or as soon as the signal aborts. */
export type After = (ms: number, signal: AbortSignal | undefined, act: () => void) => void;

/** The same for any clock. */
export const afterOn =
  (clock: Clock): After =>
  (ms, signal, act) =>
    void clock.sleep(ms, signal).then(act);

/** Nothing is heard for so long, and then this is known to be wrong. */
type Silence = { readonly silentMs: number; readonly known: SshError };

const nothing = (): void => {};

export const askOver = (world: Surroundings): Ask => {
  const { after, now, random, network, link } = world;
  const [fastestMs, slowestMs] = network.latencyMs;

  /** What becomes of a round trip once it has come as far as the machine. */
  const onThere = (
    machine: Machine,
    faults: readonly Fault[],
    trip: number,
    tripMs: number,
    deadlineMs: number,
    there: string,
    arrive: (there: string) => void,
  ): SshError | Silence | null => {
    const { name } = machine;
    if (tripMs > deadlineMs)
      return sshError(machine, 'timeout', `${name} took longer than ${deadlineMs / 1_000} s`);
    // Most machines have none.
    const ailing = faults.length > 0;
    if (ailing) {
      if (faults.some((fault) => fault.kind === 'trip-crashes' && fault.trip === trip)) world.crash(name);
      if (faultOf(faults, 'foreign-deploy')?.since === trip) world.deployed(name, trip);
    }
    const problem = link.problem(machine, there);
    if (problem?.kind === 'timeout')
      return { silentMs: Math.min(network.silenceMs, deadlineMs) - tripMs, known: problem };
    if (problem !== null) return problem;
    if (!ailing) {
      arrive(there);
      return null;
    }
    const lost = faults.find(
      (fault): fault is Extract<Fault, { kind: 'trip-lost' }> =>
        fault.kind === 'trip-lost' && fault.trip === trip,
    );
    const hanging = hangs(faults, trip, now() - link.startedAt);
    if ((lost ?? hanging)?.dispatched !== false) arrive(there);
    if (lost !== undefined) {
      link.lose(name, lost.forMs);
      return sshError(machine, 'disconnected', `the connection to ${name} was lost`, {
        phase: lost.dispatched ? 'exec' : 'channel',
        dispatched: lost.dispatched,
      });
    }
    if (hanging !== null) return { silentMs: deadlineMs - tripMs, known: timeout(machine, deadlineMs) };
    return null;
  };

  // There is nothing to await but the answer: a simulated run has more round trips than anything else.
  return (machine, deadlineMs, { signal }, told, arrive = nothing) =>
    new Promise((resolve, reject) => {
      const { name } = machine;
      const { trip, faults } = world.setOut(name);
      const slowMs = faultOf(faults, 'slow-link')?.ms ?? 0;
      const tripMs = random.between(fastestMs, slowestMs) + slowMs;
      after(Math.min(tripMs, deadlineMs), signal, () => {
        try {
          const there = leadsTo(name, faults, now() - link.startedAt);
          const heard = isAborted(signal)
            ? null
            : onThere(machine, faults, trip, tripMs, deadlineMs, there, arrive);
          if (heard !== null && 'silentMs' in heard)
            after(heard.silentMs, signal, () =>
              resolve(told(isAborted(signal) ? cancelled(machine) : heard.known, there)),
            );
          else resolve(told(isAborted(signal) ? cancelled(machine) : heard, there));
        } catch (error) {
          reject(error);
        }
      });
    });
};
