import type { Step } from '../plan/plan.ts';
import type { Reachable } from '../ports.ts';
import { failingIn, failingWords, isFailing } from './baseline.ts';
import { type Failing, noFailing, type StepOutcome } from './event.ts';
import {
  actDeadlines,
  changedSincePlan,
  failed,
  failureAt,
  interrupted,
  type PerformContext,
  spaceFloors,
  succeeded,
} from './step-context.ts';

const gibi = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

/** What fails before anything is done. Where the checks cannot be read nothing is known to fail, so all of them count. */
const failingBefore = async (
  { target, entry: { machine }, signal }: PerformContext,
  { failedUnits }: Reachable,
): Promise<Failing> =>
  machine.healthChecks.length === 0
    ? { ...noFailing, units: failedUnits }
    : {
        ...failingIn(await target.health(machine, { deadlineMs: actDeadlines.healthMs, signal })),
        units: failedUnits,
      };

/** Whether the machine can be acted on at all, and what it runs before anything is changed. */
export const preflight = async (step: Step, context: PerformContext): Promise<StepOutcome> => {
  const { target, entry, signal } = context;
  const { machine, prior } = entry;
  const seen = await target.observe(machine, { deadlineMs: actDeadlines.observeMs, signal, fresh: true });
  if (seen.kind === 'unreachable') {
    const failure = failureAt(step, seen.error.kind, seen.error.message, seen.error.remedy);
    return seen.error.retryable ? { kind: 'skipped', reason: 'unreachable', failure } : failed(failure);
  }
  const facts = { bootId: seen.bootId, current: seen.current, profile: seen.profile };
  if (prior !== null && (seen.current !== prior.current || seen.profile !== prior.profile))
    return failed(
      failureAt(
        step,
        changedSincePlan,
        `someone else changed what it runs since the plan was made (profile ${seen.profile ?? 'unknown'})`,
        'find out who deployed to it, then plan again',
      ),
      facts,
    );
  const got = await target.preflight(machine, { deadlineMs: actDeadlines.preflightMs, signal });
  if (!got.ok) return failed(got.failure, facts);
  const { root, rootProblem, nixFreeBytes, bootFreeBytes, inhibitors } = got.value;
  if (!root)
    return failed(
      failureAt(
        step,
        'no-root',
        `no root on it: ${rootProblem ?? 'sudo refused'}`,
        'let the ssh user use sudo without a password, or set lab.machine.ssh.user = "root"',
      ),
      facts,
    );
  for (const [path, free, floor] of [
    ['/nix', nixFreeBytes, spaceFloors.nixBytes],
    ['/boot', bootFreeBytes, spaceFloors.bootBytes],
  ] as const)
    if (free !== null && free < floor && entry.activation !== null)
      return failed(
        failureAt(
          step,
          'no-space',
          `${path} has ${gibi(free)} free, less than the ${gibi(floor)} that a deployment needs`,
          'remove old generations (`nix-collect-garbage --delete-older-than 30d`) or make room',
        ),
        facts,
      );
  if (inhibitors.length > 0 && entry.reboot !== null)
    return failed(
      failureAt(
        step,
        'inhibited',
        `a shutdown inhibitor blocks its reboot: ${inhibitors.join('; ')}`,
        'let that work finish, or end it, then run again',
      ),
      facts,
    );
  const failing = await failingBefore(context, seen);
  if (signal.aborted) return interrupted(step);
  const ill = isFailing(failing) ? `; failing before the run: ${failingWords(failing)}` : '';
  return succeeded(`reachable, root, enough room${ill}`, { ...facts, failing });
};
