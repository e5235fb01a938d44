import type { RunGoal } from './plan.ts';

/** A goal as people say it: `update and full run`. */
export const goalWords = (goal: RunGoal): string => {
  switch (goal.kind) {
    case 'run':
      return goal.catchUp === true ? 'catch up' : goal.update ? 'update and full run' : 'full run';
    case 'deploy':
      return goal.mode === 'strategy' ? 'deploy' : `deploy (${goal.mode})`;
    case 'reboot':
      return goal.which === 'all' ? 'reboot' : 'reboot where needed';
    case 'rollback': {
      const { to } = goal;
      const where =
        to.kind === 'run'
          ? `rollback of run ${to.run}`
          : to.kind === 'generation'
            ? `rollback to generation ${to.number}`
            : 'rollback to the previous generation';
      return goal.reboot ? where : `${where}, without reboots`;
    }
    case 'update':
      return goal.inputs.length === 0 ? 'update' : `update of ${goal.inputs.join(', ')}`;
    default:
      return goal satisfies never;
  }
};
