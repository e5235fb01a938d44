import { z } from 'zod';
import { Machine } from '../fleet/machine.ts';
import { Debt } from './debt.ts';
import { Durations } from './durations.ts';
import { Override, overridesMax } from './override.ts';

/**
 * A plan: what will be done for one goal, machine by machine, fixed before anyone approves it. Plans are written to
 * the journal and read back, so their shape is a schema. Times are milliseconds.
 */

const name = z.string().max(256);
export const sentenceMax = 4_096;
const sentence = z.string().max(sentenceMax);
const toplevel = z.string().max(512);
const durationMs = z.int().min(0);

/** What the user asked for. */
export const Goal = z.discriminatedUnion('kind', [
  /** Activate; `mode: strategy` means as each machine's deployStrategy says, without rebooting for `recreate`. */
  z.object({
    kind: z.literal('deploy'),
    mode: z.enum(['strategy', 'switch', 'boot', 'test', 'dry-activate']),
  }),
  /** Reboot: the machines named (`all`), or those whose policy asks for it (`needed`). */
  z.object({ kind: z.literal('reboot'), which: z.enum(['all', 'needed']) }),
  /** The full flow: deploy by strategy, then reboot by policy. `catchUp`: only where past runs left something owed. */
  z.object({
    kind: z.literal('run'),
    update: z.boolean(),
    catchUp: z.literal(true).exactOptional(),
  }),
  /** Back to a generation that is on the machine, or to what machines ran before a run. `reboot` is where it needs one. */
  z.object({
    kind: z.literal('rollback'),
    to: z.discriminatedUnion('kind', [
      /** The one before that which its profile leads to. */
      z.object({ kind: z.literal('previous') }),
      z.object({ kind: z.literal('generation'), number: z.int().min(1).max(999_999_999) }),
      z.object({ kind: z.literal('run'), run: name }),
    ]),
    reboot: z.boolean(),
  }),
]);
export type Goal = z.infer<typeof Goal>;

/** What a run is for: a goal for machines, or to move flake.lock alone (the inputs named; none: all). */
export const RunGoal = z.discriminatedUnion('kind', [
  ...Goal.options,
  z.object({ kind: z.literal('update'), inputs: z.array(sentence).max(1_000).readonly() }),
]);
export type RunGoal = z.infer<typeof RunGoal>;

/** Whether a person asks for these machines by hand: the names of critical ones that reboot have to be given. */
export const isByHand = ({ kind }: Goal): boolean => kind === 'reboot' || kind === 'rollback';

const stepBase = { id: name, machine: name };
export const Step = z.discriminatedUnion('kind', [
  z.object({ ...stepBase, kind: z.literal('preflight') }),
  z.object({ ...stepBase, kind: z.literal('copy'), toplevel }),
  /** Gate: every machine named must be healthy at this moment; in a rollback, those that need this one have gone back. */
  z.object({
    ...stepBase,
    kind: z.literal('dependencies'),
    needs: z.array(name).readonly(),
    neededBy: z.array(name).readonly().exactOptional(),
  }),
  z.object({
    ...stepBase,
    kind: z.literal('activate'),
    toplevel,
    mode: z.enum(['switch', 'boot', 'test', 'dry-activate']),
    /** The number in the system profile to return to, in place of a new one. */
    generation: z.int().min(1).exactOptional(),
    /** The machine returns by itself unless a `confirm` comes so soon after the activation. Absent: it stays. */
    confirmWithinMs: durationMs.exactOptional(),
  }),
  /** Gate: the toplevel named runs, and the machine is healthy and stays so for `stableMs`. */
  z.object({
    ...stepBase,
    kind: z.literal('gate'),
    after: z.enum(['activation', 'reboot']),
    current: toplevel.nullable(),
    deadlineMs: durationMs,
    stableMs: durationMs,
  }),
  /** The activation of this mode has passed its gate: it stays, and a `switch` becomes the boot default. */
  z.object({ ...stepBase, kind: z.literal('confirm'), toplevel, mode: z.enum(['switch', 'test']) }),
  /** The reboot delay, counted from the moment the previous machine's gate passed. */
  z.object({ ...stepBase, kind: z.literal('delay'), delayMs: durationMs }),
  z.object({ ...stepBase, kind: z.literal('reboot') }),
  /** Gate: down, up again with another boot id, booted into the toplevel named (null: whatever it is). */
  z.object({
    ...stepBase,
    kind: z.literal('await-boot'),
    booted: toplevel.nullable(),
    downMs: durationMs,
    upMs: durationMs,
  }),
  /** Back to the toplevels recorded before; performed only after a failure. */
  z.object({
    ...stepBase,
    kind: z.literal('restore'),
    current: toplevel,
    profile: toplevel.nullable(),
    mode: z.enum(['switch', 'test']),
    /** The number in the system profile that held `profile`. */
    generation: z.int().min(1).exactOptional(),
  }),
]);
export type Step = z.infer<typeof Step>;
type StepKind = Step['kind'];

