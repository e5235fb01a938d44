import { fail, ok, type Result } from '../failure.ts';
import { isAsHashed } from '../plan/make-plan.ts';
import type { RunId, SteerAsk } from '../run/event.ts';
import { ImpossibleHistory, type RunState, replay } from '../run/state.ts';
import { type Refusal, whyNotSteer } from '../run/steer.ts';
import { type ConductDeps, driveHere, type Hosting, openRecord, underLock } from './conduct.ts';
import { latestRun } from './latest-run.ts';
import { undoLock } from './leftover.ts';

/** Runs that go on: their process is gone, or they have ended and are steered so that there is more to do. */

/** Whether a run can be taken up again: it never ended, or it was interrupted. */
export const canResume = (state: RunState): boolean =>
  state.ended === null || state.ended.result === 'interrupted';

/** Why a run that has ended cannot be taken up so that a machine is left out or tried again; null when it can. */
export const whyNotReopen = (state: RunState, steer: SteerAsk): Refusal | null =>
  state.ended === null
    ? {
        message: `run ${state.run} has not ended, and its process is gone`,
        remedy: `\`lab resume ${state.run}\` looks at every machine and goes on from there`,
      }
    : whyNotSteer(state, steer);

/**
 * Takes up a run whose process is gone, or one that has ended and is steered so that it goes on. Steps that were under way count as unknown: each is looked at anew before
 * anything is done. A run that had not been approved is not continued: its lock file is put back, and it ends.
 */
export const resume = (
  deps: ConductDeps,
  run: RunId,
  hosting: Hosting,
  steer: SteerAsk | null = null,
): Promise<Result<RunState>> =>
  underLock(deps, run, hosting, async (controls) => {
    const known = replay(deps.journal.eventsOf(run));
    const refuse = (message: string, remedy: string): Result<RunState> =>
      fail({ kind: 'usage', machine: null, phase: 'resume', message, remedy });
    if (known === null) return refuse(`no run "${run}" is recorded`, '`lab journal --runs` lists them');
    const no = steer === null ? null : whyNotReopen(known, steer);
    if (no !== null) return refuse(no.message, no.remedy);
    if (steer === null && !canResume(known))
      return refuse(
        `run ${run} has ended (${known.ended?.result}): ${known.ended?.reason}`,
        'begin a new one: it plans for what the machines run now',
      );
    if (known.goal.kind === 'update')
      return refuse(`run ${run} was an update of flake.lock`, '`lab update` makes another');
    const latest = latestRun(deps.journal);
    if (latest !== run)
      return refuse(
        `run ${latest} has begun since run ${run}: what the old one knows is out of date`,
        'begin a new one: it plans for what the machines run now',
      );
    // Whoever approved it has not seen what it says now.
    if (known.plan !== null && known.approvedAt !== null && !isAsHashed(known.plan))
      throw new ImpossibleHistory(
        `the plan of run ${run} is not the one that was approved: it was changed in the journal`,
      );
    if (known.plan !== null && known.approvedAt !== null) {
      const { machines, bystanders } = known.plan;
      // Nothing is evaluated: they are where the plan says, and not where the flake does now.
      const introduced = await deps.introduce(
        [...machines, ...bystanders].map(({ machine }) => machine),
        'unless-known',
      );
      if (!introduced.ok) return introduced;
    }
    const { append, end } = openRecord(deps, run, known, hosting.onEvent);
    const resumed = append(
      steer === null
        ? { kind: 'resumed', pid: process.pid }
        : { kind: 'reopened', ...steer, by: `${deps.by.user} (${deps.by.via})`, pid: process.pid },
    );
    if (known.plan === null || known.approvedAt === null) {
      const lock = await undoLock(deps, known, append);
      return ok(
        end(
          'interrupted',
          `it had not been approved, so no machine was touched${lock}; begin a new run`,
          null,
        ),
      );
    }
    return ok(await driveHere(deps, resumed, append, controls));
  });
