import { Machine } from '../../src/fleet/machine.ts';
import type { Claim } from '../../src/ports.ts';

/** Who acts in tests of single acts. */
export const claim: Claim = { run: '20260101-120000-beef', owner: 'alice@desk', ttlMs: 600_000 };
/** `claim` as scripts get it that act on this machine. */
export const claimWords = (machine: string) =>
  ['20260101-120000-beef', 'alice@desk', '600', machine] as const;

/** A machine as the module's defaults describe it, with what a test sets. */
export const machineNamed = (name: string, set: Partial<Machine> = {}): Machine =>
  Machine.parse({
    name,
    hostName: name,
    system: 'x86_64-linux',
    role: null,
    groups: [],
    rebootOrder: null,
    dependencies: [],
    orchestrator: false,
    addresses: [],
    ssh: { host: null, port: null, user: null },
    healthChecks: [],
    orchestration: {
      deployStrategy: 'rolling',
      rebootDelay: 0,
      rebootDelayIsOwn: false,
      criticalityLevel: 'medium',
    },
    reboot: {
      policy: 'when-needed',
      deadlines: { down: 60, up: 60, healthy: 60 },
      stable: 0,
      blockOnUsers: 'active',
      minUptime: 0,
    },
    ...set,
  });
