import type { Machine } from '../fleet/machine.ts';
import type { ActivationMode, Reachable } from '../ports.ts';
import type { Goal } from './plan.ts';

const strategyModes = {
  rolling: ['switch'],
  'blue-green': ['test', 'boot'],
  recreate: ['boot'],
} as const satisfies Record<Machine['orchestration']['deployStrategy'], readonly ActivationMode[]>;

/** The order of activation modes a goal asks of this machine: empty when the goal activates nothing. */
export const modesFor = (goal: Goal, machine: Machine): readonly ActivationMode[] => {
  switch (goal.kind) {
    case 'reboot':
      return [];
    case 'run':
    case 'rollback':
      return strategyModes[machine.orchestration.deployStrategy];
    case 'deploy':
      return goal.mode === 'strategy' ? strategyModes[machine.orchestration.deployStrategy] : [goal.mode];
    default:
      return goal satisfies never;
  }
};

const why: Record<ActivationMode, string> = {
  switch: 'activated live and made the boot default',
  boot: 'made the boot default only; live after a reboot',
  test: 'activated live, not the boot default',
  'dry-activate': 'shows what activation would do',
};

/** Why these modes, in words. */
export const whyModes = (modes: readonly ActivationMode[]): string =>
  modes.length === 2
    ? 'activated live, and made the boot default once it is healthy'
    : modes.map((mode) => why[mode]).join();

/** Those of the modes that would still change something on the machine. */
export const modesLeft = (
  modes: readonly ActivationMode[],
  seen: Reachable,
  wanted: string,
): readonly ActivationMode[] =>
  modes.filter((mode) => {
    if (mode === 'dry-activate') return seen.current !== wanted;
    if (mode === 'boot') return seen.profile !== wanted;
    if (mode === 'test') return seen.current !== wanted;
    return seen.current !== wanted || seen.profile !== wanted;
  });
