import { z } from 'zod';
import type { Failure } from '../failure.ts';
import { limits } from '../fleet/limits.ts';
import { Plan, RunGoal } from '../plan/plan.ts';
import type { LockChange, Progress } from '../ports.ts';

/**
 * What the journal records of a run. Every effect has an intent before it and an outcome after it; an intent without
 * outcome means that nobody knows. Times are milliseconds since the epoch.
 */

const sentence = z.string().max(8_192);
const word = z.string().max(256);

export const FailureRecord = z.object({
  kind: word,
  machine: word.nullable(),
  phase: word,
  message: sentence,
  remedy: sentence,
  detail: z.array(sentence).max(200).readonly().exactOptional(),
}) satisfies z.ZodType<Failure>;

export const RunId = z.string().regex(/^[0-9]{8}-[0-9]{6}-[0-9a-f]{4}$/);
export type RunId = z.infer<typeof RunId>;

/** Health checks, by label, and systemd units that fail on a machine. */
const Failing = z.object({
  checks: z.array(word).max(1_000).readonly(),
  units: z.array(word).max(1_000).readonly(),
});
export type Failing = z.infer<typeof Failing>;
export const noFailing: Failing = { checks: [], units: [] };

/**
 * How a machine was seen when nothing was being done to it. well · as-before: what fails had failed before the run ·
 * worse: something else fails, or it does not run what it should · unknown: it could not be told, which is never well.
 */
export const Seen = z.object({
  machine: word,
  verdict: z.enum(['well', 'as-before', 'worse', 'unknown']),
  /** The evidence, in one line. */
  why: sentence,
  failing: Failing,
});
export type Seen = z.infer<typeof Seen>;
/** start: of machines with nothing to do, before anything is done to others · end: of every machine, once all is done. */
const LookMoment = z.enum(['start', 'end']);
export type LookMoment = z.infer<typeof LookMoment>;

/** What a step learnt, for later decisions and for people. */
export const StepFacts = z.object({
  /** One line for people: `boot id a → b, booted as expected`. */
  note: sentence,
  bootId: word.nullable(),
  /** The toplevels the machine ran before the first change, read anew by its preflight. */
  current: word.nullable(),
  profile: word.nullable(),
  /** The activation wants a reboot: nothing is live yet. */
  needsReboot: z.boolean(),
  /** What a preflight found failing, before anything was changed; what a gate passed in spite of. */
  failing: Failing.exactOptional(),
  /**
   * Of a preflight or a trigger: the machine ended the boot `bootId` after this moment, if it has. By the steady clock of a process,
   * in ms; how often the run had been taken over by then tells which process that was. `initBeganAt`: when its PID 1 had begun, by the
   * wall. Absent where nobody knows.
   */
  inBootAt: z
    .object({ at: z.number(), takeovers: z.int().min(0), initBeganAt: z.number().exactOptional() })
    .exactOptional(),
});
export type StepFacts = z.infer<typeof StepFacts>;
export const noFacts: StepFacts = {
  note: '',
  bootId: null,
  current: null,
  profile: null,
  needsReboot: false,
};

export const StepOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('succeeded'), facts: StepFacts }),
  z.object({ kind: z.literal('failed'), failure: FailureRecord, facts: StepFacts }),
  /** Could not be learnt. Treated as a failure by every policy, never as success. */
  z.object({ kind: z.literal('unknown'), failure: FailureRecord, facts: StepFacts }),
  /** Not attempted, for a reason that is no failure of this machine: offline, a dependency not healthy, a blocker. */
  z.object({
    kind: z.literal('skipped'),
    reason: z.enum(['unreachable', 'dependency', 'blocked']),
    failure: FailureRecord,
  }),
]);
export type StepOutcome = z.infer<typeof StepOutcome>;

/** Work before any machine is touched. */
export const Preparation = z.enum(['update', 'evaluate', 'observe', 'build', 'plan']);
export type Preparation = z.infer<typeof Preparation>;

/** declined: somebody said no · expired: nobody answered the plan in time (declined, in records of earlier builds). */
export const RunResult = z.enum(['done', 'failed', 'partial', 'held', 'interrupted', 'declined', 'expired']);
export type RunResult = z.infer<typeof RunResult>;

const LockedRef = z.object({ url: sentence, rev: word.nullable(), lastModified: z.int().nullable() });
const LockMove = z.object({
  input: sentence,
  kind: z.enum(['added', 'removed', 'updated']),
  from: LockedRef.nullable(),
  to: LockedRef.nullable(),
}) satisfies z.ZodType<LockChange>;

const Amount = z.object({
  of: z.enum(['systems', 'builds', 'paths', 'bytes']),
  done: z.int().min(0),
  all: z.int().min(0),
}) satisfies z.ZodType<Progress['amounts'][number]>;

