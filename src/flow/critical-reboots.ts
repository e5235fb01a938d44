import { type Failure, ok, type Result } from '../failure.ts';
import { isByHand, type Plan } from '../plan/plan.ts';
import { type LabDeps, type PrepareRequest, prepare, seeRequest } from './prepare.ts';

/** Critical machines that are rebooted by hand: the name of each is typed, or given beforehand. */

export const criticalReboots = (plan: Plan): readonly string[] =>
  !isByHand(plan.goal)
    ? []
    : plan.machines
        .filter(
          ({ machine, reboot }) => reboot !== null && machine.orchestration.criticalityLevel === 'critical',
        )
        .map(({ machine }) => machine.name);

export const unconfirmed = (names: readonly string[]): Failure => ({
  kind: 'confirmation',
  machine: names[0] ?? null,
  phase: 'confirm',
  message: `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} critical: rebooting by hand needs the name`,
  remedy: `give ${names.map((name) => `--confirm ${name}`).join(' ')}`,
});

/**
 * Those that a run of this request would reboot and whose name is still missing, before anything is recorded or changed.
 * Fails where the request cannot be meant. Only where a critical machine is chosen are the machines looked at, for a plan
 * that is thrown away: which of them that reboots depends on what they run.
 */
export const namesMissing = async (
  deps: LabDeps,
  request: Omit<PrepareRequest, 'dryRun'>,
  confirmed: readonly string[],
  signal: AbortSignal,
): Promise<Result<readonly string[]>> => {
  const unseen = { ...request, dryRun: true };
  const isMissing = (name: string): boolean => !confirmed.includes(name);
  const meant = await seeRequest(deps, unseen, signal);
  if (!meant.ok) return meant;
  const chosen = meant.value.filter(
    ({ name, orchestration }) => orchestration.criticalityLevel === 'critical' && isMissing(name),
  );
  if (chosen.length === 0 || !isByHand(request.goal)) return ok([]);
  const prepared = await prepare(deps, unseen, () => {}, signal);
  return prepared.ok ? ok(criticalReboots(prepared.value.plan).filter(isMissing)) : prepared;
};
