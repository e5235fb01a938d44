import type { Due, SimMachine } from '../../src/sim/machine.ts';
import type { Effect } from '../../src/sim/world.ts';
import type { Known } from './knowledge.ts';
import { startFor } from './known.ts';

/** What must hold of what somebody else deploys: nothing of ours takes its place, no return either, by whoever it is done. */

/** Not where the run was told to take it for what was there before. */
const isTheirs = (known: Known, name: string, toplevel: string): boolean => {
  if (!toplevel.endsWith('-foreign')) return false;
  const start = startFor(known, name);
  return start?.current !== toplevel && start?.profile !== toplevel;
};

/** Why this should not be put over what somebody else deployed, or null. */
export const wrongOverTheirs = (known: Known, effect: Effect): string | null => {
  if (effect.kind !== 'activate') return null;
  const { machine, mode, toplevel, at } = effect;
  const { current, profile, foreignAt } = known.world.look(machine);
  if (foreignAt === null) return null;
  const runs = mode !== 'boot' && toplevel !== current && isTheirs(known, machine, current);
  const boots = mode !== 'test' && toplevel !== profile && isTheirs(known, machine, profile);
  return runs || boots
    ? `${mode} of ${machine} over what somebody else ${runs ? 'runs on it' : 'made its boot default'} for ${at - foreignAt} ms`
    : null;
};

/** Why what the machine did by itself should not have been, or null. What an activation does was judged as it began. */
export const wrongBySupervisor = (known: Known, before: SimMachine, due: Due): string | null => {
  if (due.kind !== 'live' && due.kind !== 'profile') return null;
  const had = due.kind === 'live' ? before.current : before.profile;
  if (due.toplevel === had || !isTheirs(known, before.name, had)) return null;
  return [...before.units.values()].some(({ outcome }) => outcome === null)
    ? null
    : `the supervisor on ${before.name} took the place of what somebody else ${due.kind === 'live' ? 'runs on it' : 'made its boot default'}`;
};
