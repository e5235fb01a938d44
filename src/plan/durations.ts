import { z } from 'zod';
import type { Step } from './plan.ts';

/** How long things take on a machine, as past runs have it. Times are milliseconds. */

const durationMs = z.int().min(0);

export const Learnt = z.object({
  /** From so many measurements, the latest of them. */
  times: z.int().min(1),
  /** Half of them took no longer. */
  typicalMs: durationMs,
  /** Nine of ten took no longer. */
  slowMs: durationMs,
  /** The longest ever measured. */
  longestMs: durationMs,
});
export type Learnt = z.infer<typeof Learnt>;

/** What is measured, each by itself: a gate after a reboot waits for services that one after an activation need not. */
export const durationKinds = [
  'copy',
  'activate',
  'bootDefault',
  'gateAfterActivation',
  'gateAfterReboot',
  'reboot',
] as const;
export type DurationKind = (typeof durationKinds)[number];

/** Those that are known. A gate is measured without its stability period; a reboot from its trigger to its boot. */
export const Durations = z.object({
  copy: Learnt.exactOptional(),
  activate: Learnt.exactOptional(),
  bootDefault: Learnt.exactOptional(),
  gateAfterActivation: Learnt.exactOptional(),
  gateAfterReboot: Learnt.exactOptional(),
  reboot: Learnt.exactOptional(),
}) satisfies z.ZodType<{ readonly [K in DurationKind]?: Learnt }>;
export type Durations = z.infer<typeof Durations>;

/** What of a machine's history is about this step, or null. The reboot is over with `await-boot`. */
export const durationKindOf = (step: Step): DurationKind | null => {
  switch (step.kind) {
    case 'copy':
      return 'copy';
    case 'activate':
      return step.mode === 'dry-activate' ? null : step.mode === 'boot' ? 'bootDefault' : 'activate';
    case 'gate':
      return step.after === 'reboot' ? 'gateAfterReboot' : 'gateAfterActivation';
    case 'await-boot':
      return 'reboot';
    case 'preflight':
    case 'dependencies':
    case 'confirm':
    case 'delay':
    case 'reboot':
    case 'restore':
      return null;
    default:
      return step satisfies never;
  }
};

/** A reboot takes much longer than ever when it is this far beyond the longest one. */
const alarmFactor = 1.5;
const alarmMarginMs = 30_000;

/** How long after its trigger a reboot is worth a warning, milliseconds. */
export const rebootAlarmMs = ({ longestMs }: Learnt): number => longestMs * alarmFactor + alarmMarginMs;

/** Counted from 0: the middle, and the tenth from the top, of sorted measurements. */
const rank = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;

/** What measurements say; null for none. `longestMs` may be of one that is no longer among them. */
export const learn = (samplesMs: readonly number[], longestMs: number): Learnt | null => {
  if (samplesMs.length === 0) return null;
  const sorted = [...samplesMs].sort((a, b) => a - b);
  return {
    times: sorted.length,
    typicalMs: rank(sorted, 0.5),
    slowMs: rank(sorted, 0.9),
    longestMs: Math.max(longestMs, sorted.at(-1) ?? 0),
  };
};
