import type { Machine } from '../fleet/machine.ts';
import type { BootParts, Reachable } from '../ports.ts';
import { day } from '../text/words.ts';
import type { Debt } from './debt.ts';
import { rebootNeed } from './drift.ts';
import type { Goal } from './plan.ts';

type Reasons = { readonly why: readonly string[]; readonly whyNot: string };

/**
 * Why a machine is rebooted, or why not: by its policy and by what differs between booted and next, and in the full
 * flow also because somebody asked for it while the machine was away. `owed` is what past runs left undone on it.
 */
export const rebootReasons = (
  goal: Goal,
  machine: Machine,
  seen: Reachable,
  next: BootParts | null,
  intoNew: boolean,
  owed: Debt | null,
): Reasons => {
  const byPolicy = reasonsByPolicy(goal, machine, seen, next, intoNew);
  if (goal.kind !== 'run' || owed?.reboot?.kind !== 'asked') return byPolicy;
  const asked = `asked for on ${day(owed.reboot.at)}, while it was away`;
  // By hand, a critical machine is rebooted by whoever types its name.
  if (machine.orchestration.criticalityLevel === 'critical')
    return byPolicy.why.length > 0
      ? byPolicy
      : { why: [], whyNot: `${asked}, and it is critical: \`lab reboot ${machine.name}\` does it` };
  return { why: [...byPolicy.why, asked], whyNot: '' };
};

const reasonsByPolicy = (
  goal: Goal,
  machine: Machine,
  seen: Reachable,
  next: BootParts | null,
  intoNew: boolean,
): Reasons => {
  const none = (whyNot: string) => ({ why: [], whyNot });
  const though = (whyNot: string): string => `${whyNot} though: ${reasons.join(', ')}`;
  if (goal.kind === 'deploy') return none('this goal does not reboot');
  if (goal.kind === 'reboot' && goal.which === 'all') return { why: ['asked for'], whyNot: '' };
  const need = next === null ? null : rebootNeed(seen.bootedParts, next);
  const reasons = [
    ...(need?.reasons ?? []),
    ...(intoNew ? [`strategy ${machine.orchestration.deployStrategy} boots into the new generation`] : []),
  ];
  if (goal.kind === 'rollback' && !goal.reboot)
    return none(reasons.length > 0 ? though('not asked for,') : 'not asked for');
  switch (machine.reboot.policy) {
    case 'always':
      return { why: [...reasons, 'policy always'], whyNot: '' };
    case 'never':
      return none(reasons.length > 0 ? though('policy never,') : 'policy never');
    case 'when-needed': {
      if (reasons.length > 0) return { why: reasons, whyNot: '' };
      if (need === null) return none('not known before the toplevel is built');
      const unsure = need.unknown.length > 0 ? ` (could not compare: ${need.unknown.join(', ')})` : '';
      return none(`kernel, initrd, modules, parameters and systemd are the same${unsure}`);
    }
    default:
      return machine.reboot.policy satisfies never;
  }
};
