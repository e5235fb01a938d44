import { type Failure, fail, ok, type Result } from '../failure.ts';
import type { Fleet } from '../fleet/machine.ts';
import { selectMachines } from '../fleet/selector.ts';
import { type Problem, validateFleet } from '../fleet/validate.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Goal, Plan } from '../plan/plan.ts';
import type {
  BuildReport,
  Clock,
  Evaluation,
  LockChange,
  Nix,
  NixOptions,
  Observation,
  Target,
} from '../ports.ts';
import type { EventBody, Preparation } from '../run/event.ts';
import { count } from '../text/words.ts';
import { observeAll } from './observe.ts';

/** What every flow needs of the world; `main.ts` builds it once. */
export type LabDeps = {
  readonly flake: string;
  readonly nix: Nix;
  readonly target: Target;
  readonly clock: Clock;
  /** Host name of the machine `lab` itself runs on. */
  readonly hostName: string;
};

export type PrepareRequest = {
  readonly goal: Goal;
  readonly selectors: readonly string[];
  /** True: only show. The lock file stays as it is and nothing is built. */
  readonly dryRun: boolean;
};

export type Prepared = {
  readonly plan: Plan;
  readonly evaluation: Evaluation;
  readonly problems: readonly Problem[];
  readonly lockChanges: readonly LockChange[];
  /** Puts flake.lock back as it was before this preparation; does nothing where it was not changed. */
  readonly undoUpdate: () => Promise<Result<void>>;
};

export type Recorder = (body: EventBody) => void;

const failure = (
  kind: string,
  phase: string,
  message: string,
  remedy: string,
  detail: readonly string[] = [],
): Failure => ({
  kind,
  machine: null,
  phase,
  message,
  remedy,
  ...(detail.length === 0 ? {} : { detail }),
});

/** Problems that leave no order to be trusted: nothing may be changed before they are repaired. */
const structural = (problems: readonly Problem[]): readonly Problem[] =>
  problems.filter(
    ({ severity, kind }) =>
      severity === 'error' && kind !== 'not-evaluated' && kind !== 'dependency-not-evaluated',
  );

const checkFleet = (problems: readonly Problem[]): Result<void> => {
  const grave = structural(problems);
  return grave.length === 0
    ? ok(undefined)
    : fail(
        failure(
          'fleet-problems',
          'check',
          `the fleet has ${grave.length === 1 ? 'a problem' : `${grave.length} problems`} that leave no safe order: ${grave[0]?.message}`,
          'repair what `lab check` lists, then run again',
          grave.map(({ message, remedy }) => `${message}. ${remedy}`),
        ),
      );
};

/** Does one piece of preparation between its two events. */
const recorded = async <T>(
  record: Recorder,
  work: Preparation,
  act: () => Promise<Result<{ readonly value: T; readonly note: string }>>,
): Promise<Result<T>> => {
  record({ kind: 'preparation-started', work });
  const result = await act();
  record({
    kind: 'preparation-finished',
    work,
    failure: result.ok ? null : result.failure,
    note: result.ok ? result.value.note : '',
  });
  return result.ok ? ok(result.value.value) : result;
};

/** Machines that could be evaluated before the update and cannot be after it. */
const newlyBroken = (before: Fleet, after: Fleet, names: readonly string[]): readonly string[] => {
  const sound = new Set(before.machines.map(({ name }) => name));
  return after.failed.filter(({ name }) => sound.has(name) && names.includes(name)).map(({ name }) => name);
};

const notesPerSecondMs = 500;

/** Progress lines as notes, at most two a second. */
const progressNotes = (record: Recorder, clock: Clock, work: Preparation): ((line: string) => void) => {
  let lastAt = 0;
  return (line) => {
    const now = clock.now();
    if (now - lastAt < notesPerSecondMs) return;
    lastAt = now;
    record({ kind: 'preparation-noted', work, note: line.slice(0, 500) });
  };
};

/**
 * Everything before the first touch: update the lock (where the goal says so), evaluate, look at the machines, build
 * every toplevel, and make the plan. The update is a transaction: when it breaks the evaluation or the build of a
 * machine that was sound before, flake.lock is put back and nothing goes on.
 */
