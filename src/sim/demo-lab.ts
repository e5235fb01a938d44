import type { HealthCheck, Machine } from '../fleet/machine.ts';
import type { BootParts } from '../ports.ts';
import type { Fault } from './fault.ts';
import type { Nature } from './machine.ts';
import { storePath } from './random.ts';

/**
 * The lab that `lab demo` shows: seven machines of one household, each with something going on. Seconds here are
 * seconds of the simulation; the demo's clock makes them pass faster.
 */

export type DemoMachine = {
  readonly machine: Machine;
  readonly nature: Nature;
  readonly faults: readonly Fault[];
  readonly failedUnits: readonly string[];
  readonly uptimeDays: number;
  readonly generation: number;
  /** Versions of its kernel: booted, running, and after the update of the flake. */
  readonly kernels: { readonly booted: string; readonly current: string; readonly updated: string };
  /** The flake wants something newer than runs, even without an update. */
  readonly behind: boolean;
};

const check = (
  traits: { readonly name: string; readonly from?: 'target' | 'orchestrator' } & (
    | { readonly type: 'http'; readonly url: string }
    | { readonly type: 'tcp'; readonly port: number }
    | { readonly type: 'systemd'; readonly unit: string }
    | { readonly type: 'command'; readonly command: string }
  ),
): HealthCheck => {
  const base = { from: traits.from ?? 'target', timeoutSeconds: 10, retries: 2, intervalSeconds: 2 } as const;
  switch (traits.type) {
    case 'http':
      return {
        ...base,
        type: 'http',
        name: traits.name,
        url: traits.url,
        expectedStatus: 200,
        expectedBody: null,
      };
    case 'tcp':
      return { ...base, type: 'tcp', name: traits.name, host: 'localhost', port: traits.port };
    case 'systemd':
      return { ...base, type: 'systemd', name: traits.name, unit: traits.unit };
    case 'command':
      return { ...base, type: 'command', name: traits.name, command: traits.command };
    default:
      return traits satisfies never;
  }
};

type Traits = {
  readonly role: string;
  readonly groups: string[];
  readonly address: string;
  readonly system?: string;
  readonly order?: number;
  readonly needs?: string[];
  readonly orchestrator?: boolean;
  readonly strategy?: Machine['orchestration']['deployStrategy'];
  readonly criticality?: Machine['orchestration']['criticalityLevel'];
  readonly delaySeconds?: number;
  readonly policy?: Machine['reboot']['policy'];
  readonly checks: HealthCheck[];
};

const machine = (name: string, traits: Traits): Machine => ({
  name,
  hostName: name,
  system: traits.system ?? 'x86_64-linux',
  role: traits.role,
  groups: traits.groups,
  rebootOrder: traits.order ?? null,
  dependencies: traits.needs ?? [],
  orchestrator: traits.orchestrator ?? false,
  addresses: [traits.address],
  ssh: { host: null, port: null, user: null },
  healthChecks: traits.checks,
  orchestration: {
    deployStrategy: traits.strategy ?? 'rolling',
    rebootDelay: traits.delaySeconds ?? 0,
    rebootDelayIsOwn: true,
    criticalityLevel: traits.criticality ?? 'medium',
  },
  reboot: {
    policy: traits.policy ?? 'when-needed',
    deadlines: { down: 90, up: 300, healthy: 180 },
    stable: 10,
    blockOnUsers: 'active',
    // Here people try things again and again.
    minUptime: 0,
  },
});

const usual: Nature = {
  copyMs: 20_000,
  activationMs: 20_000,
  restartMs: 5_000,
  shutdownMs: 7_000,
  bootMs: 28_000,
  startupMs: 6_000,
  servicesMs: 9_000,
};
const kernels = (booted: string, current: string, updated: string) => ({ booted, current, updated });

