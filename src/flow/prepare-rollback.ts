import { fail, ok, type Result } from '../failure.ts';
import type { Fleet, Machine } from '../fleet/machine.ts';
import { selectMachines } from '../fleet/selector.ts';
import { validateFleet } from '../fleet/validate.ts';
import { makePlan } from '../plan/make-plan.ts';
import { overridesFit } from '../plan/override.ts';
import { noPast } from '../plan/past.ts';
import type { Goal } from '../plan/plan.ts';
import type { Evaluation, Generation, Observation, Toplevel } from '../ports.ts';
import type { RunState } from '../run/state.ts';
import { checksWith, type EarlierPlan, machinesIn, runThatBrought } from './earlier-runs.ts';
import { byMachine, evaluate, localMachineOf, look } from './evaluate.ts';
import { generationsAll, probeAll } from './observe.ts';
import { type Prepare, preparationFailure, type Recorder } from './preparation.ts';
import type { LabDeps, Prepared, PrepareRequest } from './prepare.ts';
import { type Change, changesOf, toBefore, type WayBack, wayBackInProfile } from './way-back.ts';

type RollbackGoal = Extract<Goal, { kind: 'rollback' }>;

const usage = (message: string, remedy: string): Result<never> =>
  fail(preparationFailure('usage', 'rollback', message, remedy));

type Known = { readonly evaluation: Evaluation; readonly remarks: readonly string[] };

/**
 * The machines, as the flake describes them now. What it no longer describes, because it does not evaluate or has lost
 * them, is taken as earlier runs recorded it: a rollback is for the day when the flake is broken.
 */
const knownFleet = async (
  deps: LabDeps,
  prepare: Prepare,
  undone: RunState | null,
  plans: readonly EarlierPlan[],
): Promise<Result<Known>> => {
  const recorded = machinesIn([
    ...(undone?.plan == null ? [] : [undone.plan]),
    ...plans.map(({ plan }) => plan),
  ]);
  const evaluated = await evaluate(deps.nix, prepare);
  if (!evaluated.ok && (evaluated.failure.kind === 'cancelled' || recorded.length === 0)) return evaluated;
  const now: Evaluation = evaluated.ok
    ? evaluated.value
    : { fleet: { machines: [], failed: [] }, discrepancies: [] };
  const evaluatedNames = new Set(now.fleet.machines.map(({ name }) => name));
  const failedNames = new Set(now.fleet.failed.map(({ name }) => name));
  const undoneNames = new Set(undone?.plan?.machines.map(({ machine }) => machine.name));
  const taken = recorded.filter(
    ({ name }) =>
      !evaluatedNames.has(name) && (!evaluated.ok || failedNames.has(name) || undoneNames.has(name)),
  );
  if (taken.length === 0) return ok({ evaluation: now, remarks: [] });
  const machines = [...now.fleet.machines, ...taken].sort((a, b) => (a.name < b.name ? -1 : 1));
  const introduced = await deps.introduce(machines);
  if (!introduced.ok) return introduced;
  const names = new Set(taken.map(({ name }) => name));
  const fleet: Fleet = { machines, failed: now.fleet.failed.filter(({ name }) => !names.has(name)) };
  const remark = evaluated.ok
    ? `taken as an earlier run recorded ${taken.length === 1 ? 'it' : 'them'}, for the flake does not describe ${taken.length === 1 ? 'it' : 'them'} now: ${[...names].join(', ')}`
    : `the flake cannot be used, so the machines are taken as earlier runs recorded them: ${evaluated.failure.message}`;
  return ok({ evaluation: { ...now, fleet }, remarks: [remark] });
};

