import type { Cause } from './causes.ts';
import type { ChunkOutcome } from './chunk.ts';
import type { Marker } from './markers.ts';

export const noRecord: Cause = {
  kind: 'no-record',
  message: 'Nix ended well and printed no record for it.',
  remedy: 'Make the texts in its lab.machine options shorter.',
  detail: [],
};

/** What has become of each machine while several processes evaluate them. */
export type Tally = {
  /** All names of the flake; true the first time. */
  readonly list: (names: readonly string[]) => boolean;
  readonly names: () => readonly string[] | null;
  /** Counts records as they come, for progress. */
  readonly watch: (marker: Marker) => void;
  /** Takes over what a process settled of the machines it was given, and gives back those still open. */
  readonly absorb: (wanted: readonly string[], outcome: ChunkOutcome) => readonly string[];
  /** Ends everything: the flake as a whole failed, or the user cancelled. */
  readonly stop: (cause: Cause) => void;
  readonly stopped: () => Cause | null;
  readonly results: () => {
    readonly records: ReadonlyMap<string, string>;
    readonly failures: ReadonlyMap<string, Cause>;
    readonly unlocked: readonly string[];
  };
};

export const createTally = (onProgress: ((line: string) => void) | undefined): Tally => {
  const records = new Map<string, string>();
  const failures = new Map<string, Cause>();
  const unlocked = new Set<string>();
  /** Machines whose record has been seen, also by a process still running. */
  const seen = new Set<string>();
  let listed: readonly string[] | null = null;
  let end: Cause | null = null;
  let told = -1;

  const tell = () => {
    const done = seen.size + failures.size;
    if (listed === null || done === told) return;
    told = done;
    onProgress?.(`evaluated ${done} of ${listed.length} machines`);
  };

  return {
    list: (names) => {
      if (listed !== null) return false;
      listed = names;
      return true;
    },
    names: () => listed,
    watch: (marker) => {
      if (marker.kind !== 'ok') return;
      seen.add(marker.name);
      tell();
    },
    absorb: (wanted, { records: printed, culprit, cause, unlocked: inputs }) => {
      for (const input of inputs) unlocked.add(input);
      for (const name of wanted) {
        const json = printed.get(name);
        if (json !== undefined) records.set(name, json);
      }
      const open = wanted.filter((name) => !records.has(name));
      if (cause?.kind === 'cancelled') end ??= cause;
      else if (cause !== null && culprit !== null && open.includes(culprit)) failures.set(culprit, cause);
      else for (const name of open) failures.set(name, cause ?? noRecord);
      tell();
      return open.filter((name) => !failures.has(name));
    },
    stop: (cause) => {
      end ??= cause;
    },
    stopped: () => end,
    results: () => ({ records, failures, unlocked: [...unlocked] }),
  };
};
