import type { Step } from '../plan/plan.ts';
import type { ActivateOutcome, Runs } from '../ports.ts';
import { answersForAnother } from './another.ts';
import { otherReturns } from './closure-gone.ts';
import { copy } from './copy.ts';
import { dependencies } from './dependencies.ts';
import type { StepOutcome } from './event.ts';
import { contradiction, lacksEvidence } from './evidence.ts';
import { claimOf, fenced } from './lease.ts';
import { recordOfStep } from './records.ts';
import type { RunState } from './state.ts';
import {
  actDeadlines,
  away,
  changedSincePlan,
  failed,
  failureAt,
  foreignChange,
  interrupted,
  type PerformContext,
  recordedPrior,
  see,
  succeeded,
  unitName,
  unknown,
} from './step-context.ts';
import { knownTo, leftAsTheirs } from './theirs.ts';

type ActivationStep = Extract<Step, { kind: 'activate' | 'restore' }>;
type Mode = Extract<Step, { kind: 'activate' }>['mode'];

/** The failure of an activation whose unit the machine did not start. */
export const activationNotStarted = 'activation-not-started';
/** The failure of one that began and ended badly. */
export const activationRefused = 'activation-refused';

const outcomeOfActivation = (
  step: Step,
  mode: string,
  outcome: ActivateOutcome,
  ours: Pick<RunState, 'run'>,
): StepOutcome => {
  switch (outcome.kind) {
    case 'live':
      return succeeded(mode === 'boot' ? 'boot default set' : mode === 'dry-activate' ? 'shown' : 'live');
    case 'live-units-failed':
      return succeeded(`live, but units failed: ${outcome.units.join(', ') || 'see its log'}`);
    case 'needs-reboot':
      return succeeded(
        outcome.inhibited === true
          ? 'boot default only, live after a reboot: its switch inhibitors are not those of what was booted'
          : 'boot entry written; live only after a reboot',
        { needsReboot: true },
      );
    case 'refused':
      return failed(
        failureAt(
          step,
          outcome.notStarted === true ? activationNotStarted : activationRefused,
          `activation failed${outcome.code === null ? '' : ` (exit ${outcome.code})`}: ${outcome.message}`,
          outcome.notStarted === true
            ? 'nothing was activated: look at the machine (`systemctl status` there), then run again'
            : 'read the lines below, and its journal',
          outcome.log,
        ),
      );
    case 'fenced':
      return fenced(step, outcome.by, 'not activated', ours);
    case 'unknown':
      return unknown(
        failureAt(
          step,
          'activation-unknown',
          `whether it activated is not known: ${outcome.message}`,
          'look at the machine (`lab status`), then `lab run` again',
        ),
      );
    default:
      return outcome satisfies never;
  }
};

/** The mode whose traces show that a step did its work: a supervised switch is the boot default once it is confirmed. */
const shownBy = (step: ActivationStep): Mode =>
  step.kind === 'activate' && step.mode === 'switch' && step.confirmWithinMs !== undefined
    ? 'test'
    : step.mode;

/** Whether green went live in this run, and so must be what runs when it becomes the boot default. */
const wentGreen = ({ entry, state }: PerformContext): boolean =>
  entry.steps.some((step) => {
    const outcome =
      step.kind === 'activate' && step.mode === 'test' ? recordOfStep(state, step)?.outcome : null;
    return outcome?.kind === 'succeeded' && !outcome.facts.needsReboot;
  });

/**
 * What forbids the activation now, looked at anew because other machines had their turn since the preflight; or that it may
 * go ahead, and in which boot. Where a process that is gone may have begun it, and it is not live, the dependencies are looked at
 * again too: that process did so perhaps long ago, and so did this one where it `stood` still since. A `boot` activation
 * disturbs nothing that runs.
 */
const forbidden = async (
  step: Extract<Step, { kind: 'activate' }>,
  stood: boolean,
  context: PerformContext,
): Promise<StepOutcome | { readonly kind: 'may'; readonly bootId: string }> => {
  const { entry } = context;
  const seen = await see(context, actDeadlines.seeBeforeMs);
  if (context.signal.aborted) return interrupted(step);
  if (seen.kind === 'unreachable') return away(step, context, seen.error, 'not activated');
  const another = answersForAnother(step, context.state, entry, seen);
  if (another !== null) return another;
  const may = { kind: 'may', bootId: seen.bootId } as const;
  if (step.mode === 'dry-activate') return may;
  const foreign = foreignChange(context.state, entry, seen);
  if (foreign !== null)
    return failed(failureAt(step, changedSincePlan, foreign, 'find out who deployed to it, then plan again'));
  if (step.mode === 'boot' && wentGreen(context) && seen.current !== step.toplevel)
    return failed(
      failureAt(
        step,
        'green-lost',
        `it passed its gate and runs it no longer (${seen.current ?? 'an unknown toplevel'}): it rebooted by itself`,
        'find out why it rebooted before deploying again',
      ),
    );
  if (!stood && (!context.again || contradiction(seen, step.toplevel, shownBy(step)) === null)) return may;
  if (step.mode === 'boot' || entry.machine.dependencies.length === 0) return may;
  const healthy = await dependencies(step, entry.machine.dependencies, context);
  if (healthy.kind === 'succeeded') return may;
  return healthy.kind === 'skipped' && context.again ? unknown(healthy.failure) : healthy;
};

/** The failure of an activation that a resumed run finds taken back by its supervisor. */
const returnedSince = 'activation-returned';
/** The failure of an activation whose closure is not on the machine, though it was copied there. */
const closureGone = 'closure-gone';