/** The machines to return, by name. */
const chosenOf = (
  { to }: RollbackGoal,
  selectors: readonly string[],
  fleet: Fleet,
  changes: readonly Change[],
): Result<readonly string[]> => {
  if (to.kind !== 'run' && selectors.length === 0)
    return usage(
      'a rollback returns the machines you name',
      'name them, or give --run with the id of a run to undo',
    );
  const selected = selectMachines(fleet, selectors);
  if (!selected.ok) return selected;
  if (to.kind === 'generation' && selected.value.length !== 1)
    return usage(
      `--to means one machine, and ${selected.value.length} are chosen: every machine counts its own generations`,
      'name one machine',
    );
  if (to.kind !== 'run') return selected;
  const names = changes.map(({ machine }) => machine).filter((name) => selected.value.includes(name));
  if (names.length > 0) return ok(names);
  return usage(
    changes.length === 0
      ? `run ${to.run} changed no machine`
      : `run ${to.run} changed ${changes.map(({ machine }) => machine).join(', ')}, and none of them is chosen`,
    '`lab journal --report` shows what runs did',
  );
};

type Looked = {
  readonly observations: ReadonlyMap<string, Observation>;
  readonly ways: ReadonlyMap<string, WayBack>;
  readonly unhealthy: ReadonlySet<string>;
};

/** What the chosen machines run, where each could return to, and which of those that others need are not well. */
const lookAt = async (
  { target }: LabDeps,
  goal: RollbackGoal,
  prepare: Prepare,
  fleet: Fleet,
  names: readonly string[],
  wayOf: (name: string, seen: Observation, generations: readonly Generation[]) => WayBack,
  signal: AbortSignal,
): Promise<Result<Looked>> => {
  const members = fleet.machines.filter(({ name }) => names.includes(name));
  const needed = new Set(members.flatMap(({ dependencies }) => dependencies));
  const watched = fleet.machines.filter(({ name }) => names.includes(name) || needed.has(name));
  const looked = await look(target, prepare, watched, signal);
  if (!looked.ok) return looked;
  const observations = looked.value;
  const reached = members.filter(({ name }) => observations.get(name)?.kind === 'reachable');
  const [generations, health] = await Promise.all([
    generationsAll(target, reached, signal, goal.to.kind === 'generation' ? goal.to.number : undefined),
    probeAll(
      target,
      reached.filter(({ name }) => needed.has(name)),
      signal,
    ),
  ]);
  const ways = new Map(
    [...generations].map(([name, read]): [string, WayBack] => {
      const seen = observations.get(name);
      if (read.ok && seen !== undefined) return [name, wayOf(name, seen, read.value)];
      const { message, remedy } = read.ok ? { message: 'not seen', remedy: 'run again' } : read.failure;
      return [name, { kind: 'none', message: `its generations could not be read: ${message}`, remedy }];
    }),
  );
  const unhealthy = [...health.values()].filter(
    ({ verdict }) => verdict === 'unhealthy' || verdict === 'unknown',
  );
  return ok({ observations, ways, unhealthy: new Set(unhealthy.map(({ machine }) => machine)) });
};

/** The machine, judged by the checks that came with what it returns to, where a run recorded them. */
const judgedAs = (
  plans: readonly EarlierPlan[],
  machine: Machine,
  toplevel: string,
): readonly { readonly machine: Machine; readonly remark: string }[] => {
  const known = checksWith(plans, machine.name, toplevel);
  if (known === null || JSON.stringify(known.checks) === JSON.stringify(machine.healthChecks)) return [];
  return [
    {
      machine: { ...machine, healthChecks: [...known.checks] },
      remark: `${machine.name} is judged by the health checks of run ${known.run}, which deployed what it goes back to`,
    },
  ];
};

type ToReturn = {
  readonly undone: RunState | null;
  readonly plans: readonly EarlierPlan[];
  readonly known: Known;
  readonly changes: readonly Change[];
  readonly names: readonly string[];
};

/** The machines that a rollback means, and what is known of them without looking at one. */
export const chooseToReturn = async (
  deps: LabDeps,
  goal: RollbackGoal,
  { selectors, overrides = [] }: Pick<PrepareRequest, 'selectors' | 'overrides'>,
  prepare: Prepare,
): Promise<Result<ToReturn>> => {
  const undone = goal.to.kind === 'run' ? deps.earlier.runOf(goal.to.run) : ok(null);
  if (!undone.ok) return undone;
  const plans = deps.earlier.plans();
  const known = await knownFleet(deps, prepare, undone.value, plans);
  if (!known.ok) return known;
  const changes = undone.value === null ? [] : changesOf(undone.value);
  const names = chosenOf(goal, selectors, known.value.evaluation.fleet, changes);
  if (!names.ok) return names;
  const fit = overridesFit(overrides, names.value);
  if (!fit.ok) return fit;
  return ok({ undone: undone.value, plans, known: known.value, changes, names: names.value });
};

