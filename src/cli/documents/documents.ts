import { z } from 'zod';
import { HealthCheck, Machine } from '../../fleet/machine.ts';
import { Debt } from '../../plan/debt.ts';
import { Override } from '../../plan/override.ts';
import { MachinePlan, Plan, RunGoal, Step } from '../../plan/plan.ts';
import { EventBody, RunId, RunResult, Seen, StepOutcome } from '../../run/event.ts';
import type { RunReport } from '../../run/report.ts';
import {
  ClosureDiffDocument,
  DiscrepancyDocument,
  DriftDocument,
  FailedMachineDocument,
  FailureDocument,
  GenerationDocument,
  HealthReportDocument,
  LockChangeDocument,
  ObservationDocument,
  ProblemDocument,
} from './parts.ts';

/**
 * Every document that `--json` prints, by the name in its `schema` field. Fields may be added to a version; whatever
 * else changes makes the next one.
 */

const text = z.string();
const at = z.int();
const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();
const failures = list(FailureDocument);
const flake = text.describe('The flake as it was given.');

const ReportDocument = z.object({
  run: text,
  result: RunResult,
  reason: text,
  exitCode: z.int(),
  failure: FailureDocument.nullable(),
  next: text.nullable().describe('What the reader can do now.'),
  startedAt: at,
  endedAt: at,
  waitedMs: z.number().min(0).describe('How long its plan waited for an answer, of the whole time.'),
  machines: list(
    z.object({
      machine: text,
      status: z.enum(['done', 'nothing', 'failed', 'restored', 'skipped', 'waiting', 'active']),
      summary: text,
      from: text.nullable(),
      to: text.nullable(),
      rebooted: z.boolean(),
      tookMs: z.number().min(0),
      failure: FailureDocument.nullable(),
      warnings: list(text),
      atEnd: Seen.nullable().describe('How it was when all was done; null where nobody looked.'),
      restoreFailure: FailureDocument.nullable(),
    }),
  ),
  leftOut: list(FailedMachineDocument),
  owed: list(Debt).describe('What is left to a later run, because machines were away.'),
  overrides: list(z.object({ ...Override.shape, by: text })),
}) satisfies z.ZodType<RunReport>;

const document = <Shape extends z.core.$ZodLooseShape>(name: string, says: string, shape: Shape) =>
  z.object({ schema: z.literal(`lab/${name}/1`), ...shape }).describe(says);

