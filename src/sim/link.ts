import type { Machine } from '../fleet/machine.ts';
import type { SshError } from '../ports.ts';
import type { SimMachine } from './machine.ts';
import type { Random } from './random.ts';

/** The network between `lab` and the simulated machines: whether a connection can be made at a moment, and why not. */

export const sshError = (
  machine: Machine,
  kind: SshError['kind'],
  message: string,
  more: Partial<SshError> = {},
): SshError => ({
  kind,
  host: machine.name,
  phase: 'tcp',
  retryable: true,
  dispatched: false,
  message,
  remedy: `see whether ${machine.name} is up and reachable`,
  ...more,
});

export type Network = {
  /** A round trip lasts between these, milliseconds. */
  readonly latencyMs: readonly [number, number];
  /** How long a connection to a machine that is silent is tried; 0: it is refused at once. */
  readonly silenceMs: number;
};

export type Link = {
  /** Why no connection to the machine can be made now, or null. `there`: which one its address leads to. */
  problem(machine: Machine, there?: string): SshError | null;
  /** Once in the life of a machine: no connection from now on, for so long. False when that was before. */
  cut(machine: string, forMs: number): boolean;
  /** No connection from now on, for so long. */
  lose(machine: string, forMs: number): void;
  readonly startedAt: number;
};

export const createLink = (
  network: Network,
  random: Random,
  world: { readonly now: () => number; readonly look: (name: string) => SimMachine },
): Link => {
  const startedAt = world.now();
  const cutUntil = new Map<string, number>();

  const problem = (machine: Machine, there = machine.name): SshError | null => {
    const truth = world.look(there);
    const now = world.now();
    const silent = (): SshError =>
      network.silenceMs > 0
        ? sshError(machine, 'timeout', `${machine.name} did not answer within ${network.silenceMs / 1_000} s`)
        : sshError(machine, 'unreachable', `${machine.name} refused the connection`);
    if (truth.power === 'down' || (cutUntil.get(machine.name) ?? 0) > now) return silent();
    for (const fault of truth.faults)
      switch (fault.kind) {
        case 'offline':
          return silent();
        case 'away':
          if (
            now >= startedAt + fault.atMs &&
            (fault.forMs === null || now < startedAt + fault.atMs + fault.forMs)
          )
            return silent();
          break;
        case 'flaky':
          if (random.chance(fault.chance))
            return sshError(machine, 'unreachable', `${machine.name} reset the connection`, {
              phase: 'handshake',
            });
          break;
        case 'flaps':
          if (
            truth.boots > 0 &&
            now - truth.bootedAt < fault.forMs &&
            (now - truth.bootedAt) % fault.periodMs < fault.downMs
          )
            return silent();
          break;
        case 'hostkey-changed':
          if (
            fault.when === 'always' ||
            (fault.when === 'after-reboot' ? truth.boots > 0 : now >= startedAt + fault.when)
          )
            return sshError(machine, 'hostkey-mismatch', `${machine.name} answers with another host key`, {
              phase: 'handshake',
              retryable: false,
              remedy: `find out why, then correct known_hosts`,
            });
          break;
        default:
      }
    return null;
  };

  const cut = (machine: string, forMs: number): boolean => {
    if (cutUntil.has(machine)) return false;
    cutUntil.set(machine, world.now() + forMs);
    return true;
  };
  const lose = (machine: string, forMs: number): void => void cutUntil.set(machine, world.now() + forMs);
  return { problem, cut, lose, startedAt };
};
