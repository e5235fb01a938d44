import { fail, ok, type Result } from '../failure.ts';
import { limits } from '../fleet/limits.ts';
import { type FailedMachine, type Machine, MachineName } from '../fleet/machine.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { argumentBytesMax, chunkSize, evaluateNamed, listAndEvaluate } from './apply.ts';
import { evalArgv, type NixCall } from './argv.ts';
import { withTrace } from './by-hand.ts';
import { type Cause, failureOf, wholeFlake } from './causes.ts';
import { type ChunkContext, runChunk } from './chunk.ts';
import { readRecord } from './record.ts';
import { createTally, noRecord } from './tally.ts';
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

const chunksOf = (names: readonly string[], size: number): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(names.length / size) }, (_, at) => names.slice(at * size, (at + 1) * size));

const isMachineName = (name: string): boolean => MachineName.safeParse(name).success;

const badName = (name: string): FailedMachine => ({
  name: sanitiseLine(name, limits.nameLengthMax),
  message: 'Its name in nixosConfigurations cannot be the name of a machine.',
  remedy: `Use letters, digits, ".", "_" and "-", at most ${limits.nameLengthMax}, not starting with "." or "-".`,
});

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

const refuseList = (names: readonly string[]): Cause | null => {
  if (names.length > limits.machinesMax) {
    return {
      kind: 'too-many-machines',
      message: `The flake has ${names.length} nixosConfigurations; the bound is ${limits.machinesMax}.`,
      remedy: 'Split the flake.',
      detail: [],
    };
  }
  if (names.length > 0) return null;
  return {
    kind: 'no-configurations',
    message: 'nixosConfigurations of the flake is empty.',
    remedy: 'Declare the machines in the flake output nixosConfigurations.',
    detail: [],
  };
};

/**
 * Evaluates the light record of every machine in a few processes. The first process says which machines there are
 * and takes its share; a process that dies loses only the machine it died of. Fails only when the flake as a whole
 * cannot be listed.
 */
export const evaluateMachines = async (request: EvaluateRequest): Promise<Result<Evaluated>> => {
  const { call, fleetExpression, workers, context } = request;
  const tally = createTally(request.onProgress);
  const pool = createPool(workers);

  /** Evaluates until each of the names has a record or a cause: every round settles at least one. */
  const evaluateAll = async (wanted: readonly string[]): Promise<void> => {
    let open = wanted;
    while (open.length > 0 && tally.stopped() === null) {
      const argv = evalArgv(call, evaluateNamed(fleetExpression, open));
      open = tally.absorb(open, await runChunk(context, argv, tally.watch));
    }
  };

  const listThenEvaluate = async (): Promise<void> => {
    let share: readonly string[] = [];
    const expression = listAndEvaluate(fleetExpression, workers);
    if (Buffer.byteLength(expression) > argumentBytesMax) {
      throw new RangeError('the fleet expression is too long');
    }
    const outcome = await runChunk(context, evalArgv(call, expression), (marker) => {
      tally.watch(marker);
      if (marker.kind !== 'names' || !tally.list(marker.names)) return;
      if (refuseList(marker.names) !== null) return;
      share = marker.first;
      const taken = new Set(share);
      const others = marker.names.filter((name) => isMachineName(name) && !taken.has(name));
      const size = chunkSize(marker.names.length, workers);
      pool.add(chunksOf(others, size).map((chunk) => () => evaluateAll(chunk)));
    });
    const open = tally.absorb(share, outcome);
    if (tally.names() !== null) await evaluateAll(open);
    else tally.stop(outcome.cause ?? noRecord);
  };

  request.onProgress?.('evaluating the flake');
  pool.add([listThenEvaluate]);
  await pool.idle();

  const names = tally.names() ?? [];
  const stopped = tally.stopped() ?? refuseList(names);
  if (stopped !== null) return fail(failureOf(wholeFlake(withTrace(stopped, call, null)), phase, null));
  const { records, failures, unlocked } = tally.results();
  const failed = [...failures].map(([name, cause]) => {
    const { message, remedy } = withTrace(cause, call, name);
    return { name, message, remedy };
  });
  const unusable = names.filter((name) => !isMachineName(name)).map(badName);
  return ok({ ...sortOut(records, [...failed, ...unusable]), records, unlocked });
};
