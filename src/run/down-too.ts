import type { MachinePlan } from '../plan/plan.ts';
import { leased } from './lease.ts';
import { progressOf } from './progress.ts';
import type { RunState } from './state.ts';

/** Failures after which a machine is not known to be up. */
const mayBeDown =
  /^(?:never-.+|(?:ssh-)?(?:unreachable|timeout|disconnected|channel)|(?:activation|confirmation|restore)-(?:unknown|unconfirmed|not-started))$/u;

/**
 * The machines that share a group with this one and are down as far as the run knows, each with why: away when it looked, lost
 * in it, or in the hands of another run. One machine at a time is the rule of a run, not of a fleet, so it is told.
 */
export const downToo = (state: RunState, { machine }: MachinePlan): readonly string[] =>
  (state.plan?.machines ?? []).flatMap((other) => {
    const { name, groups } = other.machine;
    if (name === machine.name || !groups.some((group) => machine.groups.includes(group))) return [];
    const { status, failure } = progressOf(state, other);
    if (status !== 'failed' && status !== 'skipped') return [];
    if (failure?.kind === leased) return [`${name} (another run holds it)`];
    return failure !== null && mayBeDown.test(failure.kind) ? [`${name} (${failure.kind})`] : [];
  });
