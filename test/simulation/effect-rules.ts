import type { MachinePlan, Step } from '../../src/plan/plan.ts';
import { allRecords, recordOf, recordsOfMachine, type StepRecord } from '../../src/run/records.ts';
import type { Effect } from '../../src/sim/world.ts';
import { wrongAbove, wrongBeneath } from './dependency-rules.ts';
import { wrongOverwrite, wrongReboot } from './hold-rules.ts';
import type { Known } from './knowledge.ts';
import { entryOf, startFor } from './known.ts';
import { wrongBeside } from './neighbour-rules.ts';
import { wrongOverTheirs } from './theirs-rules.ts';

/** What must hold of everything that is done to a machine: meant by the journal, watched over, and in its turn. */

/** Whether this effect is what the step is there for. */
const serves = (known: Known, step: Step, effect: Effect): boolean => {
  if (effect.kind === 'reboot') return step.kind === 'reboot';
  if (effect.kind === 'settle') return step.kind === effect.verdict;
  if (step.kind === 'activate') return step.mode === effect.mode && step.toplevel === effect.toplevel;
  if (step.kind !== 'restore') return false;
  const { current, profile } = startFor(known, effect.machine) ?? step;
  return current === effect.toplevel || profile === effect.toplevel;
};

const intentOf = (known: Known, effect: Effect): StepRecord | undefined =>
  recordsOfMachine(known.state, effect.machine).find(
    ({ step, status }) => status === 'open' && serves(known, step, effect),
  );

/** An activation that goes live and nobody there could take back. */
const wrongUnwatched = ({ world }: Known, effect: Effect, intent: StepRecord): string | null =>
  intent.step.kind !== 'restore' &&
  effect.kind === 'activate' &&
  effect.mode !== 'boot' &&
  world.look(effect.machine).units.get(effect.unit)?.watch == null
    ? `${effect.mode} of ${effect.machine}, and nobody there watches over it`
    : null;

/** How those were that have their turn last, or none, is known before anything is done to others. */
const wrongUnseen = ({ plan, touched, state }: Known, effect: Effect): string | null => {
  const idle = plan.machines.some(({ decision }) => decision.kind === 'nothing');
  return idle && touched.size === 0 && (state.looks.start === null || state.looks.start === 'begun')
    ? `${effect.kind} of ${effect.machine} before anybody looked at those with nothing to do`
    : null;
};

/** Only what has passed its gate, in this process, is confirmed. */
const wrongConfirmation = ({ state, resumedAt }: Known, effect: Effect): string | null => {
  if (effect.kind !== 'settle' || effect.verdict !== 'confirm') return null;
  const gate = recordOf(state, `${effect.machine}/gate-after-activation`);
  return gate?.status !== 'succeeded' || (gate.endedAt ?? 0) < resumedAt
    ? `the activation of ${effect.machine} was confirmed before its gate`
    : null;
};

/** Nothing new after a stop; whoever tries something again after the end does so when the engine's machine has had its turn. */
const wrongTurn = (known: Known, effect: Effect, intent: StepRecord): string | null => {
  const { intents, stopSeq, orchestrator, triedAgain, touched } = known;
  if (stopSeq !== null && (intents.get(intent.step.id)?.seq ?? 0) > stopSeq)
    return `${effect.kind} of ${effect.machine} after a stop`;
  const last = orchestrator !== undefined && triedAgain.size === 0;
  return last && orchestrator !== effect.machine && touched.has(orchestrator)
    ? `${effect.kind} of ${effect.machine} after the orchestrator's machine`
    : null;
};

/** A way forward, not a way back nor the word to a supervisor. */
const wrongAdvance = (known: Known, effect: Effect, entry: MachinePlan, intent: StepRecord): string | null =>
  intent.step.kind === 'restore' || effect.kind === 'settle'
    ? null
    : (wrongOverwrite(known.plan, known.world, effect) ??
      wrongBeneath(known, effect, entry, intent) ??
      wrongAbove(known, effect, entry) ??
      wrongTurn(known, effect, intent));

/** Counted from the latest gate that another machine has passed. */
const tooSoon = ({ state, clockWasSet }: Known, effect: Effect, entry: MachinePlan): string | null => {
  const delay = entry.steps.find(({ kind }) => kind === 'delay');
  if (delay?.kind !== 'delay' || clockWasSet) return null;
  const since = allRecords(state)
    .filter(
      ({ step, status }) => step.kind === 'gate' && step.machine !== effect.machine && status === 'succeeded',
    )
    .reduce((latest, { endedAt }) => Math.max(latest, endedAt ?? 0), state.approvedAt ?? 0);
  return effect.at < since + delay.delayMs
    ? `${effect.machine} was rebooted before its delay was over`
    : null;
};

const wrongRebootNow = (known: Known, effect: Effect, entry: MachinePlan): string | null => {
  if (effect.kind !== 'reboot') return null;
  if (known.rebooted.has(effect.machine)) return `${effect.machine} was rebooted twice`;
  return tooSoon(known, effect, entry) ?? wrongReboot(known.plan, known.world, effect);
};

/** Why this should not have been done, or null. */
export const wrongEffect = (known: Known, effect: Effect): string | null => {
  const entry = entryOf(known, effect.machine);
  if (entry === null) return `${effect.kind} of ${effect.machine}, which is not in the plan`;
  if (known.broken) return `${effect.kind} of ${effect.machine} after the journal broke`;
  if (effect.kind === 'activate' && effect.mode === 'dry-activate')
    return intentOf(known, effect) === undefined
      ? `${effect.mode} of ${effect.machine} without an intent in the journal`
      : null;
  if (known.state.looks.end !== null) return `${effect.kind} of ${effect.machine} after the look at the end`;
  const intent = intentOf(known, effect);
  if (intent === undefined) return `${effect.kind} of ${effect.machine} without an intent in the journal`;
  const among =
    wrongUnwatched(known, effect, intent) ?? wrongUnseen(known, effect) ?? wrongBeside(known, effect, intent);
  if (among !== null) return among;
  if (known.leftOut.has(effect.machine)) return `${effect.kind} of ${effect.machine}, which was left out`;
  return (
    wrongOverTheirs(known, effect) ??
    wrongConfirmation(known, effect) ??
    wrongAdvance(known, effect, entry, intent) ??
    wrongRebootNow(known, effect, entry)
  );
};
