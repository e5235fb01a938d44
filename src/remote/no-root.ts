import type { Clock, ExecResult } from '../ports.ts';

/**
 * A machine whose sudo is refused from now on: whoever waits there for a supervisor has no way to ask it. Not believed
 * at once, for an activation may just be replacing sudo, its rules or the users.
 */

/** For how long it is asked again. */
const rootGraceMs = 15_000;

/** What sudo, or a shell that finds none, says; in any language, so it goes by the name. */
const sudoSays = /\bsudo(?:ers)?\b|is not allowed to execute/u;

/** Whether the script `name` was never begun because sudo would not have it. */
export const isRootRefused = (name: string, { code, stdout, stderr }: ExecResult): boolean =>
  code !== null && code !== 0 && !stdout.includes(`lab-${name}`) && sudoSays.test(stderr);

/** Told of each answer in turn; true once root has been refused for too long to be waited for. */
export const rootPatience = (clock: Pick<Clock, 'elapsed'>): ((refused: boolean) => boolean) => {
  let since: number | null = null;
  return (refused) => {
    since = refused ? (since ?? clock.elapsed()) : null;
    return since !== null && clock.elapsed() - since >= rootGraceMs;
  };
};
