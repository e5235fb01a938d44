import type { Machine } from '../fleet/machine.ts';
import type { Reachable } from '../ports.ts';

/**
 * Whether what answers for a machine is that machine: pure, from what it says of itself. Host keys alone do not tell,
 * since machines that were cloned share them, and an address that leads elsewhere (a name that resolves to another
 * machine, an alias in ssh_config, a lease that moved) may well lead to a machine whose key is known.
 */

/** A machine of the same lab, and the boot in which it was seen; null where it was not. */
export type Neighbour = {
  readonly machine: Pick<Machine, 'name' | 'hostName'>;
  readonly bootId: string | null;
};

/** Without the domain that a kernel may know besides. */
const hostOf = (name: string): string => (name.split('.', 1)[0] ?? '').toLowerCase();

/** A kernel's name may hold the domain (`kernel.hostname`), where the configuration has it apart. */
export const isSameHost = (one: string, other: string): boolean =>
  hostOf(one) !== '' && hostOf(one) === hostOf(other);

/** What to do where an address leads to another machine. */
export const whereItLeads = (name: string): string =>
  `see where \`lab ssh ${name}\` leads, and correct its address (lab.machine.ssh.host, ssh_config, DNS)`;

/**
 * Why it is taken for another one, or null. One that says its own name is itself: machines may share a boot id where
 * they share a kernel. One that says a name which no other machine has may have been renamed, or has none. No override: what
 * it would let through is one machine deployed and rebooted as another (ARCHITECTURE.md says how names are changed).
 */
export const takenForAnother = (
  { name, hostName }: Pick<Machine, 'name' | 'hostName'>,
  seen: Pick<Reachable, 'bootId' | 'hostName'>,
  neighbours: () => readonly Neighbour[],
): { readonly message: string; readonly remedy: string } | null => {
  if (hostName !== '' && seen.hostName === hostName) return null;
  const said = hostOf(seen.hostName ?? '');
  if (said !== '' && said === hostOf(hostName)) return null;
  const others = neighbours().filter(({ machine }) => machine.name !== name);
  const namesake = others.find(({ machine }) => said !== '' && hostOf(machine.hostName) === said);
  const twin = others.find(({ bootId }) => bootId !== null && bootId === seen.bootId);
  const other = namesake ?? twin;
  if (other === undefined) return null;
  const evidence =
    namesake === undefined ? `both tell the boot id ${seen.bootId}` : `it says that its host name is ${said}`;
  return {
    message: `what answers for ${name} is ${other.machine.name}, as it seems: ${evidence}`,
    remedy: `${whereItLeads(name)}${
      namesake === undefined
        ? ''
        : `; where it is ${name} after all, and the two are to change names: on its own console, \`hostname ${name}-for-now\``
    }`,
  };
};
