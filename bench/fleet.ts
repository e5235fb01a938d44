import { Machine } from '../src/fleet/machine.ts';
import type { Observation, Toplevel } from '../src/ports.ts';

/** Made-up fleets of any size, the same ones every time. */

/** `m0042`. */
export const nameOf = (index: number): string => `m${String(index).padStart(4, '0')}`;

const strategies = ['rolling', 'blue-green', 'recreate'] as const;
const levels = ['low', 'medium', 'high', 'critical'] as const;
/** Machines of one layer depend on up to three of the layer before. */
const layerSize = 50;

/** Layered dependencies, three checks each, every strategy and criticality; the last one is the orchestrator. */
export const machineOf = (index: number, count: number): Machine => {
  const name = nameOf(index);
  const layerStart = index - (index % layerSize);
  const dependencies =
    layerStart === 0
      ? []
      : [7, 19, 31].map((step) => nameOf(layerStart - layerSize + ((index * step) % layerSize)));
  const check = { name: null, from: 'target', timeoutSeconds: 10, retries: 3, intervalSeconds: 5 };
  return Machine.parse({
    name,
    hostName: name,
    system: 'x86_64-linux',
    role: `role-${index % 7}`,
    groups: [`group-${index % 11}`, `rack-${index % 40}`],
    rebootOrder: index % 3 === 0 ? layerStart : null,
    dependencies: [...new Set(dependencies)],
    orchestrator: index === count - 1,
    addresses: [`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`],
    ssh: { host: null, port: null, user: 'lab' },
    healthChecks: [
      { ...check, type: 'systemd', unit: 'sshd.service' },
      { ...check, type: 'tcp', host: 'localhost', port: 5432 },
      {
        ...check,
        type: 'http',
        url: 'http://localhost:3000/health',
        expectedStatus: 200,
        expectedBody: null,
      },
    ],
    orchestration: {
      deployStrategy: strategies[index % strategies.length],
      rebootDelay: 60,
      rebootDelayIsOwn: index % 2 === 0,
      criticalityLevel: levels[index % levels.length],
    },
    reboot: {
      policy: 'when-needed',
      deadlines: { down: 300, up: 600, healthy: 300 },
      stable: 30,
      blockOnUsers: 'active',
      minUptime: 300,
    },
  });
};

export const fleetOf = (count: number): readonly Machine[] =>
  Array.from({ length: count }, (_, index) => machineOf(index, count));

const storePath = (seed: string, name: string): string =>
  `/nix/store/${seed.padStart(32, '0').slice(-32)}-${name}`;
const partsOf = (seed: string) => ({
  kernel: storePath(seed, 'linux/bzImage'),
  initrd: storePath(seed, 'initrd/initrd'),
  modules: storePath(seed, 'kernel-modules'),
  params: 'loglevel=4',
  systemd: storePath(seed, 'systemd'),
});

/** A machine that answers and runs generation 1 of what the fleet wants. */
export const observationOf = (machine: Machine, index: number, now: number): Observation => {
  const running = storePath(`${index}a`, `nixos-system-${machine.name}`);
  return {
    kind: 'reachable',
    machine: machine.name,
    at: now,
    hostName: machine.hostName,
    bootId: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    uptimeSeconds: 86_400,
    state: 'running',
    failedUnits: [],
    booted: running,
    current: running,
    profile: running,
    generation: 1,
    kernelRelease: '6.12.0',
    nixosVersion: '26.05',
    bootedParts: partsOf('a'),
    profileParts: partsOf('a'),
  };
};

/** What the flake wants of it: a new generation, for every other machine with a new kernel. */
export const toplevelOf = (machine: Machine, index: number): Toplevel => {
  const outPath = storePath(`${index}b`, `nixos-system-${machine.name}`);
  return {
    machine: machine.name,
    drvPath: `${outPath}.drv`,
    outPath,
    parts: partsOf(index % 2 === 0 ? 'a' : 'b'),
  };
};
