import { createHash } from 'node:crypto';
import type { Failure } from '../failure.ts';
import type { Fleet, Machine } from '../fleet/machine.ts';
import { rebootOrderOf, wavesOf } from '../fleet/order.ts';
import type { ActivationMode, BootParts, Observation, Reachable, Toplevel } from '../ports.ts';
import { rebootNeed } from './drift.ts';
import {
  type Goal,
  type MachinePlan,
  type Plan,
  type Prior,
  type SkipReason,
  type Step,
  stepId,
} from './plan.ts';

export type PlanInput = {
  readonly flake: string;
  readonly fleet: Fleet;
  /** Names of the machines chosen. */
  readonly selection: readonly string[];
  readonly goal: Goal;
  readonly observations: ReadonlyMap<string, Observation>;
  /** What the flake wants, by machine; empty for goals that do not ask it. */
  readonly toplevels: ReadonlyMap<string, Toplevel>;
  readonly buildFailures: ReadonlyMap<string, Failure>;
  /** Machines that nothing may be done to, with the reason. */
  readonly blocked: ReadonlyMap<string, { readonly message: string; readonly remedy: string }>;
  /** The machine `lab` itself runs on, or null. It is rebooted only if the run resumes at boot. */
  readonly localMachine: string | null;
  /** Whether a run that reboots `localMachine` is taken up again after its boot. */
  readonly resumesAtBoot: boolean;
  readonly now: number;
};

/** Rough durations for the expected length, in milliseconds, until a machine has a history of its own. */
const guessMs = {
  preflight: 2_000,
  copy: 30_000,
  activate: 20_000,
  gate: 5_000,
  confirm: 2_000,
  reboot: 60_000,
} as const;
/** What a confirmation may lag behind the longest wait of its gate: looks at a slow machine, and the way there. */
const confirmMarginMs = 60_000;

type Skip = { readonly reason: SkipReason; readonly message: string; readonly remedy: string };
type Draft = {
  readonly skip: Skip | null;
  readonly prior: Prior | null;
  readonly wanted: string | null;
  readonly modes: readonly ActivationMode[];
  readonly activationWhy: string;
  readonly noActivationWhy: string;
  readonly rebootWhy: readonly string[];
  readonly noRebootWhy: string;
  /** What the machine must have booted after its reboot; null when that cannot be known. */
  readonly bootTarget: string | null;
  readonly mayReboot: boolean;
  readonly local: boolean;
};

const priorOf = (seen: Reachable): Prior => ({
  bootId: seen.bootId,
  booted: seen.booted,
  current: seen.current,
  profile: seen.profile,
  generation: seen.generation,
  failedUnits: seen.failedUnits,
});

const strategyModes = {
  rolling: ['switch'],
  'blue-green': ['test', 'boot'],
  recreate: ['boot'],
} as const satisfies Record<Machine['orchestration']['deployStrategy'], readonly ActivationMode[]>;

