import type { Claim, Fenced, Lease, LeaseAnswer, LeaseRequest, SshError, Target } from '../ports.ts';
import type { Hands } from './hands.ts';
import type { SimMachine } from './machine.ts';

/** The lease of a simulated machine, as the scripts of the real one keep it: pure, but for the round trip. */

/** What the machine has on its disk. `at` is the simulation's time, and counts as uptime: within the boot, or from it. */
export type LeaseRecord = Claim & {
  /** The machine that it was taken for. */
  readonly machine: string;
  readonly state: 'held' | 'released' | 'broken';
  readonly bootId: string;
  readonly at: number;
  /** The one that it took the place of. */
  readonly before: LeaseRecord | null;
};

/** What a look at the machine would tell, or null where nobody ever had it. */
export const leaseOf = (machine: SimMachine, now: number): Lease | null => {
  const { lease } = machine;
  if (lease === null) return null;
  const { run, owner, machine: taken, state, ttlMs } = lease;
  const whose = { run, owner, machine: taken };
  if (state !== 'held') return { ...whose, state, leftMs: 0 };
  const leftMs = (lease.bootId === machine.bootId ? lease.at : machine.bootedAt) + ttlMs - now;
  return leftMs > 0 ? { ...whose, state: 'held', leftMs } : { ...whose, state: 'expired', leftMs: 0 };
};

/** A claim, and the machine that it is for. */
type For = Claim & { readonly machine: string };

const isOf = (last: Lease, { run, owner }: Claim): boolean =>
  last.run === run && last.owner === owner && last.state !== 'broken';
const isFor = (last: Lease, { machine }: For): boolean => last.machine === machine;

const withLease = (machine: SimMachine, claim: For, state: LeaseRecord['state'], now: number): SimMachine => {
  const { lease } = machine;
  const same = lease?.run === claim.run && lease.owner === claim.owner && lease.machine === claim.machine;
  const before = lease === null ? null : same ? lease.before : { ...lease, before: null };
  return { ...machine, lease: { ...claim, state, bootId: machine.bootId, at: now, before } };
};

/**
 * The look at the lease that every act begins with: the machine with the lease renewed, or by whom it was taken. `asked`:
 * the machine that the act is for.
 */
export const fence = (machine: SimMachine, given: Claim, asked: string, now: number): SimMachine | Fenced => {
  const last = leaseOf(machine, now);
  const claim = { ...given, machine: asked };
  const theirs = last === null || (isOf(last, claim) && isFor(last, claim));
  return last !== null && !theirs ? { kind: 'fenced', by: last } : withLease(machine, claim, 'held', now);
};
export const isFenced = (fenced: SimMachine | Fenced): fenced is Fenced => 'kind' in fenced;

/** What the machine answers, and what becomes of it. */
const answerLease = (
  machine: SimMachine,
  ask: LeaseRequest['ask'],
  claim: For,
  now: number,
): readonly [SimMachine, LeaseAnswer] => {
  const last = leaseOf(machine, now);
  const theirs = last === null || (isOf(last, claim) && isFor(last, claim));
  const free = last !== null && last.state !== 'held' && (theirs || !isOf(last, claim));
  const taken = (): readonly [SimMachine, LeaseAnswer] =>
    last === null ? [machine, { kind: 'free', last }] : [machine, { kind: 'taken', by: last }];
  switch (ask) {
    case 'take':
      return theirs || free ? [withLease(machine, claim, 'held', now), { kind: 'held' }] : taken();
    case 'renew':
      return theirs ? [withLease(machine, claim, 'held', now), { kind: 'held' }] : taken();
    case 'release':
      if (!theirs) return taken();
      return [
        last === null ? machine : withLease(machine, claim, 'released', now),
        { kind: 'free', last: null },
      ];
    case 'disown':
      return theirs
        ? [
            { ...machine, lease: machine.lease?.before ?? null },
            { kind: 'free', last: null },
          ]
        : taken();
    case 'break':
      return last?.run === claim.run
        ? [withLease(machine, claim, 'broken', now), { kind: 'free', last: null }]
        : taken();
    case 'look':
      return last?.state === 'held' ? taken() : [machine, { kind: 'free', last }];
    default:
      return ask satisfies never;
  }
};

/** `Target.lease` over the simulated world. */
export const leaseOver =
  ({ now, look, change, ask, noRoot }: Hands): Target['lease'] =>
  (machine, request, given) => {
    let answer: LeaseAnswer | null = null;
    const arrive = (there: string): void => {
      const refused = noRoot(there);
      if (refused !== null) {
        answer = { kind: 'unknown', message: refused, error: null };
        return;
      }
      const [after, said] = answerLease(
        look(there),
        request.ask,
        { ...request.claim, machine: machine.name },
        now(),
      );
      change(after);
      answer = said;
    };
    const told = (error: SshError | null): LeaseAnswer =>
      error === null
        ? (answer ?? { kind: 'unknown', message: 'it did not answer', error })
        : { kind: 'unknown', message: error.message, error };
    return ask(machine, request.deadlineMs, given, told, arrive);
  };
