import type { Machine } from '../fleet/machine.ts';
import type { BootParts, Reachable } from '../ports.ts';
import { rebootNeed } from './drift.ts';
import type { Goal } from './plan.ts';

/** Why a machine is rebooted, or why not, by its policy and by what differs between booted and next. */
export const rebootReasons = (
  goal: Goal,
  machine: Machine,
  seen: Reachable,
  next: BootParts | null,
  intoNew: boolean,
): { readonly why: readonly string[]; readonly whyNot: string } => {
  const none = (whyNot: string) => ({ why: [], whyNot });
  if (goal.kind === 'deploy') return none('this goal does not reboot');
  if (goal.kind === 'reboot' && goal.which === 'all') return { why: ['asked for'], whyNot: '' };
  const need = next === null ? null : rebootNeed(seen.bootedParts, next);
  const reasons = [
    ...(need?.reasons ?? []),
    ...(intoNew ? [`strategy ${machine.orchestration.deployStrategy} boots into the new generation`] : []),
  ];
  if (goal.kind === 'rollback' && !goal.reboot)
    return none(reasons.length > 0 ? `not asked for, though: ${reasons.join(', ')}` : 'not asked for');
  switch (machine.reboot.policy) {
    case 'always':
      return { why: [...reasons, 'policy always'], whyNot: '' };
    case 'never':
      return none(reasons.length > 0 ? `policy never, though: ${reasons.join(', ')}` : 'policy never');
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
