import { ok, type Result } from '../failure.ts';
import type { Clock, Evaluation, NixOptions } from '../ports.ts';
import type { NixCall } from './argv.ts';
import { readCache, writeCache } from './cache.ts';
import { discrepanciesOf, hostFolders } from './discover.ts';
import { type Evaluated, evaluateMachines, type SortedOut, sortOut } from './evaluate.ts';
import type { FlakeRef } from './flake-ref.ts';
import type { NixProcesses } from './nix-process.ts';
import type { MapSourcePaths } from './source-paths.ts';
import type { NixVersion } from './version.ts';

export type EvaluateFlake = {
  readonly nix: NixProcesses;
  readonly flake: FlakeRef;
  readonly mapPaths: MapSourcePaths;
  readonly clock: Clock;
  /** Text of `nix/fleet.nix`. */
  readonly fleetExpression: string;
  readonly workers: number;
  /** Environment of an evaluating process. */
  readonly evaluationEnv: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  readonly stallMs: number;
  readonly cache: { readonly folder: string } | null;
  /** What the flake is at this moment, or null where that cannot be told for sure. */
  readonly keyNow: () => Promise<string | null>;
  readonly callFor: (version: NixVersion | null) => NixCall;
  readonly knownVersion: NixVersion | null;
  readonly askVersion: () => Promise<Result<NixVersion>>;
  readonly options: NixOptions;
};

/** Holds the machines against the folder `hosts/`, which is read anew even when the machines come from the cache. */
const conclude = async (
  flake: FlakeRef,
  { machines, failed, withoutModule }: SortedOut,
  unlocked: readonly string[],
): Promise<Result<Evaluation>> => {
  const names = [...machines, ...failed].map(({ name }) => name);
  const folders = await hostFolders(flake);
  return ok({
    fleet: { machines, failed },
    discrepancies: discrepanciesOf({ flake, names, machines, withoutModule, folders, unlocked }),
  });
};

/**
 * Asking for the version takes as long as evaluating many machines, so it is asked only when something fails. The
 * form that every version understands fails on a flake whose `packages` throw: a Nix that knows better is asked again.
 */
const evaluateWithNix = async (request: EvaluateFlake): Promise<Result<Evaluated>> => {
  const { nix, flake, mapPaths, clock, deadlineMs, stallMs, options } = request;
  const evaluateWith = (call: NixCall) =>
    evaluateMachines({
      call,
      fleetExpression: request.fleetExpression,
      workers: request.workers,
      context: {
        nix,
        flake,
        mapPaths,
        clock,
        deadlineMs,
        stallMs,
        signal: options.signal,
        env: request.evaluationEnv,
      },
      onProgress: options.onProgress,
    });
  const first = request.callFor(request.knownVersion);
  const evaluated = await evaluateWith(first);
  if (evaluated.ok || evaluated.failure.kind === 'cancelled') return evaluated;
  const asked = await request.askVersion();
  if (!asked.ok) return asked;
  const better = request.callFor(asked.value);
  return better.features.leadingDot && !first.features.leadingDot ? evaluateWith(better) : evaluated;
};

/** The light record of every machine, out of the cache where nothing has changed since. */
export const evaluateFlake = async (request: EvaluateFlake): Promise<Result<Evaluation>> => {
  const { flake, cache, keyNow } = request;
  const call = request.callFor(null);
  const key = await keyNow();
  const kept = cache === null || key === null ? null : await readCache(cache.folder, key);
  if (kept !== null) {
    const sorted = sortOut(kept, []);
    if (sorted.failed.length === 0) return conclude(flake, sorted, []);
  }
  const evaluated = await evaluateWithNix(request);
  if (!evaluated.ok) return evaluated;
  const { failed, records, unlocked } = evaluated.value;
  const overridden = new Set(call.overrides.map(({ input }) => input));
  const loose = unlocked.filter((input) => !overridden.has(input.split('/')[0] ?? ''));
  const sound = failed.length === 0 && loose.length === 0;
  // Kept only when nothing moved while Nix was reading.
  if (cache !== null && key !== null && sound && (await keyNow()) === key) {
    await writeCache(cache.folder, key, records);
  }
  return conclude(flake, evaluated.value, loose);
};