const pair = z.object({ name: sentence, value: sentence });
/** Everything besides the flake itself that decides what Nix and ssh read. */
export const Opened = z.object({
  cwd: sentence,
  overrideInputs: z.array(pair).max(100).readonly(),
  nixOptions: z.array(pair).max(100).readonly(),
  sshConfig: sentence.nullable(),
});
export type Opened = z.infer<typeof Opened>;

/** What people ask of one machine of a run: to leave it out, or to try again what failed on it. */
export const SteerAsk = z.object({ what: z.enum(['skip', 'retry']), machine: word });
export type SteerAsk = z.infer<typeof SteerAsk>;
const steering = { ...SteerAsk.shape, by: word };

const body = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('run-started'),
    goal: RunGoal,
    flake: sentence,
    selectors: z.array(sentence).readonly(),
    by: z.object({
      user: word,
      host: word,
      pid: z.int(),
      via: z.enum(['cli', 'tui', 'timer', 'daemon', 'demo']),
    }),
    labVersion: word,
    /** How the flake was opened, so that another process can take the run over. */
    opened: Opened,
    /** How long its plan waits for somebody's answer, milliseconds. Absent where nobody is asked. */
    answerWithinMs: z.int().positive().exactOptional(),
  }),
  /**
   * flake.lock is about to be moved: the intent, before it is written (in records without `path`: it was). `previous` is its
   * text before, or null where there was none: what putting it back writes.
   */
  z.object({
    kind: z.literal('lock-moved'),
    /** Absolute. */
    path: sentence.exactOptional(),
    changes: z.array(LockMove).max(1_000).readonly(),
    previous: z.string().max(4_000_000).nullable(),
    /** SHA-256 (hex) of what is written in its place, null for no file: only that may be overwritten by putting it back. */
    movedHash: word.nullable(),
  }),
  z.object({ kind: z.literal('lock-restored') }),
  z.object({ kind: z.literal('preparation-started'), work: Preparation }),
  z.object({
    kind: z.literal('preparation-noted'),
    work: Preparation,
    note: sentence,
    /** How far it is, where that is known. */
    amounts: z.array(Amount).max(8).readonly().exactOptional(),
    /** Machines whose system is there since the last note. */
    built: z.array(word).max(10_000).readonly().exactOptional(),
  }),
  z.object({
    kind: z.literal('preparation-finished'),
    work: Preparation,
    failure: FailureRecord.nullable(),
    note: sentence,
  }),
  /** `remarks`: problems and discrepancies worth knowing before approval. */
  z.object({ kind: z.literal('plan-made'), plan: Plan, remarks: z.array(sentence).max(1_000).readonly() }),
  z.object({
    kind: z.literal('approved'),
    hash: word,
    how: z.enum(['yes-flag', 'answered', 'nothing-to-do']),
  }),
  z.object({ kind: z.literal('step-intended'), step: word }),
  /** `warning`: worth a person's eye, though nothing has failed; reports keep it · `endsBoot`: the boot id a trigger is for. */
  z.object({
    kind: z.literal('step-noted'),
    step: word,
    note: sentence,
    warning: z.literal(true).exactOptional(),
    endsBoot: word.exactOptional(),
  }),
  z.object({ kind: z.literal('step-ended'), step: word, outcome: StepOutcome }),
  /** A look at machines begins; it changes nothing on them. */
  z.object({ kind: z.literal('look-begun'), moment: LookMoment }),
  z.object({
    kind: z.literal('looked'),
    moment: LookMoment,
    seen: z.array(Seen).max(limits.machinesMax).readonly(),
  }),
  /** No step begins until `unpaused`. */
  z.object({ kind: z.literal('paused'), by: word }),
  z.object({ kind: z.literal('unpaused'), by: word }),
  /** A person or signal asked the run to stop after the steps under way; `atOnce`: in the middle of them. */
  z.object({ kind: z.literal('stop-requested'), by: word, atOnce: z.literal(true).exactOptional() }),
  /** A person had a machine left out, or tried again. */
  z.object({ kind: z.literal('steered'), ...steering }),
  /** The same was asked, and could not be. */
  z.object({ kind: z.literal('steer-refused'), ...steering, why: sentence }),
  /** A new process took the run over: every open intent is unknown from here on. */
  z.object({ kind: z.literal('resumed'), pid: z.int() }),
  /** The same for a run that had ended, and goes on because it was steered so. */
  z.object({ kind: z.literal('reopened'), ...steering, pid: z.int() }),
  z.object({
    kind: z.literal('run-ended'),
    result: RunResult,
    reason: sentence,
    failure: FailureRecord.nullable(),
  }),
]);

/** The content of an event, before the journal gives it number and date. */
export type EventBody = z.infer<typeof body>;
export const EventBody = body;
/** `seq` rises by one from 1 within the journal; `at` is when it was written. */
export type RunEvent = {
  readonly seq: number;
  readonly at: number;
  readonly run: RunId;
  readonly body: EventBody;
};
