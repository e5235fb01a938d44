import { fail, ok, type Result } from '../failure.ts';
import type { Fleet } from '../fleet/machine.ts';
import type { BuildReport, LockChange, Nix } from '../ports.ts';
import { count } from '../text/words.ts';
import { type Prepare, preparationFailure, type Recorder } from './preparation.ts';

/** The update of flake.lock as a transaction: what moved, and the way back. */
export type LockMove = {
  readonly changes: readonly LockChange[];
  /** What the changes alone do not say (`LockUpdate`). */
  readonly remark: string | null;
  /** Puts flake.lock back as it was; does nothing where it was not moved. */
  readonly undo: () => Promise<Result<void>>;
};

export const noMove: LockMove = { changes: [], remark: null, undo: async () => ok(undefined) };

const withRemark = (note: string, remark: string | null): string =>
  remark === null ? note : `${note}; ${remark}`;

/** Moves flake.lock and records how, so that even another process could put it back. */
export const moveLock = (nix: Nix, prepare: Prepare, record: Recorder): Promise<Result<LockMove>> =>
  prepare('update', async (options) => {
    const moved = await nix.update([], options);
    if (!moved.ok) return moved;
    const { changes, remark, previous, movedHash } = moved.value;
    if (changes.length === 0) {
      return ok({ value: { ...noMove, remark }, note: remark ?? 'every input is already the newest' });
    }
    record({ kind: 'lock-moved', changes, previous, movedHash });
    const undo = async (): Promise<Result<void>> => {
      const restored = await nix.restoreLock(previous, movedHash);
      if (restored.ok) record({ kind: 'lock-restored' });
      return restored;
    };
    return ok({
      value: { changes, remark, undo },
      note: withRemark(`${count(changes.length, 'input')} moved`, remark),
    });
  });

/** What an update would move; flake.lock stays as it is. */
export const previewMove = (nix: Nix, prepare: Prepare): Promise<Result<LockMove>> =>
  prepare('update', async (options) => {
    const preview = await nix.previewUpdate([], options);
    if (!preview.ok) return preview;
    const { changes, remark } = preview.value;
    const note =
      changes.length === 0
        ? (remark ?? 'every input is already the newest')
        : withRemark(
            `${count(changes.length, 'input')} would move; the plan is for the lock file as it is`,
            remark,
          );
    return ok({ value: { ...noMove, changes, remark }, note });
  });

const remedy = 'repair the configuration for the new inputs, or run with --no-update';

/** Refuses an update after which a machine can no longer be evaluated that could be before it. */
export const evaluationSurvived = (before: Fleet, after: Fleet, names: readonly string[]): Result<void> => {
  const sound = new Set(before.machines.map(({ name }) => name));
  const broken = after.failed.filter(({ name }) => sound.has(name) && names.includes(name));
  if (broken.length === 0) return ok(undefined);
  return fail(
    preparationFailure(
      'update-breaks-evaluation',
      'evaluate',
      `after the update ${broken.map(({ name }) => name).join(', ')} can no longer be evaluated`,
      remedy,
      broken.map(({ name, message }) => `${name}: ${message}`),
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
