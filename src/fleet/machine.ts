import { z } from 'zod';
import { limits } from './limits.ts';

/**
 * One machine as `nix/modules/lab-machine.nix` describes it: the shape of `config.lab.machine`, plus the name
 * of its attribute in `nixosConfigurations` and its `networking.hostName`. Times are in whole seconds.
 */

const text = z.string().max(limits.textLengthMax);
/** Attribute names become argv words, file names and ssh hosts: letters, digits, `.`, `_`, `-`; no leading `-` or `.`. */
export const MachineName = z
  .string()
  .max(limits.nameLengthMax)
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
    'letters, digits, ".", "_" and "-" only, not starting with "." or "-"',
  );
const port = z.int().min(1).max(65_535);
const word = z
  .string()
  .min(1)
  .max(limits.nameLengthMax)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@:-]*$/, 'letters, digits, ".", "_", "@", ":" and "-" only');

export const CheckFrom = z.enum(['target', 'orchestrator']);

const checkBase = {
  name: text.nullable(),
  from: CheckFrom,
  timeoutSeconds: z.int().min(1).max(limits.checkTimeoutSecondsMax),
  retries: z.int().min(0).max(limits.checkRetriesMax),
  intervalSeconds: z.int().min(1).max(limits.checkIntervalSecondsMax),
};

/**
 * A health check. `from = target` runs it as seen from the machine itself (its `localhost` is the machine's own,
 * reached through the ssh connection); `from = orchestrator` runs it from where `lab` runs.
 */
export const HealthCheck = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('http'),
    ...checkBase,
    url: z.url({ protocol: /^https?$/ }).max(limits.textLengthMax),
    expectedStatus: z.int().min(100).max(599),
    /** Text that the body must contain, or null. */
    expectedBody: text.nullable(),
  }),
  z.object({ type: z.literal('tcp'), ...checkBase, host: text.min(1), port }),
  z.object({ type: z.literal('command'), ...checkBase, command: text.min(1) }),
  z.object({ type: z.literal('systemd'), ...checkBase, unit: word }),
]);
export type HealthCheck = z.infer<typeof HealthCheck>;

export const DeployStrategy = z.enum(['rolling', 'blue-green', 'recreate']);
export type DeployStrategy = z.infer<typeof DeployStrategy>;
export const CriticalityLevel = z.enum(['low', 'medium', 'high', 'critical']);
export type CriticalityLevel = z.infer<typeof CriticalityLevel>;
export const RebootPolicy = z.enum(['always', 'when-needed', 'never']);
export type RebootPolicy = z.infer<typeof RebootPolicy>;
/** Whose login holds a reboot back: people who use it now, all who are logged in, nobody. */
export const BlockOnUsers = z.enum(['active', 'any', 'never']);
export type BlockOnUsers = z.infer<typeof BlockOnUsers>;

export const Machine = z.object({
  name: MachineName,
  hostName: text,
  /** Nix system, such as `x86_64-linux`. */
  system: text,
  role: text.nullable(),
  groups: z.array(word).max(limits.groupsMax),
  rebootOrder: z.int().min(0).max(limits.rebootOrderMax).nullable(),
  dependencies: z.array(MachineName).max(limits.dependenciesMax),
  /** The machine `lab` runs on: always the last to reboot. */
  orchestrator: z.boolean(),
  /** IP addresses that belong to this machine alone. */
  addresses: z.array(text).max(limits.addressesMax),
  ssh: z.object({ host: text.nullable(), port: port.nullable(), user: word.nullable() }),
  healthChecks: z.array(HealthCheck).max(limits.healthChecksMax),
  orchestration: z.object({
    deployStrategy: DeployStrategy,
    rebootDelay: z.int().min(0).max(limits.rebootDelaySecondsMax),
    /** True when the configuration sets `rebootDelay` itself, false when it is the module's default. */
    rebootDelayIsOwn: z.boolean(),
    criticalityLevel: CriticalityLevel,
  }),
  reboot: z.object({
    policy: RebootPolicy,
    deadlines: z.object({
      /** From the trigger until the machine has gone down. */
      down: z.int().min(1).max(limits.deadlineSecondsMax),
      /** From going down until a new boot answers over ssh. */
      up: z.int().min(1).max(limits.deadlineSecondsMax),
      /** From the new boot until every check passes. */
      healthy: z.int().min(1).max(limits.deadlineSecondsMax),
    }),
    /** How long it must stay healthy before the next machine may go. */
    stable: z.int().min(0).max(limits.stableSecondsMax),
    // The defaults are for plans in journals from before these were known.
    blockOnUsers: BlockOnUsers.default('active'),
    /** How long it must have been up before it may be rebooted again. */
    minUptime: z.int().min(0).max(limits.minUptimeSecondsMax).default(300),
  }),
});
export type Machine = z.infer<typeof Machine>;

/** A machine that the flake names and `lab` cannot use, with its own cause. */
export type FailedMachine = { readonly name: string; readonly message: string; readonly remedy: string };

/** All machines of one evaluation, sorted by name. `failed` hides no machine and is hidden by none. */
export type Fleet = { readonly machines: readonly Machine[]; readonly failed: readonly FailedMachine[] };

/** Where ssh finds the machine when `ssh_config` says nothing else: `ssh.host`, else its first address, else its host name. */
export const sshHostOf = (machine: Machine): string =>
  machine.ssh.host ?? machine.addresses[0] ?? (machine.hostName || machine.name);
