import { type Failure, fail, ok, type Result } from '../failure.ts';
import type {
  BuildReport,
  Clock,
  Evaluation,
  LockChange,
  LockedRef,
  Nix,
  Progress,
  Toplevel,
} from '../ports.ts';
import type { Random } from './random.ts';

/** What a flake with one state of its lock file gives. */
export type Release = {
  /** What the lock file holds, by input. */
  readonly lock: ReadonlyMap<string, LockedRef>;
  /** The toplevel of every machine, as it is once built. */
  readonly toplevels: ReadonlyMap<string, Toplevel>;
  /** Lines that building a machine's toplevel writes. */
  readonly buildLines: (machine: string) => readonly string[];
};

type SimulatedNixOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly evaluation: Evaluation;
  /** The lock file as it is, and as each update makes it. */
  readonly releases: readonly [Release, ...Release[]];
  /** How long things take, milliseconds. */
  readonly nature: { readonly evaluateMs: number; readonly updateMs: number; readonly buildLineMs: number };
};

const changesBetween = (from: Release, to: Release): readonly LockChange[] =>
  [...new Set([...from.lock.keys(), ...to.lock.keys()])].sort().flatMap((input): readonly LockChange[] => {
    const [before, after] = [from.lock.get(input) ?? null, to.lock.get(input) ?? null];
    if (before === null) return [{ input, kind: 'added', from: null, to: after }];
    if (after === null) return [{ input, kind: 'removed', from: before, to: null }];
    return before.rev === after.rev ? [] : [{ input, kind: 'updated', from: before, to: after }];
  });

const cancelled: Failure = {
  kind: 'cancelled',
  machine: null,
  phase: 'nix',
  message: 'given up',
  remedy: 'run again when you like',
};

const lockChanged: Failure = {
  kind: 'lock-changed',
  machine: null,
  phase: 'update',
  message: 'flake.lock is no longer what lab wrote',
  remedy: 'use git',
};

const isCopy = (line: string): boolean => line.startsWith('copying ');
const bytesPerPath = 11_400_000;

/** Counts the lines of a build as Nix would what stands behind them. */
const countAlong = (lines: readonly string[], systems: number, there: number) => {
  const copies = lines.filter(isCopy).length;
  const all = { systems, builds: lines.length - copies, paths: copies, bytes: copies * bytesPerPath };
  const done = { systems: there, builds: 0, paths: 0, bytes: 0 };
  const progress = (built: readonly string[]): Progress => ({
    amounts: (['systems', 'builds', 'paths', 'bytes'] as const)
      .map((of) => ({ of, done: done[of], all: all[of] }))
      .filter((amount) => amount.all > 0),
    built,
  });
  return {
    line: (line: string): Progress => {
      if (isCopy(line)) {
        done.paths += 1;
        done.bytes += bytesPerPath;
      } else done.builds += 1;
      return progress([]);
    },
    system: (machine: string): Progress => {
      done.systems += 1;
      return progress([machine]);
    },
  };
};

export type SimulatedNix = Nix & {
  /** What its lock file pins now. */
  readonly lockedInputs: () => readonly { readonly input: string; readonly locked: LockedRef }[];
  /** Whether it was built here. */
  readonly isBuilt: (toplevel: string) => boolean;
};

/** A flake that moves from release to release, behind the `Nix` port. What was built once stays built. */
export const createSimulatedNix = (options: SimulatedNixOptions): SimulatedNix => {
  const { clock, random, releases, nature } = options;
  const built = new Set<string>();
  let current = 0;
  const release = (index: number): Release => releases[Math.min(index, releases.length - 1)] ?? releases[0];

  /** Takes about that long; false when it was given up. */
  const lasts = async (ms: number, signal: AbortSignal | undefined): Promise<boolean> => {
    await clock.sleep(ms * (0.8 + 0.4 * random.next()), signal);
    return signal?.aborted !== true;
  };
  const known = (machines: readonly string[]): readonly Toplevel[] =>
    machines.flatMap((machine) => release(current).toplevels.get(machine) ?? []);

  return {
    isBuilt: (toplevel) => built.has(toplevel),
    lockedInputs: () => [...release(current).lock].map(([input, locked]) => ({ input, locked })),
    evaluate: async ({ signal, onProgress }) => {
      onProgress?.(`evaluating ${options.evaluation.fleet.machines.length} machines`);
      return (await lasts(nature.evaluateMs, signal)) ? ok(options.evaluation) : fail(cancelled);
    },
    proposeUpdate: async (_inputs, { signal, onProgress }) => {
      onProgress?.('asking every input for its newest revision');
      if (!(await lasts(nature.updateMs, signal))) return fail(cancelled);
      const changes = changesBetween(release(current), release(current + 1));
      const text = String(Math.min(current + 1, releases.length - 1));
      const write = { path: '/flake.lock', previous: String(current), text, movedHash: text };
      return ok({ changes, notAsked: [], remark: null, write: changes.length === 0 ? null : write });
    },
    writeLock: async ({ previous, text }) => {
      if (previous !== String(current)) return fail(lockChanged);
      current = Number(text);
      return ok(undefined);
    },
    restoreLock: async ({ previous, movedHash }): Promise<Result<void>> => {
      if (previous === String(current)) return ok(undefined);
      if (movedHash !== String(current)) return fail(lockChanged);
      current = Number(previous ?? '0');
      return ok(undefined);
    },
    lockHolds: async ({ previous, movedHash }) => {
      if (previous === String(current)) return ok('previous');
      return ok(movedHash === String(current) ? 'moved' : 'other');
    },
    toplevels: async (machines, { signal }): Promise<BuildReport> => {
      await lasts(nature.evaluateMs, signal);
      const shown = known(machines).map((toplevel) =>
        built.has(toplevel.outPath) ? toplevel : { ...toplevel, parts: null },
      );
      return { built: shown, failed: [] };
    },
    build: async (machines, { signal, onProgress }): Promise<BuildReport> => {
      const wanted = known(machines);
      const due = wanted.filter(({ outPath }) => !built.has(outPath));
      const lines = due.flatMap(({ machine }) => release(current).buildLines(machine));
      const count = countAlong(lines, wanted.length, wanted.length - due.length);
      for (const toplevel of due) {
        for (const line of release(current).buildLines(toplevel.machine)) {
          if (!(await lasts(nature.buildLineMs, signal))) return { built: [], failed: [cancelled] };
          onProgress?.(line, count.line(line));
        }
        built.add(toplevel.outPath);
        onProgress?.(`built the system of ${toplevel.machine}`, count.system(toplevel.machine));
      }
      return { built: known(machines), failed: [] };
    },
  };
};
