import type { Goal } from './plan.ts';

/** A goal as people say it: `update and full run`. */
export const goalWords = (goal: Goal): string => {
  switch (goal.kind) {
    case 'run':
      return goal.update ? 'update and full run' : 'full run';
    case 'deploy':
      return goal.mode === 'strategy' ? 'deploy' : `deploy (${goal.mode})`;
    case 'reboot':
      return goal.which === 'all' ? 'reboot' : 'reboot where needed';
    default:
      return goal satisfies never;
  }
};
