import { type Failure, fail, ok, type Result } from '../failure.ts';
import { limits } from '../fleet/limits.ts';
import { type FailedMachine, type Machine, MachineName } from '../fleet/machine.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { argumentBytesMax, chunkSize, evaluateNamed, listAndEvaluate } from './apply.ts';
import { evalArgv, type NixCall } from './argv.ts';
import { type Cause, failureOf } from './causes.ts';
import { type ChunkContext, runChunk } from './chunk.ts';
import type { Marker } from './markers.ts';
import { readRecord } from './record.ts';
import { createPool } from './workers.ts';

/** All machines of the flake, each either usable or failed with its own cause; sorted by name. */
export type SortedOut = {
  readonly machines: readonly Machine[];
  readonly failed: readonly FailedMachine[];
  /** Names of usable machines that do not import the lab module. */
  readonly withoutModule: readonly string[];
};
export type Evaluated = SortedOut & {
  /** The records as Nix printed them, for the cache. */
  readonly records: ReadonlyMap<string, string>;
  /** Inputs, by path, that the lock file does not settle. */
  readonly unlocked: readonly string[];
};

export type EvaluateRequest = {
  readonly call: NixCall;
  /** Text of `nix/fleet.nix`. */
  readonly fleetExpression: string;
  readonly workers: number;
  readonly context: ChunkContext;
  readonly onProgress: ((line: string) => void) | undefined;
};

const phase = 'evaluate';

const flakeFailure = (cause: Cause): { readonly ok: false; readonly failure: Failure } =>
  fail(failureOf(cause, phase, null));

const chunksOf = (names: readonly string[], size: number): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(names.length / size) }, (_, at) => names.slice(at * size, (at + 1) * size));

const isMachineName = (name: string): boolean => MachineName.safeParse(name).success;

const badName = (name: string): FailedMachine => ({
  name: sanitiseLine(name, limits.nameLengthMax),
  message: 'Its name in nixosConfigurations cannot be the name of a machine.',
  remedy: `Use letters, digits, ".", "_" and "-", at most ${limits.nameLengthMax}, not starting with "." or "-".`,
});

const noRecord: Cause = {
  kind: 'no-record',
  message: 'Nix ended well and printed no record for it.',
  remedy: 'Make the texts in its lab.machine options shorter.',
  detail: [],
};

/** Machines in the order of their names, whatever the locale. */
export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

/** Reads the records, and joins the machines that they fail for to those that failed before. */
export const sortOut = (
  records: ReadonlyMap<string, string>,
  failedBefore: readonly FailedMachine[],
): SortedOut => {
  const read = [...records].map(([name, json]) => readRecord(name, json));
  const usable = read.flatMap((one) => (one.kind === 'machine' ? [one] : []));
  const refused = read.flatMap((one) => (one.kind === 'failed' ? [one.failed] : []));
  return {
    machines: usable.map(({ machine }) => machine).toSorted(byName),
    failed: [...failedBefore, ...refused].toSorted(byName),
    withoutModule: usable.flatMap(({ machine, usesModule }) => (usesModule ? [] : [machine.name])).sort(),
  };
};

/**
 * Evaluates the light record of every machine in a few processes. The first process says which machines there are
 * and takes its share; a process that dies loses only the machine it died of. Fails only when the flake as a whole
 * cannot be listed.
 */
export const evaluateMachines = async (request: EvaluateRequest): Promise<Result<Evaluated>> => {
  const { call, fleetExpression, workers, context } = request;
  const records = new Map<string, string>();
  const failures = new Map<string, Cause>();
  let names: readonly string[] | null = null;
  const unlocked = new Set<string>();
  let cancelled: Cause | null = null;

  const settle = (name: string, cause: Cause) => failures.set(name, cause);
  /** Machines whose record has been seen, also by a process still running. */
  const seen = new Set<string>();
  let told = -1;
  const tell = () => {
    const done = seen.size + failures.size;
    if (names === null || done === told) return;
    told = done;
    request.onProgress?.(`evaluated ${done} of ${names.length} machines`);
  };
  const watch = (marker: Marker) => {
    if (marker.kind !== 'ok') return;
    seen.add(marker.name);
    tell();
  };

  /** Evaluates until each of the names has a record or a cause: every round settles at least one. */
  const evaluateAll = async (wanted: readonly string[]): Promise<void> => {
    let rest = wanted;
    while (rest.length > 0 && cancelled === null) {
      const outcome = await runChunk(
        context,
        evalArgv(call, evaluateNamed(fleetExpression, rest)),
        (marker) => {
          watch(marker);
        },
      );
      rest = absorb(rest, outcome);
    }
  };

  /** Takes over what a process settled and gives back what is still open. */
  const absorb = (
    wanted: readonly string[],
    outcome: Awaited<ReturnType<typeof runChunk>>,
  ): readonly string[] => {
    for (const input of outcome.unlocked) unlocked.add(input);
    for (const name of wanted) {
      const json = outcome.records.get(name);
      if (json !== undefined) records.set(name, json);
    }
    const open = wanted.filter((name) => !records.has(name));
    const { cause, culprit } = outcome;
    if (cause?.kind === 'cancelled') cancelled = cause;
    else if (cause !== null && culprit !== null && open.includes(culprit)) settle(culprit, cause);
    else for (const name of open) settle(name, cause ?? noRecord);
    tell();
    return open.filter((name) => !failures.has(name));
  };

  const first = listAndEvaluate(fleetExpression, workers);
  if (Buffer.byteLength(first) > argumentBytesMax) throw new RangeError('the fleet expression is too long');
  const pool = createPool(workers);
  let listing: Cause | null = null;

  const listThenEvaluate = async () => {
    let share: readonly string[] = [];
    const outcome = await runChunk(context, evalArgv(call, first), (marker) => {
      watch(marker);
      if (marker.kind !== 'names' || names !== null) return;
      names = marker.names;
      if (names.length > limits.machinesMax) return;
      share = marker.first;
      const taken = new Set(share);
      const rest = names.filter((name) => isMachineName(name) && !taken.has(name));
      pool.add(chunksOf(rest, chunkSize(names.length, workers)).map((chunk) => () => evaluateAll(chunk)));
    });
    if (names === null) listing = outcome.cause ?? noRecord;
    else await evaluateAll(absorb(share, outcome));
  };

  request.onProgress?.('evaluating the flake');
  pool.add([listThenEvaluate]);
  await pool.idle();
  // Callbacks have assigned these, which control flow analysis does not see.
  const listed = names as readonly string[] | null;
  const stopped = (cancelled ?? listing) as Cause | null;
  if (stopped !== null) return flakeFailure(stopped);
  if (listed === null) throw new Error('neither names nor a cause');
  if (listed.length > limits.machinesMax) {
    return flakeFailure({
      kind: 'too-many-machines',
      message: `The flake has ${listed.length} nixosConfigurations; the bound is ${limits.machinesMax}.`,
      remedy: 'Split the flake.',
      detail: [],
    });
  }
  if (listed.length === 0) {
    return flakeFailure({
      kind: 'no-configurations',
      message: 'nixosConfigurations of the flake is empty.',
      remedy: 'Declare the machines in the flake output nixosConfigurations.',
      detail: [],
    });
  }
  return ok({
    ...sortOut(records, [
      ...[...failures].map(([name, { message, remedy }]) => ({ name, message, remedy })),
      ...listed.filter((name) => !isMachineName(name)).map(badName),
    ]),
    records,
    unlocked: [...unlocked],
  });
};
