import type { Clock } from '../ports.ts';
import { type Cause, causeOf, processCause } from './causes.ts';
import type { FlakeRef } from './flake-ref.ts';
import { hostOf, inputsLockedInMemory, type Marker, markerOf } from './markers.ts';
import { type NixProcesses, runNix } from './nix-process.ts';
import type { MapSourcePaths } from './source-paths.ts';
import { watchStall } from './stall.ts';

/** What one evaluating process left behind. */
export type ChunkOutcome = {
  /** Records as text, by machine: whole whatever became of the process. */
  readonly records: ReadonlyMap<string, string>;
  /** The machine the process died of, or null: it ended well, or died of none. */
  readonly culprit: string | null;
  /** Why it died; null when it ended well. */
  readonly cause: Cause | null;
  /** Inputs that Nix locked in memory, so that what it saw is not what the lock file says. */
  readonly unlocked: readonly string[];
};

export type ChunkContext = {
  readonly nix: NixProcesses;
  readonly flake: FlakeRef;
  readonly mapPaths: MapSourcePaths;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly stallMs: number;
  readonly signal: AbortSignal | undefined;
  readonly env: Readonly<Record<string, string>>;
};

/**
 * Runs one evaluation and follows its markers. The machine a process dies of is the one its error's trace names,
 * else the last one begun and not finished.
 */
export const runChunk = async (
  context: ChunkContext,
  argv: readonly string[],
  onMarker: (marker: Marker) => void,
): Promise<ChunkOutcome> => {
  const records = new Map<string, string>();
  const open = new Set<string>();
  const unlocked: string[] = [];
  const stall = watchStall(context.clock, context.stallMs);
  const signals = context.signal === undefined ? [stall.signal] : [stall.signal, context.signal];
  const { result, said } = await runNix(context.nix, argv, {
    deadlineMs: context.deadlineMs,
    signal: AbortSignal.any(signals),
    env: context.env,
    onEvent: (event) => {
      unlocked.push(...inputsLockedInMemory(event));
      const marker = markerOf(event);
      // Until the first machine begins Nix may be downloading inputs, so every sign of life counts.
      if (marker !== null || (open.size === 0 && records.size === 0)) stall.touch();
      if (marker === null) return;
      if (marker.kind === 'begin' && !records.has(marker.name)) open.add(marker.name);
      if (marker.kind === 'ok' && open.delete(marker.name)) records.set(marker.name, marker.json);
      onMarker(marker);
    },
  });
  stall.end();
  if (result.code === 0) return { records, culprit: null, cause: null, unlocked };
  const last = [...open].at(-1) ?? null;
  if (stall.signal.aborted && context.signal?.aborted !== true) {
    return {
      records,
      culprit: last,
      cause: {
        kind: 'timeout',
        message: `The evaluation did not end within ${Math.round(context.stallMs / 1000)} s.`,
        remedy: 'Look for a value that never ends, or something that is built or fetched during evaluation.',
        detail: [],
      },
      unlocked,
    };
  }
  const own = processCause(result, 'evaluation');
  const cause = own ?? (await causeOf(said, context.flake, context.mapPaths));
  const named = own === null ? said.map(hostOf).findLast((name) => name !== null) : undefined;
  return { records, culprit: named != null && !records.has(named) ? named : last, cause, unlocked };
};