const Prior = z.object({
  bootId: z.string().max(64),
  booted: toplevel.nullable(),
  current: toplevel.nullable(),
  profile: toplevel.nullable(),
  generation: z.int().nullable(),
  failedUnits: z.array(z.string().max(256)).max(1_000).readonly(),
  /** When it had booted, ms since the epoch. */
  bootedAt: z.int().exactOptional(),
});
/** What a machine ran when the plan was made. */
export type Prior = z.infer<typeof Prior>;

export const SkipReason = z.enum([
  'unreachable',
  'not-evaluated',
  'not-built',
  'dependency',
  'blocked',
  'unknown-state',
]);
export type SkipReason = z.infer<typeof SkipReason>;

export const MachinePlan = z.object({
  machine: Machine,
  /** 0-based place in the order. */
  position: z.int().min(0),
  wave: z.int().min(0),
  /** The machine `lab` itself runs on: its reboot ends the process, and the run goes on after the boot. */
  local: z.boolean(),
  decision: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('act') }),
    /** Already as wanted: no step touches it. */
    z.object({ kind: z.literal('nothing') }),
    z.object({ kind: z.literal('skip'), reason: SkipReason, message: sentence, remedy: sentence }),
  ]),
  /** The toplevel the flake wants, or null when this goal does not ask the flake. */
  wanted: toplevel.nullable(),
  prior: Prior.nullable(),
  activation: z
    .object({ mode: z.enum(['switch', 'boot', 'test', 'dry-activate']), why: sentence })
    .nullable(),
  /** Why nothing is activated; empty when something is. */
  noActivationWhy: sentence,
  reboot: z.object({ why: z.array(sentence).readonly(), delayMs: durationMs }).nullable(),
  /** Why it is not rebooted; empty when it is. */
  noRebootWhy: sentence,
  steps: z.array(Step).readonly(),
  /** Performed only when the activation says that it needs a reboot (exit 100). */
  contingent: z.array(Step).readonly(),
  /** Performed only when a step fails and the machine has to return to what it ran. */
  restore: Step.nullable(),
  expectedMs: durationMs,
  /** How long things have taken on it; absent without a history. */
  durations: Durations.exactOptional(),
  /** Places in its list of health checks of those that come with this deployment; absent when none does. */
  newChecks: z.array(z.int().min(0)).readonly().exactOptional(),
  /** What past runs could not do on it, which this one now sees to; absent when nothing is owed. */
  owed: Debt.exactOptional(),
});
export type MachinePlan = z.infer<typeof MachinePlan>;

export const Plan = z.object({
  schema: z.literal(1),
  /** First 16 hex digits of the SHA-256 of the plan without this field. */
  hash: z.string().max(64),
  flake: z.string().max(4_096),
  goal: Goal,
  madeAt: z.int(),
  machines: z.array(MachinePlan).readonly(),
  /** Chosen machines that have no configuration to plan with: they could not be evaluated. */
  leftOut: z.array(z.object({ name, message: sentence, remedy: sentence })).readonly(),
  /** Dependencies outside the plan, probed before their dependents go. */
  bystanders: z
    .array(z.object({ machine: Machine, failedUnits: z.array(z.string().max(256)).max(1_000).readonly() }))
    .readonly(),
  expectedMs: durationMs,
  /** The other machines of the lab, which an address may come to lead to; absent for none. */
  others: z
    .array(z.object({ name, hostName: z.string().max(256), bootId: z.string().max(64).nullable() }))
    .readonly()
    .exactOptional(),
  /** Blockers that whoever asked for the run goes ahead in spite of; absent for none. */
  overrides: z.array(Override).max(overridesMax).readonly().exactOptional(),
});
export type Plan = z.infer<typeof Plan>;

/** Whether these steps return a machine to a generation that it has. */
export const goesBack = ({ steps }: { readonly steps: readonly Step[] }): boolean =>
  steps.some((step) => step.kind === 'activate' && step.generation !== undefined);

export const stepId = (machine: string, kind: StepKind, suffix = ''): string =>
  suffix === '' ? `${machine}/${kind}` : `${machine}/${kind}-${suffix}`;

/** The step of this id wherever the plan keeps it: among the steps, the contingent ones, or as the restore. */
export const findStep = ({ machines }: Plan, id: string): Step | null => {
  for (const { steps, contingent, restore } of machines) {
    const found = [...steps, ...contingent].find((step) => step.id === id);
    if (found !== undefined) return found;
    if (restore?.id === id) return restore;
  }
  return null;
};
