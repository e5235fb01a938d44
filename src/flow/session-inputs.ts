import type { Result } from '../failure.ts';
import type { LockedRef, LockUpdate, Nix } from '../ports.ts';
import { count } from '../text/words.ts';
import type { Dated } from './session.ts';
import type { SessionStore } from './session-store.ts';

/** The inputs of flake.lock: what they are, what an update would move, and moving them. */

export type LockedInput = { readonly input: string; readonly locked: LockedRef };
export type InputsPreview = Dated<LockUpdate> & {
  /** The inputs asked for; none: all. */
  readonly inputs: readonly string[];
};

export type Inputs = {
  readonly read: () => Promise<void>;
  readonly preview: (inputs: readonly string[]) => Promise<void>;
  readonly update: (inputs: readonly string[]) => Promise<void>;
  /** Resolves when Nix is no longer asked, and flake.lock no longer written. */
  readonly ended: () => Promise<void>;
};

export const createInputs = (
  deps: {
    readonly nix: Pick<Nix, 'proposeUpdate'>;
    /** Moves them, and records it. */
    readonly updateLock: (inputs: readonly string[], stop: AbortSignal) => Promise<Result<LockUpdate>>;
    readonly lockedInputs: () => Promise<Result<readonly LockedInput[]>>;
    readonly now: () => number;
    /** flake.lock was moved: what the flake wants is something else now. */
    readonly onMoved: () => void;
  },
  store: SessionStore,
): Inputs => {
  const { change, say, snapshot, closing } = store;
  let busy = false;
  let last: Promise<unknown> = Promise.resolve();

  const read = async (): Promise<void> => {
    const before = snapshot().inputs;
    change({ inputs: { ...before, refreshing: true } });
    const locked = await deps.lockedInputs();
    change({
      inputs: locked.ok
        ? { value: locked.value, at: deps.now(), refreshing: false, failure: null }
        : { ...before, refreshing: false, failure: locked.failure },
    });
  };

  /** Asks Nix, one thing at a time: two updates at once would write one file. */
  const ask = async (
    inputs: readonly string[],
    question: (inputs: readonly string[]) => Promise<Result<LockUpdate>>,
  ): Promise<LockUpdate | null> => {
    if (busy) {
      say('warning', 'the inputs are being asked already');
      return null;
    }
    busy = true;
    change({ inputsPreview: { inputs, value: null, at: null, refreshing: true, failure: null } });
    const answering = question(inputs).finally(() => {
      busy = false;
    });
    last = answering;
    const answer = await answering;
    if (closing.aborted) return null;
    change({
      inputsPreview: answer.ok
        ? { inputs, value: answer.value, at: deps.now(), refreshing: false, failure: null }
        : { inputs, value: null, at: null, refreshing: false, failure: answer.failure },
    });
    return answer.ok ? answer.value : null;
  };

  return {
    ended: async () => void (await last.catch(() => {})),
    read,
    preview: async (inputs) => {
      await ask(inputs, (wanted) => deps.nix.proposeUpdate(wanted, { signal: closing }));
    },
    update: async (inputs) => {
      const moved = await ask(inputs, (wanted) => deps.updateLock(wanted, closing));
      if (moved === null) return;
      change({ inputsPreview: null });
      say(
        'info',
        moved.changes.length === 0
          ? `flake.lock: ${moved.remark ?? 'every input is already the newest'}`
          : `flake.lock: ${count(moved.changes.length, 'input')} moved; no machine was touched`,
      );
      await read();
      if (moved.changes.length > 0) deps.onMoved();
    },
  };
};
