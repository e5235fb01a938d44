import type { Step } from '../plan/plan.ts';
import type { ActivateOutcome, Reachable } from '../ports.ts';
import type { StepOutcome } from './event.ts';
import {
  actDeadlines,
  failed,
  failureAt,
  type PerformContext,
  succeeded,
  unitName,
  unknown,
} from './step-context.ts';

const isLive = (seen: Reachable, toplevel: string, mode: string): boolean =>
  mode === 'boot'
    ? seen.profile === toplevel
    : seen.current === toplevel && (mode === 'test' || seen.profile === toplevel);

const outcomeOfActivation = (step: Step, mode: string, outcome: ActivateOutcome): StepOutcome => {
  switch (outcome.kind) {
    case 'live':
      return succeeded(mode === 'boot' ? 'boot default set' : mode === 'dry-activate' ? 'shown' : 'live');
    case 'live-units-failed':
      return succeeded(`live, but units failed: ${outcome.units.join(', ') || 'see its log'}`);
    case 'needs-reboot':
      return succeeded('boot entry written; live only after a reboot', { needsReboot: true });
    case 'refused':
      return failed(
        failureAt(
          step,
          'activation-refused',
          `activation failed${outcome.code === null ? '' : ` (exit ${outcome.code})`}: ${outcome.message}`,
          'read the lines below; the machine is returned to what it ran',
          outcome.log,
        ),
      );
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

export const activate = async (
  step: Extract<Step, { kind: 'activate' | 'restore' }>,
  toplevel: string,
  mode: 'switch' | 'boot' | 'test' | 'dry-activate',
  context: PerformContext,
): Promise<StepOutcome> => {
  const { target, entry, signal, state } = context;
  if (context.again) {
    const seen = await target.observe(entry.machine, {
      deadlineMs: actDeadlines.observeMs,
      signal,
      fresh: true,
    });
    if (seen.kind === 'reachable' && isLive(seen, toplevel, mode)) return succeeded('found live');
  }
  const outcome = await target.activate(
    entry.machine,
    {
      toplevel,
      mode,
      unit: unitName(state.run, `${step.kind}-${mode}`),
      deadlineMs: actDeadlines.activateMs,
    },
    { signal, onProgress: context.note },
  );
  return outcomeOfActivation(step, mode, outcome);
};

/** Back to the recorded toplevels: what ran goes live, then what was to be booted becomes the default again. */
export const restore = async (
  step: Extract<Step, { kind: 'restore' }>,
  context: PerformContext,
): Promise<StepOutcome> => {
  const back = await activate(step, step.current, step.mode, context);
  if (
    back.kind !== 'succeeded' ||
    step.profile === null ||
    step.profile === step.current ||
    step.mode === 'test'
  )
    return back;
  return activate(step, step.profile, 'boot', context);
};