/** The order of activation modes a goal asks of this machine: empty when the goal activates nothing. */
const modesFor = (goal: Goal, machine: Machine): readonly ActivationMode[] => {
  switch (goal.kind) {
    case 'reboot':
      return [];
    case 'run':
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

const whyModes = (modes: readonly ActivationMode[]): string =>
  modes.length === 2
    ? 'activated live, and made the boot default once it is healthy'
    : modes.map((mode) => why[mode]).join();

const modesLeft = (
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

const rebootReasons = (
  goal: Goal,
  machine: Machine,
  seen: Reachable,
  next: BootParts | null,
  intoNew: boolean,
): { readonly why: readonly string[]; readonly whyNot: string } => {
  const none = (whyNot: string) => ({ why: [], whyNot });
  if (goal.kind === 'deploy') return none('this goal does not reboot');
  if (goal.kind === 'reboot' && goal.which === 'all') return { why: ['asked for'], whyNot: '' };
  const need = next === null ? null : rebootNeed(seen.bootedParts, next);
  const reasons = [
    ...(need?.reasons ?? []),
    ...(intoNew ? [`strategy ${machine.orchestration.deployStrategy} boots into the new generation`] : []),
  ];
  switch (machine.reboot.policy) {
    case 'always':
      return { why: [...reasons, 'policy always'], whyNot: '' };
    case 'never':
      return none(reasons.length > 0 ? `policy never, though: ${reasons.join(', ')}` : 'policy never');
    case 'when-needed': {
      if (reasons.length > 0) return { why: reasons, whyNot: '' };
      if (need === null) return none('not known before the toplevel is built');
      const unsure = need.unknown.length > 0 ? ` (could not compare: ${need.unknown.join(', ')})` : '';
      return none(`kernel, initrd, modules, parameters and systemd are the same${unsure}`);
    }
    default:
      return machine.reboot.policy satisfies never;
  }
};

const draftFor = (input: PlanInput, machine: Machine): Draft => {
  const { goal } = input;
  const seen = input.observations.get(machine.name);
  const toplevel = input.toplevels.get(machine.name);
  const wanted = goal.kind === 'reboot' ? null : (toplevel?.outPath ?? null);
  const empty = {
    prior: seen?.kind === 'reachable' ? priorOf(seen) : null,
    wanted,
    modes: [],
    activationWhy: '',
    noActivationWhy: 'skipped',
    rebootWhy: [],
    noRebootWhy: 'skipped',
    bootTarget: null,
    mayReboot: false,
    local: false,
  };
  const skip = (reason: SkipReason, message: string, remedy: string): Draft => ({
    ...empty,
    skip: { reason, message, remedy },
  });

  const blocked = input.blocked.get(machine.name);
  if (blocked !== undefined) return skip('blocked', blocked.message, blocked.remedy);
  const buildFailure = input.buildFailures.get(machine.name);
  if (buildFailure !== undefined) return skip('not-built', buildFailure.message, buildFailure.remedy);
  if (seen === undefined)
    return skip(
      'unreachable',
      `${machine.name} was not observed`,
      'run `lab status` to see whether it answers',
    );
  if (seen.kind === 'unreachable') return skip('unreachable', seen.error.message, seen.error.remedy);
  if (goal.kind !== 'reboot' && wanted === null)
    return skip('not-built', `no toplevel of ${machine.name} is known`, `run \`lab check ${machine.name}\``);
  if (goal.kind !== 'reboot' && (seen.current === null || seen.profile === null))
    return skip(
      'unknown-state',
      `what ${machine.name} runs could not be read: /run/current-system or its system profile is missing`,
      'check that it is a NixOS machine; lab changes nothing that it could not put back',
    );

  const modes = wanted === null ? [] : modesLeft(modesFor(goal, machine), seen, wanted);
  const changes = wanted !== null && seen.profile !== wanted;
  const intoNew =
    goal.kind === 'run' &&
    wanted !== null &&
    seen.booted !== wanted &&
    seen.current !== wanted &&
    modesFor(goal, machine).at(0) === 'boot';
  const next =
    goal.kind === 'reboot' ? seen.profileParts : (toplevel?.parts ?? (changes ? null : seen.profileParts));
  const reasons = rebootReasons(goal, machine, seen, next, intoNew);
  const underFoot = input.localMachine === machine.name && !input.resumesAtBoot;
  const local = underFoot && reasons.why.length > 0;
  return {
    skip: null,
    prior: priorOf(seen),
    wanted,
    modes,
    activationWhy: whyModes(modes),
    noActivationWhy:
      modes.length > 0
        ? ''
        : goal.kind === 'reboot'
          ? 'this goal only reboots'
          : 'already runs what the flake wants',
    rebootWhy: local ? [] : reasons.why,
    noRebootWhy: local
      ? `lab runs on this machine: reboot it yourself once the run is done (${reasons.why.join(', ')})`
      : reasons.whyNot,
    bootTarget: wanted ?? seen.profile,
    mayReboot: goal.kind === 'run' && machine.reboot.policy !== 'never' && !underFoot,
    local: input.localMachine === machine.name,
  };
};

/** A machine on a dependency cycle, or behind one, has no place in any order: nothing is done to it, and it is said. */
const orderlessDraft = (input: PlanInput, machine: Machine): Draft => {
  const blocked = {
    message: 'it is on a dependency cycle or behind one, so it has no place in the order',
    remedy: 'run `lab check`, which names the path, and remove a dependency',
    ...input.blocked.get(machine.name),
  };
  return draftFor({ ...input, blocked: new Map([[machine.name, blocked]]) }, machine);
};

const rebootSteps = (machine: Machine, draft: Draft, delayMs: number): readonly Step[] => {
  const { name } = machine;
  const { deadlines, stable } = machine.reboot;
  return [
    ...(delayMs > 0 ? [{ id: stepId(name, 'delay'), machine: name, kind: 'delay', delayMs } as const] : []),
    ...(machine.dependencies.length > 0
      ? [
          {
            id: stepId(name, 'dependencies', 'before-reboot'),
            machine: name,
            kind: 'dependencies',
            needs: machine.dependencies,
          } as const,
        ]
      : []),
    { id: stepId(name, 'reboot'), machine: name, kind: 'reboot' },
    {
      id: stepId(name, 'await-boot'),
      machine: name,
      kind: 'await-boot',
      booted: draft.bootTarget,
      downMs: deadlines.down * 1_000,
      upMs: deadlines.up * 1_000,
    },
    {
      id: stepId(name, 'gate', 'after-reboot'),
      machine: name,
      kind: 'gate',
      after: 'reboot',
      current: draft.bootTarget,
      deadlineMs: deadlines.healthy * 1_000,
      stableMs: stable * 1_000,
    },
  ];
};

const activationSteps = (machine: Machine, draft: Draft): readonly Step[] => {
  const { name } = machine;
  const { wanted } = draft;
  if (wanted === null) return [];
  const deadlineMs = machine.reboot.deadlines.healthy * 1_000;
  const stableMs = machine.reboot.stable * 1_000;
  return draft.modes.flatMap((mode): readonly Step[] => {
    const activate = {
      id: stepId(name, 'activate', mode),
      machine: name,
      kind: 'activate',
      toplevel: wanted,
      mode,
    } as const;
    if (mode === 'boot' || mode === 'dry-activate') return [activate];
    return [
      { ...activate, confirmWithinMs: deadlineMs + stableMs + confirmMarginMs },
      {
        id: stepId(name, 'gate', 'after-activation'),
        machine: name,
        kind: 'gate',
        after: 'activation',
        current: wanted,
        deadlineMs,
        stableMs,
      },
      { id: stepId(name, 'confirm'), machine: name, kind: 'confirm', toplevel: wanted, mode },
    ];
  });
};

const expectedMsOf = (steps: readonly Step[]): number =>
  steps.reduce((sum, step) => {
    switch (step.kind) {
      case 'preflight':
        return sum + guessMs.preflight;
      case 'copy':
        return sum + guessMs.copy;
      case 'activate':
        return sum + guessMs.activate;
      case 'gate':
        return sum + guessMs.gate + step.stableMs;
      case 'confirm':
        return sum + guessMs.confirm;
      case 'delay':
        return sum + step.delayMs;
      case 'reboot':
        return sum + guessMs.reboot;
      case 'dependencies':
      case 'await-boot':
      case 'restore':
        return sum;
      default:
        return step satisfies never;
    }
  }, 0);

const restoreStep = (machine: Machine, prior: Prior, modes: readonly ActivationMode[]): Step | null => {
  if (prior.current === null || modes.length === 0 || modes.includes('dry-activate')) return null;
  const onlyTest = modes.every((mode) => mode === 'test');
  return {
    id: stepId(machine.name, 'restore'),
    machine: machine.name,
    kind: 'restore',
    current: prior.current,
    profile: prior.profile,
    mode: onlyTest ? 'test' : 'switch',
  };
};

const planMachine = (
  machine: Machine,
  draft: Draft,
  place: { readonly position: number; readonly wave: number; readonly first: boolean },
): MachinePlan => {
  const { name } = machine;
  // Keys in the order of the schema: a plan read back from the journal then has the hash it was approved by.
  const entry = (
    decision: MachinePlan['decision'],
    todo: Pick<MachinePlan, 'activation' | 'reboot' | 'steps' | 'contingent' | 'restore'>,
  ): MachinePlan => ({
    machine,
    position: place.position,
    wave: place.wave,
    local: draft.local,
    decision,
    wanted: draft.wanted,
    prior: draft.prior,
    activation: todo.activation,
    noActivationWhy: draft.noActivationWhy,
    reboot: todo.reboot,
    noRebootWhy: draft.noRebootWhy,
    steps: todo.steps,
    contingent: todo.contingent,
    restore: todo.restore,
    expectedMs: expectedMsOf(todo.steps),
  });
  const idle = { activation: null, reboot: null, steps: [], contingent: [], restore: null };
  if (draft.skip !== null) return entry({ kind: 'skip', ...draft.skip }, idle);
  const activation = activationSteps(machine, draft);
  const reboots = draft.rebootWhy.length > 0;
  if (activation.length === 0 && !reboots) return entry({ kind: 'nothing' }, idle);
  const { rebootDelay, rebootDelayIsOwn } = machine.orchestration;
  const delayMs = place.first && !rebootDelayIsOwn ? 0 : rebootDelay * 1_000;
  const restart = rebootSteps(machine, draft, delayMs);
  const steps: readonly Step[] = [
    { id: stepId(name, 'preflight'), machine: name, kind: 'preflight' },
    ...(activation.length > 0 && draft.wanted !== null
      ? [{ id: stepId(name, 'copy'), machine: name, kind: 'copy', toplevel: draft.wanted } as const]
      : []),
    ...(activation.length > 0 && machine.dependencies.length > 0
      ? [
          {
            id: stepId(name, 'dependencies'),
            machine: name,
            kind: 'dependencies',
            needs: machine.dependencies,
          } as const,
        ]
      : []),
    ...activation,
    ...(reboots ? restart : []),
  ];
  return entry(
    { kind: 'act' },
    {
      activation: draft.modes[0] === undefined ? null : { mode: draft.modes[0], why: draft.activationWhy },
      reboot: reboots ? { why: draft.rebootWhy, delayMs } : null,
      steps,
      contingent: !reboots && draft.mayReboot && activation.length > 0 ? restart : [],
      restore: draft.prior === null ? null : restoreStep(machine, draft.prior, draft.modes),
    },
  );
};

/** Hash of a plan: equal plans have equal hashes, whatever process made them. */
export const planHash = (plan: Omit<Plan, 'hash'>): string =>
  createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);

/**
 * The plan for a goal: pure, complete, in reboot order. Machines that cannot be acted on are in it too, as skipped
 * with their reason, and so are the dependents of a machine that is skipped: they must not go without it.
 */
export const makePlan = (input: PlanInput): Plan => {
  const { fleet, now } = input;
  const chosen = new Set(input.selection);
  const order = rebootOrderOf(fleet.machines);
  const ordered = new Set(order.map(({ name }) => name));
  const orderless = fleet.machines.filter(({ name }) => !ordered.has(name));
  const members = [...order, ...orderless].filter(({ name }) => chosen.has(name));
  const waves = [...wavesOf(order), ...(orderless.length > 0 ? [orderless] : [])];
  const waveNumbers = new Map(
    waves
      .map((wave) => wave.filter(({ name }) => chosen.has(name)))
      .filter((wave) => wave.length > 0)
      .flatMap((wave, index) => wave.map(({ name }) => [name, index] as const)),
  );
  const drafts = new Map(
    members.map((machine) => [
      machine.name,
      ordered.has(machine.name) ? draftFor(input, machine) : orderlessDraft(input, machine),
    ]),
  );
  // In the order of the plan, so that what a machine needs is decided before it. A machine that has nothing to do
  // holds nobody up: whether it is healthy is probed when its dependents' turn comes.
  const leftOut = new Set<string>();
  let rebootsBefore = 0;
  const machines = members.flatMap((machine, position): MachinePlan[] => {
    const draft = drafts.get(machine.name);
    if (draft === undefined) return [];
    const place = { position, wave: waveNumbers.get(machine.name) ?? 0, first: rebootsBefore === 0 };
    const lost = machine.dependencies.filter((name) => leftOut.has(name));
    const planned = planMachine(machine, draft, place);
    if (planned.decision.kind === 'act' && lost.length > 0) {
      leftOut.add(machine.name);
      const message = `it depends on ${lost.join(' and ')}, which this plan leaves out`;
      const skip = {
        reason: 'dependency',
        message,
        remedy: `bring ${lost.join(' and ')} back first`,
      } as const;
      return [planMachine(machine, { ...draft, skip }, place)];
    }
    if (planned.decision.kind === 'skip') leftOut.add(machine.name);
    if (planned.reboot !== null) rebootsBefore += 1;
    return [planned];
  });

  const needed = new Set(
    machines.filter(({ decision }) => decision.kind === 'act').flatMap(({ machine }) => machine.dependencies),
  );
  const bystanders = fleet.machines
    .filter(({ name }) => needed.has(name) && !chosen.has(name))
    .map((machine) => {
      const seen = input.observations.get(machine.name);
      return { machine, failedUnits: seen?.kind === 'reachable' ? seen.failedUnits : [] };
    });
  const body = {
    schema: 1 as const,
    flake: input.flake,
    goal: input.goal,
    madeAt: now,
    machines,
    leftOut: fleet.failed
      .filter(({ name }) => chosen.has(name))
      .map(({ name, message, remedy }) => ({ name, message, remedy })),
    bystanders,
    expectedMs: machines.reduce((sum, { expectedMs }) => sum + expectedMs, 0),
  };
  return { ...body, hash: planHash(body) };
};
