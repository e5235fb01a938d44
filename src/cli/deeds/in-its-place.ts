import { type Failure, fail, ok, type Result } from '../../failure.ts';
import { namesMissing } from '../../flow/critical-reboots.ts';
import { goesOnAfterBoot } from '../../flow/own-boot.ts';
import { seeRequest } from '../../flow/prepare.ts';
import { openRun, type Runs } from '../../flow/runs.ts';
import type { Override } from '../../plan/override.ts';
import { type Goal, isByHand } from '../../plan/plan.ts';
import type { RunState } from '../../run/state.ts';
import { sanitiseLine } from '../../text/sanitise.ts';
import { moment } from '../../text/words.ts';
import type { Cli, Lab } from '../lab.ts';

/**
 * A run that begins in the place of one whose process died ends that one for good: nobody can go on with it afterwards. So
 * whatever a person has to answer is asked before.
 */

type Asked = {
  readonly goal: Goal;
  readonly selectors: readonly string[];
  readonly overrides: readonly Override[];
  readonly yes: boolean;
  readonly confirm: readonly string[];
};
/** `lines`: to be told once the run has begun; `confirmed`: critical machines whose name was given or typed. */
type Agreed = { readonly lines: readonly string[]; readonly confirmed: readonly string[] };

const stays = (left: RunState): Failure => ({
  kind: 'cancelled',
  machine: null,
  phase: 'confirm',
  message: `nothing was begun or changed; run ${left.run} is as it was`,
  remedy: '`lab resume` goes on with it',
});

/** Whether a run may begin, as far as one that was left unfinished is concerned. Asks before anything is changed. */
export const agreesToClose = async (
  cli: Cli,
  lab: Lab,
  runs: Runs,
  { goal, selectors, overrides, yes, confirm }: Asked,
): Promise<Result<Agreed>> => {
  const left = openRun(runs);
  // Of an update of flake.lock nothing is left to go on with.
  if (left === null || left.goal.kind === 'update' || runs.isAlive(left))
    return ok({ lines: [], confirmed: confirm });
  const goesOn = goesOnAfterBoot(lab, left);
  if (goesOn !== null) return fail(goesOn);
  const why = runs.whyDied(left.run)?.message ?? 'its process died';
  const message = `run ${left.run} of ${moment(left.startedAt)} was left unfinished: ${sanitiseLine(why)}`;
  const undoesIt = goal.kind === 'rollback' && goal.to.kind === 'run' && goal.to.run === left.run;
  if (!yes && !undoesIt)
    return fail({
      kind: 'left-unfinished',
      machine: null,
      phase: 'run',
      message,
      remedy: '`lab resume` goes on with it; with --yes a new run begins in its place',
    });
  const lines = [`! ${message}; this run begins in its place`];
  if (!cli.interactive || !isByHand(goal)) return ok({ lines, confirmed: confirm });
  const request = { goal, selectors, overrides };
  if (!yes) {
    const meant = await seeRequest(lab, { ...request, dryRun: false }, cli.stop);
    if (!meant.ok) return meant;
    const answer = await cli.ask(`${message}. End it, and plan its rollback? [y/N] `, cli.stop);
    // The plan is asked about once it is there, names included.
    return answer !== null && /^(y|yes)$/iu.test(answer.trim())
      ? ok({ lines, confirmed: confirm })
      : fail(stays(left));
  }
  const critical = await namesMissing(lab, request, confirm, cli.stop);
  if (!critical.ok) return critical;
  for (const name of critical.value) {
    const answer = await cli.ask(
      `${message}. ${name} is critical. Type its name to end that run, and reboot it: `,
      cli.stop,
    );
    if (answer?.trim() !== name) return fail(stays(left));
  }
  return ok({ lines, confirmed: [...confirm, ...critical.value] });
};
