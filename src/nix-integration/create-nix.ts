import { ok, type Result } from '../failure.ts';
import type { BuildReport, Clock, ClosurePath, Evaluation, LockMove, Nix, NixOptions } from '../ports.ts';
import type { RunProcess } from '../process/run.ts';
import type { InputOverride, NixCall, NixSetting } from './argv.ts';
import { buildToplevels } from './build.ts';
import { readClosure } from './closure.ts';
import { type NixDeadlines, nixDeadlines } from './deadlines.ts';
import { evaluateFlake } from './evaluate-flake.ts';
import { fingerprint } from './fingerprint.ts';
import { type FlakeRef, locateFlake } from './flake-ref.ts';
import { lockPathOf } from './lock-file.ts';
import type { NixProcesses } from './nix-process.ts';
import { askNixVersion } from './nix-version.ts';
import { createSourceMapper, type MapSourcePaths } from './source-paths.ts';
import { evaluateToplevels, missingPaths, type ToplevelContext, withParts } from './toplevels.ts';
import { proposeUpdate, type UpdateContext } from './update.ts';
import { featuresOf, type NixVersion } from './version.ts';
import { evaluationEnv, type Resources, workerCount } from './workers.ts';
import { lockHolds, restoreLock, writeLock } from './write-lock.ts';

export type NixSettings = {
  /** As the user gave it: a folder, `path:…`, `git+file:…`, `github:…`. */
  readonly flake: string;
  /** What a relative folder is relative to. */
  readonly cwd: string;
  readonly runProcess: RunProcess;
  readonly clock: Clock;
  readonly resources: Resources;
  /** Text of `nix/fleet.nix`. */
  readonly fleetExpression: string;
  /** `--override-input NAME URL`, for evaluation and build. */
  readonly overrides?: readonly InputOverride[];
  /** `--option NAME VALUE`, for every Nix command. */
  readonly settings?: readonly NixSetting[];
  /** Added to the environment of every Nix process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where evaluations are kept, and PATH, which says whose they are; without either nothing is kept. */
  readonly cache?: { readonly folder: string; readonly searchPath: string };
  /** Where links keep built toplevels from the garbage collector. */
  readonly rootsDir?: string;
  readonly deadlines?: Partial<NixDeadlines>;
};

export type NixWithVersion = Nix & {
  /** Which Nix there is, for a check of prerequisites. Failure kinds `nix-missing`, `nix-version`, `nix-start`. */
  nixVersion(options?: NixOptions): Promise<Result<{ readonly version: string }>>;
  /** The closure of a toplevel in the local store. Failure kind `not-here`: it is not in it. */
  closure(toplevel: string, options: NixOptions): Promise<Result<readonly ClosurePath[]>>;
};

/** What every operation on the flake needs, found once. */
type Ready = { readonly flake: FlakeRef; readonly call: NixCall; readonly mapPaths: MapSourcePaths };

