import type { Step } from './plan.ts';

/** Rough durations for the expected length, in milliseconds, until a machine has a history of its own. */
const guessMs = {
  preflight: 2_000,
  copy: 30_000,
  activate: 20_000,
  gate: 5_000,
  confirm: 2_000,
  reboot: 60_000,
} as const;

/** How long these steps are expected to take, milliseconds. */
export const expectedMsOf = (steps: readonly Step[]): number =>
  steps.reduce((sum, step) => {
    switch (step.kind) {
      case 'preflight':
        return sum + guessMs.preflight;
      case 'copy':
        return sum + guessMs.copy;
      case 'activate':
        return sum + guessMs.activate;
      case 'gate':
        return sum + guessMs.gate + step.stableMs;
      case 'confirm':
        return sum + guessMs.confirm;
      case 'delay':
        return sum + step.delayMs;
      case 'reboot':
        return sum + guessMs.reboot;
      case 'dependencies':
      case 'await-boot':
      case 'restore':
        return sum;
      default:
        return step satisfies never;
    }
  }, 0);