export const documents = {
  failure: document('failure', 'Any command with --json that could not do what was asked.', {
    failure: FailureDocument,
  }),
  machines: document('machines', '`lab machines --json`', {
    flake,
    machines: list(Machine),
    failed: list(FailedMachineDocument),
    discrepancies: list(DiscrepancyDocument),
  }),
  check: document('check', '`lab check --json`', {
    flake,
    problems: list(ProblemDocument),
    discrepancies: list(DiscrepancyDocument),
    toplevelFailures: failures,
  }),
  status: document('status', '`lab status --json`', {
    flake,
    machines: list(
      z.object({
        observation: ObservationDocument,
        wanted: text
          .nullable()
          .describe('The toplevel of the flake; null where it was not asked or is not known.'),
        drift: DriftDocument.nullable(),
        owed: Debt.nullable(),
      }),
    ),
    failed: list(z.object({ ...FailedMachineDocument.shape, owed: Debt.nullable() })),
    owedUnknown: FailureDocument.nullable().describe('Why what is owed is not known; null where it is.'),
    toplevelFailures: failures,
  }),
  health: document('health', '`lab health --json`', {
    flake,
    machines: list(HealthReportDocument),
    failed: list(FailedMachineDocument),
  }),
  generations: document('generations', '`lab generations --json`', {
    flake,
    machines: list(
      z.object({
        machine: text,
        generations: list(GenerationDocument).nullable().describe('The newest first.'),
        failure: FailureDocument.nullable(),
      }),
    ),
    failed: list(FailedMachineDocument),
  }),
  diff: document('diff', '`lab diff --json`', {
    flake,
    machines: list(
      z.object({
        machine: text,
        runs: text.nullable(),
        wanted: text.nullable(),
        same: z.boolean(),
        diff: ClosureDiffDocument.nullable(),
        failure: FailureDocument.nullable(),
      }),
    ),
    failed: list(FailedMachineDocument),
  }),
  'reboot-sequence': document('reboot-sequence', '`lab reboot-sequence --json`', {
    flake,
    sequence: list(
      z.object({
        position: z.int().min(1),
        wave: z.int().min(1),
        machine: text,
        delaySeconds: z.int().min(0).describe('What `lab` would wait before it.'),
        rebootDelay: z.int().min(0).describe('What its configuration says, in seconds.'),
        dependencies: list(text),
      }),
    ),
    problems: list(ProblemDocument),
  }),
  plan: document('plan', '`lab plan --json`, and `--dry-run --json` of what acts', {
    plan: Plan,
    lockChanges: list(LockChangeDocument),
    lockRemark: text.nullable().describe('What the changes alone do not say.'),
    remarks: list(text),
  }),
  owed: document('owed', '`lab run --catch-up --json` where nothing is owed', { owed: list(Debt) }),
  update: document('update', '`lab update --json`', {
    flake,
    dryRun: z.boolean(),
    changes: list(LockChangeDocument),
    notAsked: list(text).describe('Inputs left alone because they are overridden.'),
    remark: text.nullable(),
  }),
  report: document('report', '`lab run --yes --json` and all that acts; `lab journal --report --json`', {
    run: RunId,
    report: ReportDocument.nullable().describe('Null while the run has not ended.'),
  }),
  runs: document('runs', '`lab journal --runs --json`', {
    runs: list(
      z.object({
        run: RunId,
        goal: RunGoal,
        flake: text,
        startedAt: at,
        by: z.object({ user: text, host: text, pid: z.int(), via: text }),
        ended: z
          .object({ at, result: RunResult, reason: text, failure: FailureDocument.nullable() })
          .nullable(),
        alive: z.boolean().describe('Whether a process executes it now.'),
      }),
    ),
    unreadable: list(z.object({ run: text, startedAt: at, message: text })),
  }),
} as const;

export type DocumentName = keyof typeof documents;
/** What a document of this name holds besides its `schema` field. */
export type DocumentOf<Name extends DocumentName> = Omit<z.infer<(typeof documents)[Name]>, 'schema'>;

/**
 * One line of `lab journal --json`, the only output that is no document: an event as it is recorded. Where the journal
 * cannot be read on, the last line is the document `failure`, unfolded.
 */
const event = z
  .object({ seq: z.int().min(1), at, run: RunId, body: EventBody })
  .describe('One line of `lab journal --json`');

/** All that is published, by name. */
export const published: Readonly<Record<string, z.ZodType>> = { ...documents, event };
export const publishedNames: readonly string[] = Object.keys(published);

/** Shapes that stand in many documents get a name of their own in each. */
const named = z.registry<{ readonly id: string }>();
const names = {
  Machine,
  HealthCheck,
  Plan,
  MachinePlan,
  Step,
  StepOutcome,
  Seen,
  Debt,
  Failure: FailureDocument,
  FailedMachine: FailedMachineDocument,
  Problem: ProblemDocument,
  Discrepancy: DiscrepancyDocument,
  Observation: ObservationDocument,
  LockChange: LockChangeDocument,
  RunResult,
};
for (const [id, schema] of Object.entries(names)) named.add(schema, { id });

/** The JSON Schema of what is published under a name. Later builds may print more fields, so none are forbidden. */
export const jsonSchemaOf = (name: string, schema: z.ZodType): object => ({
  ...z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    metadata: named,
    override: ({ zodSchema, jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // Said of every list, and of use to nobody: all of it is only printed.
      delete jsonSchema.readOnly;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      const description = z.globalRegistry.get(zodSchema)?.description;
      if (description !== undefined) jsonSchema.description = description;
    },
  }),
  title: `lab ${name}`,
  description: schema.description,
});