/**
 * The plan of a rollback. It needs no build and no toplevel of the flake: where a machine can return to is what its own
 * profile holds, and for a whole run what the journal recorded before it.
 */
export const prepareRollback = async (
  deps: LabDeps,
  goal: RollbackGoal,
  request: Pick<PrepareRequest, 'selectors' | 'overrides'>,
  record: Recorder,
  prepare: Prepare,
  signal: AbortSignal,
): Promise<Result<Prepared>> => {
  const { to } = goal;
  const chosen = await chooseToReturn(deps, goal, request, prepare);
  if (!chosen.ok) return chosen;
  const { undone, plans, known, changes, names } = chosen.value;
  const { evaluation } = known;
  const { fleet } = evaluation;

  const wayOf = (name: string, seen: Observation, generations: readonly Generation[]): WayBack => {
    if (to.kind !== 'run') return wayBackInProfile(to, name, generations);
    const change = changes.find(({ machine }) => machine === name);
    if (change === undefined || seen.kind !== 'reachable')
      return { kind: 'none', message: `run ${to.run} did not change ${name}`, remedy: 'leave it as it is' };
    return toBefore(to.run, change, seen, generations, (toplevel) => runThatBrought(plans, name, toplevel));
  };
  const looked = await lookAt(deps, goal, prepare, fleet, names, wayOf, signal);
  if (!looked.ok) return looked;
  if (signal.aborted)
    return fail(
      preparationFailure(
        'cancelled',
        'prepare',
        'stopped before any machine was touched',
        'run again when you like',
      ),
    );
  const { observations, ways, unhealthy } = looked.value;
  const found = [...ways].flatMap(([machine, way]) => (way.kind === 'to' ? [{ machine, ...way }] : []));
  const toplevels = found.map(({ machine, generation: { toplevel, parts } }): Toplevel => {
    return { machine, drvPath: '', outPath: toplevel, parts };
  });
  const judged = found.flatMap(({ machine, generation }) => {
    const now = fleet.machines.find(({ name }) => name === machine);
    return now === undefined ? [] : judgedAs(plans, now, generation.toplevel);
  });
  const problems = validateFleet(fleet);
  const blocked = [
    ...problems
      .filter(({ kind }) => kind === 'dependency-not-evaluated')
      .map(({ machines, message, remedy }) => ({ machine: machines[0] ?? null, message, remedy })),
    ...[...ways].flatMap(([machine, way]) => (way.kind === 'none' ? [{ machine, ...way }] : [])),
  ];
  const past = deps.past();
  const plan = makePlan(
    {
      flake: deps.flake,
      fleet,
      selection: names,
      goal,
      observations,
      toplevels: byMachine(toplevels, ({ machine }) => machine),
      buildFailures: new Map(),
      blocked: byMachine(blocked, ({ machine }) => machine),
      localMachine: localMachineOf(fleet, deps, observations),
      resumesAtBoot: deps.resumesAtBoot,
      now: deps.clock.now(),
      past: past.ok ? past.value : noPast,
      overrides: request.overrides ?? [],
      rollback: {
        returns: new Map(
          found.map(({ machine, generation, words }) => [machine, { generation: generation.number, words }]),
        ),
        order: undone === null ? null : changes.map(({ machine }) => machine),
        unhealthy,
        judged: new Map(judged.map(({ machine }) => [machine.name, machine])),
      },
    },
    deps.hashOf,
  );
  const remarks = [
    ...known.remarks,
    ...[...unhealthy].map((name) => `${name} is not healthy: it goes back before those that need it`),
    ...judged.map(({ remark }) => remark),
  ];
  record({ kind: 'plan-made', plan, remarks });
  return ok({ plan, evaluation, lockChanges: [], lockRemark: null, undoUpdate: async () => ok(undefined) });
};
