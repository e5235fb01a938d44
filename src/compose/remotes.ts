import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Machine } from '../fleet/machine.ts';
import type { Remote } from '../ports.ts';

/** The machine `lab` runs on is reached without ssh: it is the one marked as orchestrator that bears our host name. */
export const isHere = (machine: Machine): boolean => machine.orchestrator && machine.hostName === hostname();

/** The boot that this machine is in, as other machines tell theirs; empty where there is no such file. */
export const bootHere = (): { readonly bootId?: string } => {
  try {
    return { bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() };
  } catch {
    return {};
  }
};

/** All machines, each by its way. `goBy`: from here on over ssh as another configuration says. */
export const createRemotes = (
  local: Remote,
  sshBy: (configPath: string) => Remote,
  configPath: string,
): { readonly remote: Remote; readonly goBy: (configPath: string) => void } => {
  let ssh = sshBy(configPath);
  const all = [local, ssh];
  const of = (machine: Machine): Remote => (isHere(machine) ? local : ssh);
  return {
    remote: {
      exec: (machine, argv, options) => of(machine).exec(machine, argv, options),
      dial: (machine, host, port, options) => of(machine).dial(machine, host, port, options),
      forget: (machine) => of(machine).forget(machine),
      close: async () => {
        await Promise.all(all.map((each) => each.close()));
      },
    },
    goBy: (path) => {
      ssh = sshBy(path);
      all.push(ssh);
    },
  };
};
