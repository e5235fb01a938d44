import { z } from 'zod';
import type { Failure } from '../../failure.ts';
import type { FailedMachine } from '../../fleet/machine.ts';
import type { Problem } from '../../fleet/validate.ts';
import type { ClosureDiff } from '../../plan/closure-diff.ts';
import type { Drift } from '../../plan/drift.ts';
import type {
  BootParts,
  Discrepancy,
  Generation,
  HealthReport,
  LockChange,
  Observation,
  SshError,
} from '../../ports.ts';
import { systemStates } from '../../ports.ts';

/**
 * What the documents of `--json` are made of. Times are milliseconds since the epoch unless a name says otherwise. Each is
 * held to the type of what is printed, both ways: here by `satisfies`, and where a document is printed.
 */

const text = z.string();
const count = z.int().min(0);
const at = z.int();
const texts = z.array(text).readonly();

export const FailureDocument = z
  .object({
    kind: text.describe('A stable word to branch on.'),
    machine: text.nullable().describe('The machine concerned; null where the failure is about the whole.'),
    phase: text.describe('What was being done.'),
    message: text.describe('What happened, in one sentence.'),
    remedy: text.describe('What to do about it.'),
    detail: texts.exactOptional().describe('Evidence: the last lines of output.'),
  })
  .describe('Why something was not done.') satisfies z.ZodType<Failure>;

export const FailedMachineDocument = z
  .object({ name: text, message: text, remedy: text })
  .describe(
    'A machine that the flake names and that could not be evaluated.',
  ) satisfies z.ZodType<FailedMachine>;

export const ProblemDocument = z
  .object({
    kind: z.enum([
      'cycle',
      'missing-dependency',
      'dependency-not-evaluated',
      'self-dependency',
      'order-contradiction',
      'orchestrator-dependency',
      'several-orchestrators',
      'duplicate-address',
      'duplicate-hostname',
      'duplicate-ssh-address',
      'too-many-machines',
      'not-evaluated',
      'reboot-never-taken',
    ]),
    severity: z.enum(['error', 'warning']).describe('An error forbids acting on the machines.'),
    machines: texts.describe('The machines concerned, the one to change first.'),
    message: text,
    remedy: text,
  })
  .describe('Something wrong with the fleet as configured.') satisfies z.ZodType<Problem>;

export const DiscrepancyDocument = z
  .object({
    kind: z.enum([
      'folder-without-configuration',
      'configuration-without-folder',
      'hostname-differs',
      'without-lab-module',
      'slow-flake',
    ]),
    machine: text,
    message: text,
  })
  .describe('Worth saying, hindering nothing.') satisfies z.ZodType<Discrepancy>;

const BootPartsDocument = z.object({
  kernel: text.nullable(),
  initrd: text.nullable(),
  modules: text.nullable(),
  params: text.nullable(),
  systemd: text.nullable(),
}) satisfies z.ZodType<BootParts>;

const SshErrorDocument = z
  .object({
    kind: z.enum([
      'unreachable',
      'timeout',
      'protocol',
      'hostkey-mismatch',
      'hostkey-unknown',
      'hostkey-revoked',
      'hostkey-ca-only',
      'auth',
      'config',
      'cancelled',
      'channel',
      'disconnected',
      'output-limit',
    ]),
    host: text,
    phase: z.enum(['config', 'tcp', 'handshake', 'auth', 'channel', 'exec', 'dial']),
    retryable: z.boolean(),
    dispatched: z.boolean().describe('Whether the command may have run.'),
    message: text,
    remedy: text,
  })
  .describe('Why a machine did not answer.') satisfies z.ZodType<SshError>;

const SystemStateDocument = z.enum(systemStates);

export const ObservationDocument = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('reachable'),
    machine: text,
    at,
    bootId: text,
    hostName: text.nullable().exactOptional().describe('What its kernel calls it.'),
    uptimeSeconds: z.number().min(0),
    initSeconds: z
      .number()
      .min(0)
      .nullable()
      .exactOptional()
      .describe(
        'How long its PID 1 has run; in a container less than the uptime, which is that of its host.',
      ),
    state: SystemStateDocument,
    failedUnits: texts,
    booted: text.nullable().describe('The toplevel that was booted.'),
    current: text.nullable().describe('The toplevel that runs.'),
    profile: text.nullable().describe('The toplevel that would boot.'),
    generation: z.int().nullable(),
    kernelRelease: text.nullable(),
    nixosVersion: text.nullable(),
    bootedParts: BootPartsDocument,
    profileParts: BootPartsDocument,
  }),
  z.object({ kind: z.literal('unreachable'), machine: text, at, error: SshErrorDocument }),
]) satisfies z.ZodType<Observation>;

export const DriftDocument = z
  .object({ words: texts, rebootNeeded: texts.describe('Why a reboot is needed; empty when it is not.') })
  .describe('How a machine differs from the flake and from itself.') satisfies z.ZodType<Drift>;

export const HealthReportDocument = z.object({
  machine: text,
  at,
  runs: z
    .object({
      bootId: text,
      hostName: text.nullable().exactOptional().describe('What its kernel calls it.'),
      booted: text.nullable(),
      current: text.nullable(),
      profile: text.nullable(),
    })
    .exactOptional()
    .describe('What it ran, as it was read with all this; absent where it did not answer.'),
  verdict: z.enum(['healthy', 'degraded', 'unhealthy', 'unknown']),
  state: SystemStateDocument,
  failedUnits: texts,
  readings: z
    .array(
      z.object({
        check: text,
        type: z.enum(['http', 'tcp', 'command', 'systemd']),
        verdict: z.enum(['passed', 'failed', 'unknown']),
        evidence: text,
        tries: count,
        ms: z.number().min(0),
      }),
    )
    .readonly(),
  summary: text.describe('The reason of the verdict.'),
  remedy: text.exactOptional().describe('What to do about a machine that was not reached.'),
}) satisfies z.ZodType<HealthReport>;

export const GenerationDocument = z.object({
  number: z.int(),
  toplevel: text,
  at: at.nullable(),
  isDefault: z.boolean().describe('The boot default.'),
  isCurrent: z.boolean(),
  isBooted: z.boolean(),
  nixosVersion: text.nullable(),
  parts: BootPartsDocument,
}) satisfies z.ZodType<Generation>;

const LockedRefDocument = z.object({ url: text, rev: text.nullable(), lastModified: at.nullable() });
export const LockChangeDocument = z
  .object({
    input: text.describe('Path from the root: `nixpkgs`, `home-manager/nixpkgs`.'),
    kind: z.enum(['added', 'removed', 'updated']),
    from: LockedRefDocument.nullable(),
    to: LockedRefDocument.nullable(),
  })
  .describe('An input of flake.lock that moves.') satisfies z.ZodType<LockChange>;

const ClosureSizeDocument = z.object({ paths: count, bytes: count });
export const ClosureDiffDocument = z.object({
  changes: z
    .array(
      z.object({
        name: text,
        kind: z.enum(['updated', 'added', 'removed']),
        from: texts,
        to: texts,
        kept: count.describe('Versions that are in both.'),
        bytes: z.int().describe('By how much it grows.'),
      }),
    )
    .readonly(),
  counts: z.object({ updated: count, added: count, removed: count }),
  rebuilt: z.object({ count, bytes: z.int() }).describe('Packages of the same version that were built anew.'),
  before: ClosureSizeDocument,
  after: ClosureSizeDocument,
}) satisfies z.ZodType<ClosureDiff>;
