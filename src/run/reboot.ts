import type { Step } from '../plan/plan.ts';
import type { StepOutcome } from './event.ts';
import {
  actDeadlines,
  factsOf,
  failed,
  failureAt,
  type PerformContext,
  succeeded,
  unitName,
} from './step-context.ts';

export const reboot = async (step: Step, context: PerformContext): Promise<StepOutcome> => {
  const { target, entry, signal, state } = context;
  const bootId = factsOf(state, entry, 'preflight')?.bootId ?? entry.prior?.bootId ?? null;
  if (bootId === null)
    return failed(
      failureAt(step, 'no-boot-id', 'its boot id is not known, so a reboot could not be proven', 'run again'),
    );
  const outcome = await target.triggerReboot(
    entry.machine,
    { bootId, unit: unitName(state.run, 'reboot'), deadlineMs: actDeadlines.triggerMs },
    { signal },
  );
  switch (outcome.kind) {
    case 'triggered':
      return succeeded('reboot triggered', { bootId });
    case 'probably-triggered':
      return succeeded(`probably triggered: ${outcome.message}`, { bootId });
    case 'already-rebooted':
      return succeeded(`it has rebooted since the run looked at it (boot id ${outcome.bootId})`, { bootId });
    case 'refused':
      return failed(
        failureAt(
          step,
          'reboot-refused',
          `it refused to reboot: ${outcome.message}`,
          'reboot it by hand to see why',
        ),
      );
    default:
      return outcome satisfies never;
  }
};
