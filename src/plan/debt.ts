import { z } from 'zod';
import type { Reachable } from '../ports.ts';
import { rebootNeed } from './drift.ts';

/** What past runs could not do on a machine because it, or what it needs, was away. Times are ms since the epoch. */

const word = z.string().max(512);

export const Debt = z.object({
  machine: word,
  /** The run that first left it undone, and when that run found the machine away. */
  run: word,
  at: z.int(),
  /** How many runs have left it undone. */
  runs: z.int().min(1),
  /** `toplevel`: what the flake wanted when it was left undone last, null where that was not known. */
  deploy: z.object({ toplevel: word.nullable() }).nullable(),
  /** asked: somebody named it for a reboot, last at `at` · by-policy: if its policy asks for one. */
  reboot: z.object({ kind: z.enum(['asked', 'by-policy']), at: z.int() }).nullable(),
  /** Why it was left undone last. */
  why: z.string().max(4_096),
});
export type Debt = z.infer<typeof Debt>;

/** `deploy, reboot if needed` */
export const debtWords = ({ deploy, reboot }: Pick<Debt, 'deploy' | 'reboot'>): string =>
  [
    ...(deploy === null ? [] : ['deploy']),
    ...(reboot === null ? [] : [reboot.kind === 'asked' ? 'reboot' : 'reboot if needed']),
  ].join(', ');

/** What a machine shows that answers. */
export const shownBy = (seen: Reachable): Shown => {
  const { reasons, unknown } = rebootNeed(seen.bootedParts, seen.profileParts);
  return {
    current: seen.current,
    profile: seen.profile,
    bootedAt: bootedAtOf(seen),
    needsReboot: reasons.length > 0 ? true : unknown.length > 0 ? null : false,
  };
};

/** By its own uptime, in ms since the epoch as we count them. */
export const bootedAtOf = ({ at, uptimeSeconds }: Reachable): number =>
  Math.round(at - uptimeSeconds * 1_000);

/** What a machine shows to who looks at it. `bootedAt`: when it booted. */
export type Shown = {
  readonly current: string | null;
  readonly profile: string | null;
  readonly bootedAt: number | null;
  /** Whether it would boot something else than it has booted; null where that is not known. */
  readonly needsReboot: boolean | null;
};

/**
 * What is left of a debt once the machine was seen: nothing is owed that it runs already, nor a reboot to a machine
 * that has booted since it was asked for, or needs none. Null when nothing is left.
 */
export const owedAfterSeeing = (debt: Debt, shown: Shown): Debt | null => {
  const { current, profile, bootedAt, needsReboot } = shown;
  const wanted = debt.deploy?.toplevel ?? null;
  const deploy = wanted !== null && current === wanted && profile === wanted ? null : debt.deploy;
  const { reboot } = debt;
  const rebooted =
    reboot !== null &&
    (reboot.kind === 'asked'
      ? bootedAt !== null && bootedAt > reboot.at
      : deploy === null && needsReboot === false);
  return owing({ ...debt, deploy, reboot: rebooted ? null : reboot });
};

/** The debt, or null when nothing of it is left. */
export const owing = (debt: Debt): Debt | null =>
  debt.deploy === null && debt.reboot === null ? null : debt;