export const demoMachines: readonly DemoMachine[] = [
  {
    machine: machine('sleeper-service', {
      role: 'nas',
      groups: ['infrastructure', 'storage'],
      address: '10.77.0.11',
      order: 1,
      criticality: 'high',
      checks: [
        check({ type: 'systemd', name: 'nfs', unit: 'nfs-server.service' }),
        check({ type: 'tcp', name: 'samba', port: 445 }),
        check({ type: 'command', name: 'zpool', command: 'zpool status -x' }),
      ],
    }),
    nature: { ...usual, bootMs: 40_000, servicesMs: 14_000 },
    faults: [],
    failedUnits: [],
    uptimeDays: 41,
    generation: 212,
    kernels: kernels('6.12.40', '6.12.40', '6.12.43'),
    behind: false,
  },
  {
    machine: machine('grey-area', {
      role: 'application-server',
      groups: ['infrastructure', 'backend'],
      address: '10.77.0.12',
      order: 2,
      needs: ['sleeper-service'],
      strategy: 'blue-green',
      delaySeconds: 100,
      checks: [
        check({ type: 'http', name: 'forge', url: 'http://localhost:3000/api/healthz' }),
        check({ type: 'http', name: 'jellyfin', url: 'http://localhost:8096/health' }),
        check({ type: 'tcp', name: 'postgresql', port: 5432 }),
      ],
    }),
    nature: { ...usual, copyMs: 35_000, activationMs: 28_000, servicesMs: 18_000 },
    faults: [],
    failedUnits: [],
    uptimeDays: 41,
    generation: 388,
    kernels: kernels('6.12.40', '6.12.40', '6.12.43'),
    behind: true,
  },
  {
    machine: machine('lightly-seared', {
      role: 'media-box',
      groups: ['home'],
      address: '10.77.0.17',
      needs: ['sleeper-service'],
      criticality: 'low',
      checks: [check({ type: 'systemd', name: 'kodi', unit: 'display-manager.service' })],
    }),
    nature: usual,
    faults: [],
    failedUnits: ['restic-backups-home.service'],
    uptimeDays: 63,
    generation: 57,
    // Deployed weeks ago, never rebooted since.
    kernels: kernels('6.12.34', '6.12.40', '6.12.43'),
    behind: false,
  },
  {
    machine: machine('little-rascal', {
      role: 'dns',
      groups: ['infrastructure', 'network'],
      address: '10.77.0.53',
      system: 'aarch64-linux',
      strategy: 'recreate',
      criticality: 'low',
      checks: [
        check({ type: 'tcp', name: 'dns', port: 53 }),
        check({ type: 'http', name: 'blocklist', url: 'http://localhost:3001/', from: 'orchestrator' }),
      ],
    }),
    nature: {
      ...usual,
      copyMs: 55_000,
      activationMs: 35_000,
      shutdownMs: 14_000,
      bootMs: 60_000,
      servicesMs: 20_000,
    },
    faults: [{ kind: 'slow-link', ms: 900 }],
    failedUnits: [],
    uptimeDays: 9,
    generation: 34,
    kernels: kernels('6.12.38-rpi', '6.12.38-rpi', '6.12.38-rpi'),
    behind: false,
  },
  {
    machine: machine('reverse-proxy', {
      role: 'edge',
      groups: ['internet'],
      address: '203.0.113.9',
      order: 3,
      needs: ['grey-area'],
      criticality: 'critical',
      delaySeconds: 60,
      checks: [
        check({ type: 'http', name: 'front page', url: 'https://lab.example.org/', from: 'orchestrator' }),
        check({ type: 'systemd', name: 'fail2ban', unit: 'fail2ban.service' }),
      ],
    }),
    nature: { ...usual, bootMs: 16_000, servicesMs: 5_000 },
    faults: [{ kind: 'slow-link', ms: 120 }],
    failedUnits: [],
    uptimeDays: 20,
    generation: 91,
    kernels: kernels('6.12.40', '6.12.40', '6.12.43'),
    behind: false,
  },
  {
    machine: machine('killing-time', {
      role: 'laptop',
      groups: ['desktop', 'mobile'],
      address: '10.77.0.31',
      criticality: 'low',
      checks: [check({ type: 'systemd', name: 'network', unit: 'NetworkManager.service' })],
    }),
    nature: usual,
    faults: [{ kind: 'offline' }],
    failedUnits: [],
    uptimeDays: 2,
    generation: 140,
    kernels: kernels('6.12.40', '6.12.40', '6.12.43'),
    behind: false,
  },
  {
    machine: machine('congenital-optimist', {
      role: 'workstation',
      groups: ['desktop'],
      address: '10.77.0.14',
      orchestrator: true,
      criticality: 'low',
      checks: [check({ type: 'systemd', name: 'desktop', unit: 'display-manager.service' })],
    }),
    nature: { ...usual, activationMs: 14_000, bootMs: 20_000 },
    faults: [],
    failedUnits: [],
    uptimeDays: 3,
    generation: 503,
    kernels: kernels('6.12.40', '6.12.40', '6.12.43'),
    behind: false,
  },
];

/** The parts of a toplevel with this kernel. */
export const demoParts = (kernel: string, systemd: string): BootParts => ({
  kernel: `${storePath(kernel, `linux-${kernel}`)}/bzImage`,
  initrd: `${storePath(kernel, `initrd-linux-${kernel}`)}/initrd`,
  modules: `${storePath(kernel, `linux-${kernel}-modules`)}`,
  params: 'loglevel=4 lsm=landlock,yama,bpf',
  systemd: storePath(systemd, `systemd-${systemd}`),
});
