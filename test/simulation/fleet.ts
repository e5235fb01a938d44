import type { HealthCheck, Machine } from '../../src/fleet/machine.ts';
import type { BootParts } from '../../src/ports.ts';
import { storePath } from '../../src/sim/random.ts';
import type { Closure } from '../../src/sim/world.ts';

/** Machines and closures for simulations and tests: sound defaults, and what a test is about said on top. */

export type MachineTraits = Partial<
  Pick<
    Machine,
    'hostName' | 'role' | 'groups' | 'rebootOrder' | 'dependencies' | 'orchestrator' | 'addresses' | 'ssh'
  >
> & {
  readonly healthChecks?: HealthCheck[];
  readonly strategy?: Machine['orchestration']['deployStrategy'];
  readonly criticality?: Machine['orchestration']['criticalityLevel'];
  /** Seconds; its own unless `delayIsOwn` is false. */
  readonly delay?: number;
  readonly delayIsOwn?: boolean;
  readonly policy?: Machine['reboot']['policy'];
  readonly deadlines?: Machine['reboot']['deadlines'];
  readonly stable?: number;
  readonly blockOnUsers?: Machine['reboot']['blockOnUsers'];
  /** Seconds. */
  readonly minUptime?: number;
};

export const serviceCheck: HealthCheck = {
  type: 'tcp',
  name: 'service',
  from: 'target',
  timeoutSeconds: 5,
  retries: 0,
  intervalSeconds: 1,
  host: 'localhost',
  port: 443,
};

export const machineNamed = (name: string, traits: MachineTraits = {}): Machine => ({
  name,
  hostName: traits.hostName ?? name,
  system: 'x86_64-linux',
  role: traits.role ?? null,
  groups: traits.groups ?? [],
  rebootOrder: traits.rebootOrder ?? null,
  dependencies: traits.dependencies ?? [],
  orchestrator: traits.orchestrator ?? false,
  addresses: traits.addresses ?? [],
  ssh: traits.ssh ?? { host: null, port: null, user: null },
  healthChecks: traits.healthChecks ?? [serviceCheck],
  orchestration: {
    deployStrategy: traits.strategy ?? 'rolling',
    rebootDelay: traits.delay ?? 600,
    rebootDelayIsOwn: traits.delayIsOwn ?? traits.delay !== undefined,
    criticalityLevel: traits.criticality ?? 'medium',
  },
  reboot: {
    policy: traits.policy ?? 'when-needed',
    deadlines: traits.deadlines ?? { down: 60, up: 120, healthy: 90 },
    stable: traits.stable ?? 10,
    blockOnUsers: traits.blockOnUsers ?? 'active',
    minUptime: traits.minUptime ?? 300,
  },
});

/** Simulations ask for the same few values a thousand times a second. */
const remembered = <T>(make: (key: string) => T): ((key: string) => T) => {
  const known = new Map<string, T>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
};

/** The parts of a toplevel; equal kernels mean that no reboot is needed between them. */
export const partsWith = remembered(
  (kernel): BootParts => ({
    kernel: `${storePath(kernel, `linux-${kernel}`)}/bzImage`,
    initrd: `${storePath(kernel, 'initrd-linux')}/initrd`,
    modules: `${storePath(kernel, `linux-${kernel}-modules`)}/lib/modules`,
    params: 'loglevel=4',
    systemd: storePath('257', 'systemd-257'),
  }),
);

export const closureWith = remembered(
  (kernel): Closure => ({ parts: partsWith(kernel), kernelRelease: kernel, nixosVersion: null }),
);

const toplevelsOf = remembered((machine) =>
  remembered((version) => storePath(`${machine}-${version}`, `nixos-system-${machine}-${version}`)),
);
/** The toplevel of a machine at a version: `old`, `new` … */
export const toplevelOf = (machine: string, version: string): string => toplevelsOf(machine)(version);