export const prepare = async (
  deps: LabDeps,
  request: PrepareRequest,
  record: Recorder,
  signal: AbortSignal,
): Promise<Result<Prepared>> => {
  const { nix, target, clock } = deps;
  const { goal, selectors, dryRun } = request;
  const updates = goal.kind === 'run' && goal.update;
  const optionsFor = (work: Preparation): NixOptions => ({
    signal,
    onProgress: progressNotes(record, clock, work),
  });
  const evaluate = () =>
    recorded(record, 'evaluate', async () => {
      const evaluated = await nix.evaluate(optionsFor('evaluate'));
      if (!evaluated.ok) return evaluated;
      const { machines, failed } = evaluated.value.fleet;
      const note = `${count(machines.length, 'machine')}${failed.length > 0 ? `, ${failed.length} could not be evaluated` : ''}`;
      return ok({ value: evaluated.value, note });
    });

  let undoUpdate = async (): Promise<Result<void>> => ok(undefined);
  let lockChanges: readonly LockChange[] = [];
  const giveUp = async (why: Failure): Promise<Result<Prepared>> => {
    const undone = await undoUpdate();
    return fail(
      undone.ok
        ? why
        : {
            ...why,
            remedy: `${why.remedy}. flake.lock could not be put back (${undone.failure.message}): use git to restore it`,
          },
    );
  };
  const cancelled = (): Failure =>
    failure('cancelled', 'prepare', 'stopped before any machine was touched', 'run again when you like');

  const first = await evaluate();
  if (!first.ok) return first;
  let evaluation = first.value;
  const selected = selectMachines(evaluation.fleet, selectors);
  if (!selected.ok) return selected;
  const names = selected.value;
  const sound = checkFleet(validateFleet(evaluation.fleet));
  if (!sound.ok) return sound;

  if (updates) {
    const updated = await recorded(record, 'update', async () => {
      if (dryRun) {
        const preview = await nix.previewUpdate([], optionsFor('update'));
        return preview.ok
          ? ok({
              value: preview.value,
              note: `${count(preview.value.length, 'input')} would move; the plan below is for the lock file as it is`,
            })
          : preview;
      }
      const moved = await nix.update([], optionsFor('update'));
      if (!moved.ok) return moved;
      const { changes, previous } = moved.value;
      if (changes.length > 0) {
        record({ kind: 'lock-moved', changes, previous });
        undoUpdate = async () => {
          const restored = await nix.restoreLock(previous);
          if (restored.ok) record({ kind: 'lock-restored' });
          return restored;
        };
      }
      return ok({
        value: changes,
        note:
          changes.length === 0
            ? 'every input is already the newest'
            : `${count(changes.length, 'input')} moved`,
      });
    });
    if (!updated.ok) return giveUp(updated.failure);
    lockChanges = updated.value;
    if (lockChanges.length > 0 && !dryRun) {
      const again = await evaluate();
      if (!again.ok) return giveUp(again.failure);
      const broken = newlyBroken(evaluation.fleet, again.value.fleet, names);
      if (broken.length > 0)
        return giveUp(
          failure(
            'update-breaks-evaluation',
            'evaluate',
            `after the update ${broken.join(', ')} can no longer be evaluated; flake.lock was put back and nothing was touched`,
            'repair the configuration for the new inputs, or run with --no-update',
            again.value.fleet.failed
              .filter(({ name }) => broken.includes(name))
              .map(({ name, message }) => `${name}: ${message}`),
          ),
        );
      evaluation = again.value;
      const still = checkFleet(validateFleet(evaluation.fleet));
      if (!still.ok) return giveUp(still.failure);
    }
  }
  if (signal.aborted) return giveUp(cancelled());

  const { fleet } = evaluation;
  const problems = validateFleet(fleet);
  const members = fleet.machines.filter(({ name }) => names.includes(name));
  const needed = new Set(members.flatMap(({ dependencies }) => dependencies));
  const watched = fleet.machines.filter(({ name }) => names.includes(name) || needed.has(name));
  const looked = await recorded(record, 'observe', async () => {
    const seen = await observeAll(target, watched, signal);
    const away = [...seen.values()]
      .filter(({ kind }) => kind === 'unreachable')
      .map(({ machine }) => machine);
    return ok({
      value: seen,
      note: away.length === 0 ? 'all reachable' : `not reachable: ${away.join(', ')}`,
    });
  });
  if (!looked.ok) return giveUp(looked.failure);
  const observations: ReadonlyMap<string, Observation> = looked.value;

  let toplevels: BuildReport = { built: [], failed: [] };
  if (goal.kind !== 'reboot') {
    // After an update every machine must build, reachable or not: only then is the new lock file good.
    const wanted = members
      .filter(({ name }) => lockChanges.length > 0 || observations.get(name)?.kind === 'reachable')
      .map(({ name }) => name);
    const built = await recorded(record, 'build', async () => {
      const report = await (dryRun
        ? nix.toplevels(wanted, optionsFor('build'))
        : nix.build(wanted, optionsFor('build')));
      const note = `${report.built.length} ${dryRun ? 'evaluated' : 'built'}${report.failed.length > 0 ? `, ${report.failed.length} failed` : ''}`;
      return ok({ value: report, note });
    });
    if (!built.ok) return giveUp(built.failure);
    toplevels = built.value;
    if (lockChanges.length > 0 && !dryRun && toplevels.failed.length > 0)
      return giveUp(
        failure(
          'update-breaks-build',
          'build',
          `after the update ${toplevels.failed.map(({ machine }) => machine).join(', ')} can no longer be built; flake.lock was put back and nothing was touched`,
          'repair the configuration for the new inputs, or run with --no-update',
          toplevels.failed.flatMap(({ machine, message, detail }) => [
            `${machine}: ${message}`,
            ...(detail ?? []).slice(-5),
          ]),
        ),
      );
  }
  if (signal.aborted) return giveUp(cancelled());

  const blocked = new Map(
    problems
      .filter(({ kind }) => kind === 'dependency-not-evaluated')
      .flatMap(({ machines, message, remedy }) =>
        machines.slice(0, 1).map((name) => [name, { message, remedy }] as const),
      ),
  );
  const local = fleet.machines.find(
    ({ orchestrator, hostName }) => orchestrator && hostName === deps.hostName,
  );
  const plan = makePlan({
    flake: deps.flake,
    fleet,
    selection: names,
    goal,
    observations,
    toplevels: new Map(toplevels.built.map((toplevel) => [toplevel.machine, toplevel])),
    buildFailures: new Map(
      toplevels.failed.flatMap((why) => (why.machine === null ? [] : [[why.machine, why] as const])),
    ),
    blocked,
    localMachine: local?.name ?? null,
    now: clock.now(),
  });
  const remarks = [
    ...problems.filter(({ kind }) => kind !== 'not-evaluated').map(({ message }) => message),
    ...evaluation.discrepancies.map(({ message }) => message),
  ];
  record({ kind: 'plan-made', plan, remarks });
  return ok({ plan, evaluation, problems, lockChanges, undoUpdate });
};
