import type { SimMachine } from './machine.ts';

/** Why nobody can be root on a simulated machine at this moment, or null. */
export const rootProblemOf = ({ faults }: SimMachine, sinceStartMs: number): string | null => {
  const refused = faults.some(
    (fault) =>
      fault.kind === 'sudo-refused' ||
      (fault.kind === 'sudo-breaks' &&
        sinceStartMs >= fault.atMs &&
        (fault.forMs === null || sinceStartMs < fault.atMs + fault.forMs)),
  );
  return refused ? 'sudo: a password is required' : null;
};

const graceMs = 15_000;

/** As the real adapter bears with it: told of each answer in turn, true once root has been refused for too long. */
export const rootPatience = (now: () => number): ((refused: boolean) => boolean) => {
  let since: number | null = null;
  return (refused) => {
    since = refused ? (since ?? now()) : null;
    return since !== null && now() - since >= graceMs;
  };
};
