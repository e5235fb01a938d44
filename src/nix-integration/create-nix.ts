import { ok, type Result } from '../failure.ts';
import type { BuildReport, Clock, Evaluation, Nix, NixOptions } from '../ports.ts';
import type { RunProcess } from '../process/run.ts';
import type { InputOverride, NixCall, NixSetting } from './argv.ts';
import { buildToplevels } from './build.ts';
import { readCache, writeCache } from './cache.ts';
import { type NixDeadlines, nixDeadlines } from './deadlines.ts';
import { discrepanciesOf, hostFolders } from './discover.ts';
import { type Evaluated, evaluateMachines, type SortedOut, sortOut } from './evaluate.ts';
import { fingerprint } from './fingerprint.ts';
import { type FlakeRef, locateFlake } from './flake-ref.ts';
import { restoreLock } from './lock-file.ts';
import type { NixProcesses } from './nix-process.ts';
import { askNixVersion } from './nix-version.ts';
import { createSourceMapper, type MapSourcePaths } from './source-paths.ts';
import { evaluateToplevels, missingPaths, type ToplevelContext, withParts } from './toplevels.ts';
import { previewLock, type UpdateContext, updateLock } from './update.ts';
import { featuresOf, type NixVersion } from './version.ts';
import { evaluationEnv, type Resources, workerCount } from './workers.ts';

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
};

/** What every operation on the flake needs, found once. */
type Ready = { readonly flake: FlakeRef; readonly call: NixCall; readonly mapPaths: MapSourcePaths };

/** The real Nix behind the `Nix` port. */
export const createNix = (given: NixSettings): NixWithVersion => {
  const { runProcess, clock, resources, fleetExpression } = given;
  const env = given.env ?? {};
  const nix: NixProcesses = { runProcess, env };
  const deadlines = { ...nixDeadlines, ...given.deadlines };
  const now = () => clock.now();
  let knownVersion: NixVersion | null = null;
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

  const conclude = async (
    flake: FlakeRef,
    sorted: SortedOut,
    unlocked: readonly string[],
  ): Promise<Result<Evaluation>> => {
    const { machines, failed, withoutModule } = sorted;
    const names = [...machines, ...failed].map(({ name }) => name);
    const folders = await hostFolders(flake);
    return ok({
      fleet: { machines, failed },
      discrepancies: discrepanciesOf({ flake, names, machines, withoutModule, folders, unlocked }),
    });
  };

  /**
   * Asking for the version takes half as long as evaluating one machine, so both begin together. The form that every
   * version understands fails only on a flake whose `packages` throw: there a Nix that knows better is asked again.
   */
  const evaluateKnowingLittle = async (
    flake: FlakeRef,
    mapPaths: MapSourcePaths,
    options: NixOptions,
  ): Promise<Result<Evaluated>> => {
    const evaluateWith = (call: NixCall) =>
      evaluateMachines({
        call,
        fleetExpression,
        workers: workerCount(resources),
        context: {
          nix,
          flake,
          mapPaths,
          clock,
          deadlineMs: deadlines.evaluationMs,
          stallMs: deadlines.evaluationStallMs,
          signal: options.signal,
          env: evaluationEnv(resources),
        },
        onProgress: options.onProgress,
      });
    const first = callOf(flake, knownVersion);
    const [asked, evaluated] = await Promise.all([version(options), evaluateWith(first)]);
    if (evaluated.ok || evaluated.failure.kind === 'cancelled') return evaluated;
    if (!asked.ok) return asked;
    const better = callOf(flake, asked.value);
    return better.features.leadingDot && !first.features.leadingDot ? evaluateWith(better) : evaluated;
  };

  const evaluate = async (options: NixOptions): Promise<Result<Evaluation>> => {
    const located = await locate();
    if (!located.ok) return located;
    const { flake, mapPaths } = located.value;
    const key = await keyOf(flake);
    const kept = key === null || given.cache === undefined ? null : await readCache(given.cache.folder, key);
    if (kept !== null) {
      const sorted = sortOut(kept, []);
      if (sorted.failed.length === 0) return conclude(flake, sorted, []);
    }
    const evaluated = await evaluateKnowingLittle(flake, mapPaths, options);
    if (!evaluated.ok) return evaluated;
    const { failed, records, unlocked } = evaluated.value;
    const overridden = new Set((given.overrides ?? []).map(({ input }) => input));
    const loose = unlocked.filter((input) => !overridden.has(input.split('/')[0] ?? ''));
    if (given.cache !== undefined && key !== null && failed.length === 0 && loose.length === 0) {
      // Kept only when nothing moved while Nix was reading.
      if ((await keyOf(flake)) === key) await writeCache(given.cache.folder, key, records);
    }
    return conclude(flake, evaluated.value, loose);
  };

  const updating = async (options: NixOptions): Promise<Result<UpdateContext>> => {
    const prepared = await ready(options);
    if (!prepared.ok) return prepared;
    return ok({
      ...prepared.value,
      nix,
      now,
      deadlineMs: deadlines.updateMs,
      signal: options.signal,
      onProgress: options.onProgress,
    });
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
    evaluate,
    update: async (inputs, options) => {
      const context = await updating(options);
      return context.ok ? updateLock(context.value, inputs) : context;
    },
    previewUpdate: async (inputs, options) => {
      const context = await updating(options);
      return context.ok ? previewLock(context.value, inputs) : context;
    },
    restoreLock: async (previous) => {
      const located = await locate();
      return located.ok ? restoreLock(located.value.flake, previous) : located;
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
          { ...context, now, buildMs: deadlines.buildMs, rootsDir: given.rootsDir ?? null },
          machines,
        ),
      ),
  };
};
