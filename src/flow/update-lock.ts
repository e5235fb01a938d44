import { type Failure, fail, ok, type Result } from '../failure.ts';
import type { Fleet } from '../fleet/machine.ts';
import type { BuildReport, LockUpdate, Nix } from '../ports.ts';
import { count } from '../text/words.ts';
import { type Prepare, preparationFailure, type Recorder } from './preparation.ts';

/** The update of flake.lock as a transaction: what moved, and the way back. */
export type Moved = LockUpdate & {
  /** Also where no input moved, a lock may be written anew. */
  readonly written: boolean;
  /** Puts flake.lock back as it was; does nothing where it was not moved. */
  readonly undo: () => Promise<Result<void>>;
};

export const noMove: Moved = {
  changes: [],
  notAsked: [],
  remark: null,
  written: false,
  undo: async () => ok(undefined),
};

/** Changes that the journal keeps of one update. */
const changesKept = 1_000;

const noteOf = ({ changes, remark }: LockUpdate, moves: 'moved' | 'would move'): string => {
  if (changes.length === 0) return remark ?? 'every input is already the newest';
  const words = `${count(changes.length, 'input')} ${moves}`;
  return remark === null ? words : `${words}; ${remark}`;
};

/** Why flake.lock stays as it was, with what became of putting it back. */
const unwritten = (why: Failure, undone: Result<void>): Failure =>
  undone.ok
    ? why
    : {
        ...why,
        message: `${why.message}; it could not be put back either: ${undone.failure.message}`,
        remedy: `${why.remedy} ${undone.failure.remedy}`,
      };

/**
 * Moves flake.lock: Nix computes it, the record says what is about to be written in place of what, and then it is
 * written. Whenever this process dies, flake.lock is the old one or the recorded one.
 */
export const moveLock = (
  nix: Nix,
  prepare: Prepare,
  record: Recorder,
  inputs: readonly string[] = [],
): Promise<Result<Moved>> =>
  prepare('update', async (options) => {
    const proposed = await nix.proposeUpdate(inputs, options);
    if (!proposed.ok) return proposed;
    const { write, ...update } = proposed.value;
    if (write === null) return ok({ value: { ...noMove, ...update }, note: noteOf(update, 'moved') });
    if (options.signal?.aborted === true) return fail(givenUp);
    const { path, previous, movedHash } = write;
    record({ kind: 'lock-moved', path, previous, movedHash, changes: update.changes.slice(0, changesKept) });
    const undo = async (): Promise<Result<void>> => {
      const restored = await nix.restoreLock({ path, previous, movedHash });
      if (restored.ok) record({ kind: 'lock-restored' });
      return restored;
    };
    const written = await nix.writeLock(write);
    if (!written.ok) return fail(unwritten(written.failure, await undo()));
    return ok({ value: { ...update, written: true, undo }, note: noteOf(update, 'moved') });
  });

/** What an update would move; flake.lock stays as it is. */
export const previewMove = (nix: Nix, prepare: Prepare): Promise<Result<Moved>> =>
  prepare('update', async (options) => {
    const proposed = await nix.proposeUpdate([], options);
    if (!proposed.ok) return proposed;
    const { write: _, ...update } = proposed.value;
    const asItIs = update.changes.length === 0 ? '' : '; the plan is for the lock file as it is';
    return ok({ value: { ...noMove, ...update }, note: `${noteOf(update, 'would move')}${asItIs}` });
  });

const givenUp = preparationFailure(
  'cancelled',
  'update',
  'stopped before flake.lock was moved',
  'run again when you like',
);

const remedy = 'repair the configuration for the new inputs, or run with --no-update';

/** Refuses an update after which a machine can no longer be evaluated, or is not there any more, that could be before it. */
export const evaluationSurvived = (before: Fleet, after: Fleet, names: readonly string[]): Result<void> => {
  const sound = before.machines.map(({ name }) => name).filter((name) => names.includes(name));
  const stays = new Set(after.machines.map(({ name }) => name));
  const whyNot = new Map(after.failed.map(({ name, message }) => [name, message]));
  const broken = sound.filter((name) => !stays.has(name));
  if (broken.length === 0) return ok(undefined);
  return fail(
    preparationFailure(
      'update-breaks-evaluation',
      'evaluate',
      `after the update ${broken.join(', ')} can no longer be evaluated`,
      remedy,
      broken.map((name) => `${name}: ${whyNot.get(name) ?? 'the flake does not describe it any more'}`),
    ),
  );
};

/** Refuses an update after which a machine can no longer be built. */
export const buildSurvived = ({ failed }: BuildReport): Result<void> =>
  failed.length === 0
    ? ok(undefined)
    : fail(
        preparationFailure(
          'update-breaks-build',
          'build',
          `after the update ${failed.map(({ machine }) => machine).join(', ')} can no longer be built`,
          remedy,
          failed.flatMap(({ machine, message, detail }) => [
            `${machine}: ${message}`,
            ...(detail ?? []).slice(-5),
          ]),
        ),
      );
