import { type Failure, fail, ok, type Result } from '../failure.ts';
import type { LockUpdate } from '../ports.ts';
import type { RunId } from '../run/event.ts';
import {
  awaitedBeforeLock,
  type ConductDeps,
  type Hosting,
  newRunId,
  openRecord,
  underLock,
} from './conduct.ts';
import { closeLeftover, leftoverIn } from './leftover.ts';
import { createPreparations } from './preparation.ts';
import { moveLock } from './update-lock.ts';

/**
 * An update of flake.lock alone, as `lab update` and the screen make it: a run without machines, so that it has its
 * record, and waits for none that is under way.
 */

const leftUnfinished = (run: RunId): Failure => ({
  kind: 'left-unfinished',
  machine: null,
  phase: 'run',
  message: `run ${run} was left unfinished: its process died`,
  remedy:
    '`lab resume` goes on with it, with the flake.lock it was approved for; `lab run --yes` begins in its place',
});

/** Moves the inputs named (none: all), under the lock. Failure kinds of `Nix`, `locked`, `left-unfinished`, `journal`. */
export const conductUpdate = (
  deps: ConductDeps,
  inputs: readonly string[],
  hosting: Hosting,
): Promise<Result<LockUpdate>> => {
  const goesOn = awaitedBeforeLock(deps);
  if (goesOn !== null) return Promise.resolve(fail(goesOn));
  const run = newRunId(deps.clock.now());
  return underLock(deps, run, hosting, async (controls) => {
    const left = leftoverIn(deps.journal);
    // Somebody may want to go on with what was approved; nobody can with the rest.
    if (left !== null && left.approvedAt !== null) return fail(leftUnfinished(left.run));
    await closeLeftover(deps, `run ${run} began after it`);
    const { append, end } = openRecord(deps, run, null, hosting.onEvent);
    const { flake, by, labVersion, opened } = deps;
    append({
      kind: 'run-started',
      goal: { kind: 'update', inputs },
      flake,
      selectors: [],
      by,
      labVersion,
      opened,
    });
    const early = AbortSignal.any([controls.stop, controls.abort]);
    const moved = await moveLock(deps.nix, createPreparations(append, deps.clock, early), append, inputs);
    if (!moved.ok) {
      const { failure } = moved;
      end(failure.kind === 'cancelled' ? 'interrupted' : 'failed', failure.message, failure);
      return moved;
    }
    const { changes, notAsked, remark } = moved.value;
    end('done', changes.length === 0 ? 'nothing moved' : 'no machine was touched', null);
    return ok({ changes, notAsked, remark });
  });
};