/** The real Nix behind the `Nix` port. */
export const createNix = (given: NixSettings): NixWithVersion => {
  const { runProcess, clock, resources, fleetExpression } = given;
  const env = given.env ?? {};
  const nix: NixProcesses = { runProcess, env };
  const deadlines = { ...nixDeadlines, ...given.deadlines };
  const now = () => clock.elapsed();
  let knownVersion: NixVersion | null = null;
  /** What the flake was when its machines were last evaluated; null where that could not be told. */
  let evaluatedAs: string | null = null;
  let knownFlake: { readonly flake: FlakeRef; readonly mapPaths: MapSourcePaths } | null = null;

  const version = async (options: NixOptions): Promise<Result<NixVersion>> => {
    if (knownVersion !== null) return ok(knownVersion);
    const asked = await askNixVersion(nix, deadlines.questionMs, options.signal);
    if (asked.ok) knownVersion = asked.value;
    return asked;
  };

  const callOf = (flake: FlakeRef, found: NixVersion | null): NixCall => ({
    url: flake.url,
    features: featuresOf(found),
    overrides: given.overrides ?? [],
    settings: given.settings ?? [],
  });

  const locate = async (): Promise<Result<NonNullable<typeof knownFlake>>> => {
    if (knownFlake !== null) return ok(knownFlake);
    const located = await locateFlake(given.flake, given.cwd);
    if (!located.ok) return located;
    knownFlake = { flake: located.value, mapPaths: createSourceMapper(located.value) };
    return ok(knownFlake);
  };

  const ready = async (options: NixOptions): Promise<Result<Ready>> => {
    const located = await locate();
    if (!located.ok) return located;
    const found = await version(options);
    return found.ok ? ok({ ...located.value, call: callOf(located.value.flake, found.value) }) : found;
  };

  const keyOf = async (flake: FlakeRef): Promise<string | null> =>
    given.cache === undefined
      ? null
      : fingerprint({
          flake,
          call: callOf(flake, null),
          fleetExpression,
          env,
          searchPath: given.cache.searchPath,
          runProcess,
        });
  /** Whether the flake is, as far as can be told, what its machines were evaluated from. */
  const isAsEvaluated = async (flake: FlakeRef): Promise<boolean> => {
    const before = evaluatedAs;
    const now = before === null ? null : await keyOf(flake);
    return before === null || now === null || before === now;
  };

  const evaluate = async (options: NixOptions): Promise<Result<Evaluation>> => {
    const located = await locate();
    if (!located.ok) return located;
    const { flake, mapPaths } = located.value;
    evaluatedAs = null;
    let first: string | null | undefined;
    const evaluated = await evaluateFlake({
      nix,
      flake,
      mapPaths,
      clock,
      fleetExpression,
      workers: workerCount(resources),
      evaluationEnv: evaluationEnv(resources),
      deadlineMs: deadlines.evaluationMs,
      stallMs: deadlines.evaluationStallMs,
      cache: given.cache ?? null,
      keyNow: async () => {
        const key = await keyOf(flake);
        if (first === undefined) first = key;
        return key;
      },
      callFor: (found) => callOf(flake, found),
      knownVersion,
      askVersion: () => version(options),
      options,
    });
    if (evaluated.ok) evaluatedAs = first ?? null;
    return evaluated;
  };

  const updating = async (options: NixOptions): Promise<Result<UpdateContext>> => {
    const prepared = await ready(options);
    if (!prepared.ok) return prepared;
    return ok({
      ...prepared.value,
      nix,
      now,
      deadlineMs: deadlines.updateMs,
      questionMs: deadlines.questionMs,
      signal: options.signal,
      onProgress: options.onProgress,
    });
  };

  /** An old record does not say where its lock file lies: then it is this flake's. */
  const lockOf = async ({ path }: LockMove): Promise<Result<string>> => {
    if (path !== null) return ok(path);
    const located = await locate();
    return located.ok ? lockPathOf(located.value.flake) : located;
  };

  const toplevelContext = async (options: NixOptions): Promise<Result<ToplevelContext>> => {
    const prepared = await ready(options);
    if (!prepared.ok) return prepared;
    return ok({
      ...prepared.value,
      nix,
      workers: workerCount(resources),
      env: evaluationEnv(resources),
      evaluationMs: deadlines.evaluationMs,
      questionMs: deadlines.questionMs,
      signal: options.signal,
      onProgress: options.onProgress,
    });
  };

  /** Runs `work`, or says for each machine why it cannot be. */
  const report = async (
    machines: readonly string[],
    options: NixOptions,
    work: (context: ToplevelContext) => Promise<BuildReport>,
  ): Promise<BuildReport> => {
    if (machines.length === 0) return { built: [], failed: [] };
    const context = await toplevelContext(options);
    if (context.ok) return work(context.value);
    const { failure } = context;
    return { built: [], failed: machines.map((machine) => ({ ...failure, machine })) };
  };

  return {
    nixVersion: async (options = {}) => {
      const found = await version(options);
      return found.ok ? ok({ version: found.value.text }) : found;
    },
    closure: (toplevel, { signal }) =>
      readClosure(
        { nix, settings: given.settings ?? [], deadlineMs: deadlines.questionMs },
        toplevel,
        signal,
      ),
    evaluate,
    proposeUpdate: async (inputs, options) => {
      const context = await updating(options);
      return context.ok ? proposeUpdate(context.value, inputs) : context;
    },
    writeLock: (write) => writeLock(runProcess, write),
    restoreLock: async (move) => {
      const path = await lockOf(move);
      return path.ok ? restoreLock(runProcess, path.value, move) : path;
    },
    lockHolds: async (move) => {
      const path = await lockOf(move);
      return path.ok ? lockHolds(path.value, move) : path;
    },
    toplevels: (machines, options) =>
      report(machines, options, async (context) => {
        const { toplevels, failed } = await evaluateToplevels(context, machines);
        const outPaths = toplevels.map(({ outPath }) => outPath);
        const missing = await missingPaths(context, outPaths);
        return {
          built: await withParts(toplevels, missing.ok ? missing.value : new Set(outPaths)),
          failed,
        };
      }),
    build: (machines, options) =>
      report(machines, options, (context) =>
        buildToplevels(
          {
            ...context,
            now,
            buildMs: deadlines.buildMs,
            rootsDir: given.rootsDir ?? null,
            isAsEvaluated: () => isAsEvaluated(context.flake),
          },
          machines,
        ),
      ),
  };
};