/**
 * Activates in a unit named after run and step, in the boot in which the machine was looked at. A step that a process which
 * is gone had begun is asked for again: its unit, if it is still there, is followed and not started anew (a new generation is
 * the running one long before its units have restarted), and activating what runs already changes nothing. It takes the
 * place of what the run knows, and of what was `seen` just now, and of nothing that somebody deployed since.
 */
export const bringAbout = async (
  step: ActivationStep,
  toplevel: string,
  mode: Mode,
  bootId: string,
  context: PerformContext,
  seen: Pick<Runs, 'current' | 'profile'> | null = null,
): Promise<StepOutcome> => {
  const { target, entry, signal, state } = context;
  const confirmWithinMs = step.kind === 'activate' ? step.confirmWithinMs : undefined;
  const prior = recordedPrior(state, entry);
  const recorded = { current: prior?.current ?? null, profile: prior?.profile ?? null };
  const over = [...knownTo(state, entry), seen?.current, seen?.profile].filter((path) => path != null);
  const activated = await target.activate(
    entry.machine,
    {
      claim: claimOf(state),
      toplevel,
      mode,
      ...(step.generation === undefined ? {} : { generation: step.generation }),
      unit: unitName(state.run, `${step.kind}-${mode}`),
      deadlineMs: actDeadlines.activateMs,
      bootId,
      ...(recorded.current === null ? {} : { over }),
      ...(confirmWithinMs === undefined ? {} : { supervision: { confirmWithinMs, recorded } }),
    },
    { signal, onProgress: context.progress },
  );
  if (signal.aborted) return interrupted(step);
  if (activated.kind === 'refused' && activated.theirs === true)
    return leftAsTheirs(step, null, `nothing was activated (${activated.message}):`);
  if (context.again && activated.kind === 'refused' && activated.returned === true)
    return failed(failureAt(step, returnedSince, activated.message, 'look at the machine, then run again'));
  if (activated.kind === 'refused' && activated.missing === true) {
    const copied = entry.steps.some((each) => each.kind === 'copy' && each.toplevel === toplevel);
    return failed(
      failureAt(
        step,
        closureGone,
        copied
          ? `nothing was activated: ${activated.message}`
          : `nothing was activated: ${toplevel} was deleted from its store, by a collection of garbage as it seems`,
        copied
          ? 'garbage may be collected there just now (`nix.gc`): run again; if it stays so its store is damaged: `nix-store --verify --repair` there'
          : await otherReturns(toplevel, context),
        activated.log,
      ),
    );
  }
  // Refused without an exit status: not reached. But the process that is gone may have reached it.
  if (context.again && activated.kind === 'refused' && activated.code === null)
    return unknown(
      failureAt(
        step,
        'activation-unknown',
        `whether it activated before lab was interrupted is not known: ${activated.message}`,
        'look at the machine (`lab status`), then `lab run` again',
      ),
    );
  const outcome = outcomeOfActivation(step, mode, activated, state);
  if (outcome.kind !== 'succeeded' || mode === 'dry-activate') return outcome;
  // Exit 100 leaves the running generation alone, and so does `test` the profile.
  if (outcome.facts.needsReboot && mode === 'test') return outcome;
  const stays = step.kind === 'activate' && mode === 'boot' && wentGreen(context);
  const live = confirmWithinMs === undefined ? mode : 'test';
  const shown = outcome.facts.needsReboot ? 'boot' : stays ? 'switch' : live;
  const claim = {
    toplevel,
    mode: shown,
    did: 'activated',
    said: 'its activation reported success',
    unseen: 'activation-unconfirmed',
  };
  return (await lacksEvidence(step, claim, context)) ?? outcome;
};

/**
 * Nothing keeps a copied closure from being collected until it is activated, and on the last of many machines that may
 * be hours. It is copied once more, and what the machine needs is looked at again, for that took its time too. Null
 * when it may be activated now.
 */
const copiedAgain = async (
  step: Extract<Step, { kind: 'activate' }>,
  first: Extract<Step, { kind: 'copy' }>,
  context: PerformContext,
): Promise<StepOutcome | null> => {
  const { dependencies: needs } = context.entry.machine;
  context.note(
    'its closure is gone since it was copied, as by a collection of garbage: it is copied once more',
  );
  const copied = await copy(first, context);
  const ready =
    copied.kind !== 'succeeded' || step.mode === 'dry-activate' || needs.length === 0
      ? copied
      : await dependencies(step, needs, context);
  if (ready.kind === 'succeeded') return null;
  // It was begun and came to nothing, so it is not a machine that was left alone; and a process that is gone may have
  // begun it before the closure was.
  if (ready.kind !== 'skipped') return ready;
  return context.again ? unknown(ready.failure) : failed(ready.failure);
};

export const activate = async (
  step: Extract<Step, { kind: 'activate' }>,
  context: PerformContext,
): Promise<StepOutcome> => {
  const attempt = async (): Promise<StepOutcome> => {
    for (let stood = context.stoodStill(); ; ) {
      const said = await forbidden(step, stood, context);
      if (said.kind !== 'may') return said;
      stood = context.stoodStill();
      if (!stood) return bringAbout(step, step.toplevel, step.mode, said.bootId, context);
    }
  };
  const outcome = await attempt();
  if (outcome.kind !== 'failed') return outcome;
  // It was on its way back when it was asked for again: now it is back, and begins anew like one found so.
  if (outcome.failure.kind === returnedSince) return attempt();
  const copying = context.entry.steps.find((each) => each.kind === 'copy' && each.toplevel === step.toplevel);
  // A rollback copies nothing: what was collected stays gone.
  if (outcome.failure.kind !== closureGone || copying?.kind !== 'copy') return outcome;
  return (await copiedAgain(step, copying, context)) ?? attempt();
};
