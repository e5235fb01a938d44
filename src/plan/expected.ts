import { type DurationKind, type Durations, durationKindOf } from './durations.ts';
import type { Step } from './plan.ts';

/** Rough durations, in milliseconds, until a machine has a history of its own. */
const guessMs = {
  copy: 30_000,
  activate: 20_000,
  bootDefault: 20_000,
  gateAfterActivation: 5_000,
  gateAfterReboot: 5_000,
  reboot: 60_000,
} as const satisfies Record<DurationKind, number>;
/** Too short to be worth a history. */
const briefMs = { preflight: 2_000, confirm: 2_000 } as const;

/** How long this step is expected to take on a machine with this history, milliseconds. */
const expectedMsOfStep = (step: Step, durations: Durations): number => {
  const kind = durationKindOf(step);
  if (kind !== null)
    return (durations[kind]?.typicalMs ?? guessMs[kind]) + (step.kind === 'gate' ? step.stableMs : 0);
  switch (step.kind) {
    case 'preflight':
    case 'confirm':
      return briefMs[step.kind];
    case 'activate':
      return guessMs.activate;
    case 'delay':
      return step.delayMs;
    default:
      return 0;
  }
};

/** How long these steps are expected to take, milliseconds. */
export const expectedMsOf = (steps: readonly Step[], durations: Durations): number =>
  steps.reduce((sum, step) => sum + expectedMsOfStep(step, durations), 0);
