import type { Step } from '../../src/plan/plan.ts';
import type { RunEvent } from '../../src/run/event.ts';
import { concurrency } from '../../src/run/next.ts';
import { progressOf } from '../../src/run/progress.ts';
import { recordOf, recordOfStep, recordsOfMachine } from '../../src/run/records.ts';
import type { Known } from './knowledge.ts';
import { entryOf, isBelieved, progressFor } from './known.ts';
import { ranOut } from './lease-rules.ts';
import { wrongProof } from './proof-rules.ts';

/** What must hold of steps as the journal tells of them: begun in their turn, ended when they must, given up only so. */

type Of<K extends RunEvent['body']['kind']> = Extract<RunEvent['body'], { readonly kind: K }>;

/** Steps that do nothing to their machine: none of them is waited for once it is left out. */
const endsWithItsMachine = /\/(?:preflight|copy|dependencies[^/]*|delay)$/u;
/** What is live already is brought to its end, and a machine that goes down is waited for. */
const finishes = /\/(?:restore|confirm|gate-after-activation|await-boot)$/u;

/** What the engine takes to hear of it and to end a step, milliseconds. */
const leftOutWithinMs = 1_000;

/** A copy is no act that anybody could see, so it is counted where it arrives. */
const wrongCopy = ({ state, world, intents }: Known, { machine: name, kind }: Step): string | null => {
  if (world.look(name).copies > 0 && !intents.has(`${name}/copy`))
    return `a closure came to ${name} without an intent in the journal`;
  const copying =
    kind === 'copy'
      ? state.machines.all.filter(({ records }) =>
          records.some(({ step, status }) => step.kind === 'copy' && status === 'open'),
        ).length
      : 0;
  return copying > concurrency.copy ? `${copying} closures are copied at once` : null;
};

/** A step begins once those before it are known to have succeeded. */
const wrongTurn = (known: Known, { machine, id }: Step): string | null => {
  const entry = entryOf(known, machine);
  if (entry === null || entry.restore?.id === id) return null;
  for (const before of progressOf(known.state, entry).steps) {
    if (before.id === id) return null;
    const status = recordOfStep(known.state, before)?.status ?? 'not begun';
    if (status !== 'succeeded') return `${id} began while ${before.id} is ${status}`;
  }
  return null;
};

/** What was seen before a standstill of so many milliseconds is too old to act on. */
const standsStillMs = 10_000;

/**
 * A machine that nothing was done to yet is looked at anew after a standstill of the engine: nobody knows what has become of
 * it meanwhile, who is on it, what has failed there.
 */
const wrongSight = (known: Known, { machine: name, id, kind }: Step): string | null => {
  // Most engines never do.
  if (known.stood() === 0) return null;
  const seen = known.stoodAtPreflight.get(name);
  if (seen === undefined || kind === 'preflight' || progressFor(known, name)?.touched !== false) return null;
  const stoodMs = known.stood() - seen;
  return stoodMs < standsStillMs
    ? null
    : `${id} began on what was seen of ${name} before the engine stood still for ${stoodMs} ms`;
};

/** Why this step should not begin now, or null. */
export const wrongBeginning = (
  known: Known,
  { step: id }: Of<'step-intended'>,
  at: number,
): string | null => {
  const { plan, world, state, resumedAt } = known;
  const step = recordOf(state, id)?.step;
  if (step === undefined) return `${id} began, and nothing is known of it`;
  const wrong =
    ranOut(plan, world, state, at, resumedAt) ??
    wrongCopy(known, step) ??
    wrongTurn(known, step) ??
    wrongSight(known, step);
  if (wrong !== null) return wrong;
  return state.pausedBy !== null && !finishes.test(id) ? `${id} began in a pause` : null;
};

/** Why this machine should not be left out now, or null. */
export const wrongSteer = (known: Known, { what, machine }: Of<'steered' | 'reopened'>): string | null =>
  what === 'skip' && known.touched.has(machine) && progressFor(known, machine)?.status !== 'restored'
    ? `${machine} was left out in the middle`
    : null;

/** Whoever says that it came up in the old generation has seen it boot since the new one was given to it. */
const wrongOldGeneration = (known: Known, machine: string): string | null => {
  const given = recordsOfMachine(known.state, machine).findLast(({ step }) => step.kind === 'activate');
  // A clock that was set dates the journal by another time than the world's.
  return !known.clockWasSet &&
    !isBelieved(known, machine) &&
    given !== undefined &&
    known.world.look(machine).bootedAt < (given.endedAt ?? 0)
    ? `${machine} counts as booted into the old generation, and has not booted since it has the new one`
    : null;
};

/** Why this step should not have ended so, or null. */
export const wrongEnding = (known: Known, { step, outcome }: Of<'step-ended'>, at: number): string | null => {
  const { state, stoppedAtOnce, leftOut, clockWasSet } = known;
  if (stoppedAtOnce && outcome.kind !== 'succeeded')
    return `${step} was given up in its middle, and counts as ${outcome.kind}`;
  const record = recordOf(state, step);
  // Most runs leave nobody out.
  const leftOutAt =
    leftOut.size > 0 && record !== undefined && endsWithItsMachine.test(step)
      ? leftOut.get(record.step.machine)
      : undefined;
  if (leftOutAt !== undefined && at > leftOutAt + leftOutWithinMs && !clockWasSet)
    return `${step} held up the run though its machine was left out`;
  if (record?.outcome?.kind === 'failed' && record.outcome.failure.kind === 'old-generation') {
    const wrong = wrongOldGeneration(known, record.step.machine);
    if (wrong !== null) return wrong;
  }
  return record?.status === 'succeeded' ? wrongProof(known, record) : null;
};
