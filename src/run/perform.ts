import type { Machine } from '../fleet/machine.ts';
import type { MachinePlan, Step } from '../plan/plan.ts';
import type { ActivateOutcome, Reachable } from '../ports.ts';
import { awaitBoot, passGate } from './await.ts';
import type { RunId, StepFacts, StepOutcome } from './event.ts';
import { judgeHealth } from './gate.ts';
import { progressOf, type RunState } from './state.ts';
import {
  actDeadlines,
  failed,
  failureAt,
  interrupted,
  type PerformContext,
  spaceFloors,
  succeeded,
  unknown,
} from './step-context.ts';

/** Name of the transient unit of one step of one run: a repeat finds the first one instead of starting a second. */
export const unitName = (run: RunId, what: string): string => `lab-${what}-${run}`;

const factsOf = (state: RunState, entry: MachinePlan, kind: Step['kind']): StepFacts | null => {
  for (const step of [...entry.steps, ...entry.contingent]) {
    const outcome = state.steps.get(step.id)?.outcome;
    if (step.kind === kind && outcome?.kind === 'succeeded') return outcome.facts;
  }
  return null;
};

const gibi = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

const preflight = async (step: Step, context: PerformContext): Promise<StepOutcome> => {
  const { target, entry, signal } = context;
  const { machine, prior } = entry;
  const seen = await target.observe(machine, { deadlineMs: actDeadlines.observeMs, signal, fresh: true });
  if (seen.kind === 'unreachable') {
    const failure = failureAt(step, seen.error.kind, seen.error.message, seen.error.remedy);
    return seen.error.retryable ? { kind: 'skipped', reason: 'unreachable', failure } : failed(failure);
  }
  const facts = { bootId: seen.bootId, current: seen.current, profile: seen.profile };
  if (prior !== null && !context.again && (seen.current !== prior.current || seen.profile !== prior.profile))
    return failed(
      failureAt(
        step,
        'changed-since-plan',
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
  return succeeded('reachable, root, enough room', facts);
};

const copy = async (step: Extract<Step, { kind: 'copy' }>, context: PerformContext): Promise<StepOutcome> => {
  const copied = await context.target.copy(context.entry.machine, step.toplevel, {
    deadlineMs: actDeadlines.copyMs,
    signal: context.signal,
    onProgress: context.note,
  });
  return copied.ok ? succeeded('closure is there') : failed(copied.failure);
};

const dependencies = async (
  step: Extract<Step, { kind: 'dependencies' }>,
  context: PerformContext,
): Promise<StepOutcome> => {
  const { state, target, signal } = context;
  const { plan } = state;
  const skip = (name: string, message: string): StepOutcome => ({
    kind: 'skipped',
    reason: 'dependency',
    failure: failureAt(step, 'dependency', message, `bring ${name} back to health, then run again`),
  });
  for (const name of step.needs) {
    const member = plan?.machines.find(({ machine }) => machine.name === name);
    const bystander = plan?.bystanders.find(({ machine }) => machine.name === name);
    if (member !== undefined) {
      const { status, failure } = progressOf(state, member);
      if (status !== 'done' && status !== 'nothing')
        return skip(
          name,
          `its dependency ${name} ${status === 'skipped' ? 'was skipped' : 'failed'}: ${failure?.message ?? status}`,
        );
    }
    const machine: Machine | undefined = member?.machine ?? bystander?.machine;
    if (machine === undefined) return skip(name, `its dependency ${name} is not known to this plan`);
    const before = member?.prior?.failedUnits ?? bystander?.failedUnits ?? [];
    const report = await target.health(machine, { deadlineMs: actDeadlines.healthMs, signal });
    const verdict = judgeHealth(report, before);
    if (verdict.kind !== 'passed') return skip(name, `its dependency ${name} is not healthy: ${verdict.why}`);
    context.note(`${name}: ${verdict.why}`);
  }
  return succeeded(`healthy: ${step.needs.join(', ')}`);
};

const isLive = (seen: Reachable, toplevel: string, mode: string): boolean =>
  mode === 'boot'
    ? seen.profile === toplevel
    : seen.current === toplevel && (mode === 'test' || seen.profile === toplevel);

const outcomeOfActivation = (step: Step, mode: string, outcome: ActivateOutcome): StepOutcome => {
  switch (outcome.kind) {
    case 'live':
      return succeeded(mode === 'boot' ? 'boot default set' : mode === 'dry-activate' ? 'shown' : 'live');
    case 'live-units-failed':
      return succeeded(`live, but units failed: ${outcome.units.join(', ') || 'see its log'}`);
    case 'needs-reboot':
      return succeeded('boot entry written; live only after a reboot', { needsReboot: true });
    case 'refused':
      return failed(
        failureAt(
          step,
          'activation-refused',
          `activation failed${outcome.code === null ? '' : ` (exit ${outcome.code})`}: ${outcome.message}`,
          'read the lines below; the machine is returned to what it ran',
          outcome.log,
        ),
      );
    case 'unknown':
      return unknown(
        failureAt(
          step,
          'activation-unknown',
          `whether it activated is not known: ${outcome.message}`,
          'look at the machine (`lab status`), then `lab run` again',
        ),
      );
    default:
      return outcome satisfies never;
  }
};

const activate = async (
  step: Extract<Step, { kind: 'activate' | 'restore' }>,
  toplevel: string,
  mode: 'switch' | 'boot' | 'test' | 'dry-activate',
  context: PerformContext,
): Promise<StepOutcome> => {
  const { target, entry, signal, state } = context;
  if (context.again) {
    const seen = await target.observe(entry.machine, {
      deadlineMs: actDeadlines.observeMs,
      signal,
      fresh: true,
    });
    if (seen.kind === 'reachable' && isLive(seen, toplevel, mode)) return succeeded('found live');
  }
  const outcome = await target.activate(
    entry.machine,
    {
      toplevel,
      mode,
      unit: unitName(state.run, `${step.kind}-${mode}`),
      deadlineMs: actDeadlines.activateMs,
    },
    { signal, onProgress: context.note },
  );
  return outcomeOfActivation(step, mode, outcome);
};

const restore = async (
  step: Extract<Step, { kind: 'restore' }>,
  context: PerformContext,
): Promise<StepOutcome> => {
  const back = await activate(step, step.current, step.mode, context);
  if (
    back.kind !== 'succeeded' ||
    step.profile === null ||
    step.profile === step.current ||
    step.mode === 'test'
  )
    return back;
  return activate(step, step.profile, 'boot', context);
};

const reboot = async (step: Step, context: PerformContext): Promise<StepOutcome> => {
  const { target, entry, signal, state } = context;
  const bootId = factsOf(state, entry, 'preflight')?.bootId ?? entry.prior?.bootId ?? null;
  if (bootId === null)
    return failed(
      failureAt(step, 'no-boot-id', 'its boot id is not known, so a reboot could not be proven', 'run again'),
    );
  const outcome = await target.triggerReboot(
    entry.machine,
    { bootId, unit: unitName(state.run, 'reboot'), deadlineMs: actDeadlines.triggerMs },
    { signal },
  );
  switch (outcome.kind) {
    case 'triggered':
      return succeeded('reboot triggered', { bootId });
    case 'probably-triggered':
      return succeeded(`probably triggered: ${outcome.message}`, { bootId });
    case 'already-rebooted':
      return succeeded(`it has rebooted since the run looked at it (boot id ${outcome.bootId})`, { bootId });
    case 'refused':
      return failed(
        failureAt(
          step,
          'reboot-refused',
          `it refused to reboot: ${outcome.message}`,
          'reboot it by hand to see why',
        ),
      );
    default:
      return outcome satisfies never;
  }
};

/** When this step's reboot delay is over: counted from the latest gate that another machine passed in this run. */
export const delayEndsAt = (state: RunState, step: Extract<Step, { kind: 'delay' }>): number => {
  const gates = [...state.steps.values()].filter(
    ({ step: other, status }) =>
      other.kind === 'gate' && other.machine !== step.machine && status === 'succeeded',
  );
  const from = gates.reduce(
    (latest, { endedAt }) => Math.max(latest, endedAt ?? 0),
    state.approvedAt ?? state.startedAt,
  );
  return from + step.delayMs;
};

/** Performs one step to its outcome. Expected failures are outcomes; anything thrown is a bug or a broken journal. */
export const perform = async (step: Step, context: PerformContext): Promise<StepOutcome> => {
  switch (step.kind) {
    case 'preflight':
      return preflight(step, context);
    case 'copy':
      return copy(step, context);
    case 'dependencies':
      return dependencies(step, context);
    case 'activate':
      return activate(step, step.toplevel, step.mode, context);
    case 'gate':
      return passGate(step, context, factsOf(context.state, context.entry, 'await-boot')?.bootId ?? null);
    case 'delay': {
      const leftMs = delayEndsAt(context.state, step) - context.clock.now();
      if (leftMs > 0) await context.clock.sleep(leftMs, context.signal);
      if (context.signal.aborted) return interrupted(step);
      return succeeded(`waited as configured (rebootDelay ${step.delayMs / 1_000} s)`);
    }
    case 'reboot':
      return reboot(step, context);
    case 'await-boot':
      return awaitBoot(step, context, factsOf(context.state, context.entry, 'reboot')?.bootId ?? null);
    case 'restore':
      return restore(step, context);
    default:
      return step satisfies never;
  }
};
