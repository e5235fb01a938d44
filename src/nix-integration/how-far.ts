import type { Amount, Progress } from '../ports.ts';
import { activities, type NixEvent, results } from './internal-json.ts';

/** How far a build or copy is, in numbers, as Nix itself counts. */

/** A system that is being built: which derivation, and whose it is. */
export type System = { readonly machine: string; readonly drvPath: string };

export type HowFar = {
  readonly take: (event: NixEvent) => void;
  /** How many systems were built that `now` has not told of. */
  readonly justBuilt: () => number;
  /** Tells each system once. */
  readonly now: () => Progress;
};

const activitiesMax = 10_000;

export const numberAt = (fields: readonly (string | number)[], at: number): number => {
  const value = fields[at];
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(0, Math.trunc(value)) : 0;
};

type Copy = { readonly kind: 'copy'; done: number };
type Running = Copy | { readonly kind: 'build'; readonly drvPath: string } | { readonly kind: 'count' };

/**
 * Counts along with Nix. `systems`: those that are wanted in the end, and `there`: the machines among them whose system
 * needs no building.
 */
export const createHowFar = (
  systems: readonly System[] = [],
  there: ReadonlySet<string> = new Set(),
): HowFar => {
  const running = new Map<number, Running & { readonly activity: number }>();
  const built = new Set(there);
  let told: readonly string[] = [...there];
  const counted = {
    builds: { done: 0, all: 0 },
    paths: { done: 0, all: 0 },
    bytes: { done: 0, all: 0 },
  };
  let failures = 0;

  const begun = ({ id, activity, fields }: Extract<NixEvent, { kind: 'start' }>): void => {
    if (running.size >= activitiesMax) return;
    if (activity === activities.copyPath) running.set(id, { kind: 'copy', done: 0, activity });
    else if (activity === activities.build)
      running.set(id, { kind: 'build', drvPath: String(fields[0] ?? ''), activity });
    else if (activity === activities.builds || activity === activities.copyPaths)
      running.set(id, { kind: 'count', activity });
  };

  const reported = ({ id, type, fields }: Extract<NixEvent, { kind: 'result' }>): void => {
    if (type === results.setExpected && numberAt(fields, 0) === activities.copyPath) {
      counted.bytes.all = numberAt(fields, 1);
      return;
    }
    const known = running.get(id);
    if (type !== results.progress || known === undefined) return;
    const [done, all] = [numberAt(fields, 0), numberAt(fields, 1)];
    if (known.kind === 'copy') {
      counted.bytes.done += done - known.done;
      known.done = done;
    } else if (known.kind === 'count' && known.activity === activities.builds) {
      counted.builds = { done, all };
      failures = numberAt(fields, 3);
    } else if (known.kind === 'count') counted.paths = { done, all };
  };

  const ended = (id: number): void => {
    const known = running.get(id);
    running.delete(id);
    // Failures are counted before ends are told, and not whose they are: after the first, nobody can say which end was good.
    if (known?.kind !== 'build' || failures > 0) return;
    const mine = systems.filter(({ drvPath }) => drvPath === known.drvPath);
    for (const { machine } of mine) {
      built.add(machine);
      told = [...told, machine];
    }
  };

  return {
    take: (event) => {
      if (event.kind === 'start') begun(event);
      else if (event.kind === 'stop') ended(event.id);
      else if (event.kind === 'result') reported(event);
    },
    justBuilt: () => told.length,
    now: () => {
      const { builds, paths, bytes } = counted;
      // The last report of a path comes before its last bytes.
      const bytesDone =
        paths.all > 0 && paths.done >= paths.all ? bytes.all : Math.max(0, Math.min(bytes.done, bytes.all));
      const amounts: readonly Amount[] = [
        { of: 'systems', done: built.size, all: systems.length },
        { of: 'builds', ...builds },
        { of: 'paths', ...paths },
        { of: 'bytes', done: bytesDone, all: bytes.all },
      ];
      const since = told;
      told = [];
      return { amounts: amounts.filter(({ done, all }) => all > 0 && done <= all), built: since };
    },
  };
};
