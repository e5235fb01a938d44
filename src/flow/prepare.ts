import { type Failure, fail, ok, type Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import { selectMachines } from '../fleet/selector.ts';
import { type Problem, validateFleet } from '../fleet/validate.ts';
import { makePlan, type planHash } from '../plan/make-plan.ts';
import { type Override, overridesFit } from '../plan/override.ts';
import { noPast, type Past } from '../plan/past.ts';
import type { Goal, Plan } from '../plan/plan.ts';
import type { BuildReport, Clock, Evaluation, LockChange, Nix, Observation, Target } from '../ports.ts';
import type { EarlierRuns } from './earlier-runs.ts';
import { byMachine, evaluate, localMachineOf, look } from './evaluate.ts';
import { createPreparations, type Prepare, preparationFailure, type Recorder } from './preparation.ts';
import { chooseToReturn, prepareRollback } from './prepare-rollback.ts';
import {
  buildSurvived,
  evaluationSurvived,
  type Moved,
  moveLock,
  noMove,
  previewMove,
} from './update-lock.ts';

/** What every flow needs of the world; the composition root builds it once. */
export type LabDeps = {
  readonly flake: string;
  readonly nix: Nix;
  readonly target: Target;
  readonly clock: Clock;
  /** Host name of the machine `lab` itself runs on. */
  readonly hostName: string;
  /** The boot that it is in; absent where that cannot be told. */
  readonly bootId?: string;
  /** Whether a unit resumes at boot what reboots this very machine. */
  readonly resumesAtBoot: boolean;
  /** How long this machine has been up, milliseconds. Absent: not known. */
  readonly uptimeMs?: () => number;
  /** What the journal holds of earlier runs of this flake. */
  readonly earlier: EarlierRuns;
  /** Makes machines known to ssh that were recorded and not evaluated now. `unless-known`: where the run has told ssh of none yet. */
  readonly introduce: (machines: readonly Machine[], when?: 'unless-known') => Promise<Result<void>>;
  /** What past runs know of the machines of this flake. Failure kind `journal`: it cannot be read. */
  readonly past: () => Result<Past>;
  /** As `makePlan` takes it. */
  readonly hashOf?: typeof planHash;
};

export type PrepareRequest = {
  readonly goal: Goal;
  readonly selectors: readonly string[];
  /** True: only show. The lock file stays as it is and nothing is built. */
  readonly dryRun: boolean;
  /** Blockers to go ahead in spite of. */
  readonly overrides?: readonly Override[];
};

export type Prepared = {
  readonly plan: Plan;
  readonly evaluation: Evaluation;
  readonly lockChanges: readonly LockChange[];
  /** What the changes alone do not say (`LockUpdate`). */
  readonly lockRemark: string | null;
  /** Puts flake.lock back as it was before this preparation; does nothing where it was not changed. */
  readonly undoUpdate: () => Promise<Result<void>>;
};

/** `away`: machines whose toplevel is only evaluated, to say what is owed to them; null builds nothing at all. */
const build = (
  nix: Nix,
  prepare: Prepare,
  names: readonly string[],
  away: readonly string[] | null,
): Promise<Result<BuildReport>> =>
  prepare('build', async (options) => {
    const dryRun = away === null;
    const report = await (dryRun ? nix.toplevels(names, options) : nix.build(names, options));
    const failures = report.failed.length > 0 ? `, ${report.failed.length} failed` : '';
    const note = `${report.built.length} ${dryRun ? 'evaluated' : 'built'}${failures}`;
    const owed = dryRun || away.length === 0 ? [] : (await nix.toplevels(away, options)).built;
    return ok({ value: { built: [...report.built, ...owed], failed: report.failed }, note });
  });

const planFor = (
  deps: LabDeps,
  request: PrepareRequest,
  names: readonly string[],
  { fleet }: Evaluation,
  problems: readonly Problem[],
  observations: ReadonlyMap<string, Observation>,
  toplevels: BuildReport,
  past: Past,
): Plan =>
  makePlan(
    {
      flake: deps.flake,
      fleet,
      selection: names,
      goal: request.goal,
      observations,
      toplevels: byMachine(toplevels.built, ({ machine }) => machine),
      buildFailures: byMachine(toplevels.failed, ({ machine }) => machine),
      blocked: byMachine(
        problems.filter(({ kind }) => kind === 'dependency-not-evaluated'),
        ({ machines }) => machines[0] ?? null,
      ),
      localMachine: localMachineOf(fleet, deps, observations),
      resumesAtBoot: deps.resumesAtBoot,
      overrides: request.overrides ?? [],
      now: deps.clock.now(),
      past,
    },
    deps.hashOf,
  );

const cancelled = preparationFailure(
  'cancelled',
  'prepare',
  'stopped before any machine was touched',
  'run again when you like',
);

/** From an evaluated flake and a lock file that may just have moved to a plan. */
const preparePlan = async (
  deps: LabDeps,
  request: PrepareRequest,
  record: Recorder,
  prepare: Prepare,
  signal: AbortSignal,
  names: readonly string[],
  first: Evaluation,
  move: Moved,
  past: Result<Past>,
): Promise<Result<Omit<Prepared, 'undoUpdate'>>> => {
  const { nix, target } = deps;
  const { goal, dryRun } = request;
  const moved = move.written;
  const evaluated = moved ? await evaluate(nix, prepare) : ok(first);
  if (!evaluated.ok) return evaluated;
  const evaluation = evaluated.value;
  const survived = evaluationSurvived(first.fleet, evaluation.fleet, names);
  if (!survived.ok) return survived;
  if (signal.aborted) return fail(cancelled);

  const { machines } = evaluation.fleet;
  const problems = validateFleet(evaluation.fleet);
  const members = machines.filter(({ name }) => names.includes(name));
  const needed = new Set(members.flatMap(({ dependencies }) => dependencies));
  const watched = machines.filter(({ name }) => names.includes(name) || needed.has(name));
  const looked = await look(target, prepare, watched, signal);
  if (!looked.ok) return looked;
  const observations = looked.value;

  // After an update every machine must build, reachable or not: only then is the new lock file good.
  const wanted = members
    .map(({ name }) => name)
    .filter((name) => moved || observations.get(name)?.kind === 'reachable');
  const nothing: BuildReport = { built: [], failed: [] };
  const away = members.map(({ name }) => name).filter((name) => !wanted.includes(name));
  const built =
    goal.kind === 'reboot' || members.length === 0
      ? ok(nothing)
      : await build(nix, prepare, wanted, dryRun ? null : away);
  if (!built.ok) return built;
  if (signal.aborted) return fail(cancelled);
  const sound = moved ? buildSurvived(built.value) : ok(undefined);
  if (!sound.ok) return sound;

  const plan = planFor(
    deps,
    request,
    names,
    evaluation,
    problems,
    observations,
    built.value,
    past.ok ? past.value : noPast,
  );
  const remarks = [
    ...(past.ok ? [] : [`what past runs left owed is not known: ${past.failure.message}`]),
    ...problems.filter(({ kind }) => kind !== 'not-evaluated').map(({ message }) => message),
    ...evaluation.discrepancies.map(({ message }) => message),
  ];
  record({ kind: 'plan-made', plan, remarks });
  return ok({ plan, evaluation, lockChanges: move.changes, lockRemark: move.remark });
};

/** The machines of the selection that this goal is about: catching up is about those that something is owed to. */
const onlyOwed = (goal: Goal, names: readonly string[], past: Result<Past>): Result<readonly string[]> => {
  if (goal.kind !== 'run' || goal.catchUp !== true) return ok(names);
  return past.ok ? ok(names.filter((name) => past.value.debts.has(name))) : past;
};

type Chosen = {
  readonly first: Evaluation;
  readonly names: readonly string[];
  readonly past: Result<Past>;
};

/** The machines that are meant, of the flake as it is. */
const choose = async (
  deps: LabDeps,
  { goal, selectors, overrides = [] }: PrepareRequest,
  prepare: Prepare,
): Promise<Result<Chosen>> => {
  const first = await evaluate(deps.nix, prepare);
  if (!first.ok) return first;
  const selected = selectMachines(first.value.fleet, selectors);
  if (!selected.ok) return selected;
  const past = deps.past();
  const names = onlyOwed(goal, selected.value, past);
  if (!names.ok) return names;
  const fit = overridesFit(overrides, selected.value);
  return fit.ok ? ok({ first: first.value, names: names.value, past }) : fit;
};

/**
 * The machines that are meant by a request, or why it cannot be meant: the flake does not evaluate, selectors or overrides
 * do not fit it. Looks at no machine and records nothing.
 */
export const seeRequest = async (
  deps: LabDeps,
  request: PrepareRequest,
  signal: AbortSignal,
): Promise<Result<readonly Machine[]>> => {
  const unrecorded = createPreparations(() => {}, deps.clock, signal);
  const { goal } = request;
  if (goal.kind === 'rollback') {
    const chosen = await chooseToReturn(deps, goal, request, unrecorded);
    return chosen.ok ? ok(membersOf(chosen.value.known.evaluation, chosen.value.names)) : chosen;
  }
  const chosen = await choose(deps, request, unrecorded);
  return chosen.ok ? ok(membersOf(chosen.value.first, chosen.value.names)) : chosen;
};

const membersOf = ({ fleet }: Evaluation, names: readonly string[]): readonly Machine[] =>
  fleet.machines.filter(({ name }) => names.includes(name));

/**
 * Everything before the first touch: evaluate, update the lock (where the goal says so), look at the machines, build
 * every toplevel, and make the plan. The update is a transaction: when it breaks the evaluation or the build of a
 * machine that was sound before, flake.lock is put back and nothing goes on.
 */
export const prepare = async (
  deps: LabDeps,
  request: PrepareRequest,
  record: Recorder,
  signal: AbortSignal,
): Promise<Result<Prepared>> => {
  const { goal, dryRun } = request;
  const preparations = createPreparations(record, deps.clock, signal);
  if (goal.kind === 'rollback') return prepareRollback(deps, goal, request, record, preparations, signal);
  const chosen = await choose(deps, request, preparations);
  if (!chosen.ok) return chosen;
  const { first, names, past } = chosen.value;

  const update = () =>
    dryRun ? previewMove(deps.nix, preparations) : moveLock(deps.nix, preparations, record);
  const moved = goal.kind === 'run' && goal.update ? await update() : ok(noMove);
  if (!moved.ok) return moved;
  const { undo } = moved.value;
  const prepared = await preparePlan(
    deps,
    request,
    record,
    preparations,
    signal,
    names,
    first,
    moved.value,
    past,
  );
  if (prepared.ok) return ok({ ...prepared.value, undoUpdate: undo });
  if (!moved.value.written) return prepared;
  return fail(withLockTold(prepared.failure, await undo()));
};

const withLockTold = (why: Failure, undone: Result<void>): Failure =>
  undone.ok
    ? { ...why, message: `${why.message}; flake.lock was put back and nothing was touched` }
    : {
        ...why,
        message: `${why.message}; nothing was touched, but flake.lock could not be put back: ${undone.failure.message}`,
        remedy: `${why.remedy}. For flake.lock: ${undone.failure.remedy}`,
      };
