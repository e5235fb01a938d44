import { type Machine, sshHostOf } from '../fleet/machine.ts';
import type { JumpHost } from './jump.ts';

/** What a connection leads to, before the ssh configuration has been asked. Null means: as it says. */
export type Endpoint = {
  /** The name handed to `ssh -G`. */
  readonly alias: string;
  readonly user: string | null;
  readonly port: number | null;
  /** Where to connect: in any case, or where the configuration gives the alias no host name of its own. */
  readonly hostname: { readonly value: string; readonly when: 'always' | 'unless-configured' } | null;
  /** Hops that come before, the first one reached directly. */
  readonly jumps: readonly JumpHost[] | null;
  /** What it is called in messages. */
  readonly label: string;
};

/**
 * Under which name a machine is looked up in the ssh configuration. `address`: by where it is reached (`sshHostOf`).
 * `name`: by its own name, as a person types it; its address then fills in a HostName that is not configured, which
 * is how the file of `writeFleetSshConfig` reads too.
 */
export type LookUp = 'address' | 'name';

/** The machine as an endpoint. What its own configuration sets outright stands above ssh_config. */
export const endpointOf = (machine: Machine, lookUp: LookUp): Endpoint => {
  const { user, port, host } = machine.ssh;
  const common = { user, port, jumps: null, label: machine.name };
  if (lookUp === 'address') return { ...common, alias: sshHostOf(machine), hostname: null };
  const hostname =
    host === null
      ? { value: sshHostOf(machine), when: 'unless-configured' as const }
      : { value: host, when: 'always' as const };
  return { ...common, alias: machine.name, hostname };
};

/** The last of `hops` as an endpoint that is reached through those before it. */
export const jumpEndpoint = (hops: readonly JumpHost[]): Endpoint | null => {
  const last = hops.at(-1);
  if (last === undefined) return null;
  const before = hops.slice(0, -1);
  return {
    alias: last.host,
    user: last.user,
    port: last.port,
    hostname: null,
    jumps: before.length === 0 ? null : before,
    label: `jump host ${last.host}`,
  };
};

/** Two endpoints with one key may share a connection. */
export const endpointKey = ({ alias, user, port, hostname, jumps }: Endpoint): string =>
  JSON.stringify([alias, user, port, hostname, jumps]);
