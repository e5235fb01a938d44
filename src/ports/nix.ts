import type { Failure, Result } from '../failure.ts';
import type { Fleet, Machine } from '../fleet/machine.ts';
import type { BootParts } from './observation.ts';

/** What Nix is asked for. */

/** A difference between the flake, the folder `hosts/` and the host names: worth saying, hindering nothing. */
export type Discrepancy = {
  readonly kind:
    | 'folder-without-configuration'
    | 'configuration-without-folder'
    | 'hostname-differs'
    | 'without-lab-module'
    | 'slow-flake';
  readonly machine: string;
  readonly message: string;
};
export type Evaluation = { readonly fleet: Fleet; readonly discrepancies: readonly Discrepancy[] };

/** One input of the lock file that an update moved. Dates are milliseconds since the epoch. */
export type LockChange = {
  /** Path from the root: `nixpkgs`, `home-manager/nixpkgs`. */
  readonly input: string;
  readonly kind: 'added' | 'removed' | 'updated';
  readonly from: LockedRef | null;
  readonly to: LockedRef | null;
};
export type LockedRef = {
  readonly url: string;
  readonly rev: string | null;
  readonly lastModified: number | null;
};

/** What an update moves. `notAsked`: the flake's own inputs left alone because overridden. `remark`: what the changes alone do not say. */
export type LockUpdate = {
  readonly changes: readonly LockChange[];
  readonly notAsked: readonly string[];
  readonly remark: string | null;
};
/**
 * What is written in place of what: the flake.lock at `path` (absolute; null where an old record does not say), its text
 * before (null: there was none), and the SHA-256 (hex) of its text after (null: there is none).
 */
export type LockMove = {
  readonly path: string | null;
  readonly previous: string | null;
  readonly movedHash: string | null;
};
/** A lock that an update gives, not written yet. */
export type LockWrite = LockMove & {
  readonly path: string;
  readonly text: string;
  readonly movedHash: string;
};
/** What an update would move. `write` is null where nothing moves. */
export type LockProposal = LockUpdate & { readonly write: LockWrite | null };

/** A toplevel that was evaluated, and built unless `parts` is null. */
export type Toplevel = {
  readonly machine: string;
  readonly drvPath: string;
  readonly outPath: string;
  /** What the built toplevel would boot; null while it is not built. */
  readonly parts: BootParts | null;
};
export type BuildReport = { readonly built: readonly Toplevel[]; readonly failed: readonly Failure[] };

/** How much is done of what Nix knows to be needed by now: `all` grows while it finds out. */
export type Amount = {
  readonly of: 'systems' | 'builds' | 'paths' | 'bytes';
  readonly done: number;
  readonly all: number;
};
/** `built`: machines whose system is there since the last time. */
export type Progress = { readonly amounts: readonly Amount[]; readonly built: readonly string[] };
/** `line` says what is going on, `progress` how far it is where that is known. */
export type OnProgress = (line: string, progress?: Progress) => void;
export type NixOptions = { readonly signal?: AbortSignal; readonly onProgress?: OnProgress };
export type Nix = {
  /** The light record of every machine. Fails only when the flake as a whole cannot be listed. */
  evaluate(options: NixOptions): Promise<Result<Evaluation>>;
  /** The lock that an update of all inputs, or those named, gives. Touches nothing. */
  proposeUpdate(inputs: readonly string[], options: NixOptions): Promise<Result<LockProposal>>;
  /**
   * Writes flake.lock: wholly or not at all, also where the process or the power dies. Failure kinds `lock-changed` (it is
   * no longer what the update started from), `lock-read-only`, `lock-no-room`, `lock-file`, `lock-untracked`.
   */
  writeLock(write: LockWrite): Promise<Result<void>>;
  /**
   * Puts the old text back, unless somebody changed the file after it was written (`lock-changed`). Does nothing where it
   * never was, so it may be asked for twice.
   */
  restoreLock(move: LockMove): Promise<Result<void>>;
  /** What flake.lock holds: what it held before the move, what the move writes, or something else. */
  lockHolds(move: LockMove): Promise<Result<'previous' | 'moved' | 'other'>>;
  /** Evaluates the toplevels without building: `parts` stays null where the output is not in the local store. */
  toplevels(machines: readonly string[], options: NixOptions): Promise<BuildReport>;
  /** Builds the toplevels, each as far as it goes. */
  build(machines: readonly string[], options: NixOptions): Promise<BuildReport>;
};

/** A path of a closure; `bytes` are those of its NAR. */
export type ClosurePath = { readonly path: string; readonly bytes: number };
/** Everything that toplevels need at run time. */
export type Closures = {
  /** In the store of the machine `lab` runs on. Failure kind `not-here`: the toplevel is not in it. */
  here(toplevel: string, options: { readonly signal?: AbortSignal }): Promise<Result<readonly ClosurePath[]>>;
  /** In the store of the machine. Failure kind `not-there`: the toplevel is not in it. */
  on(
    machine: Machine,
    toplevel: string,
    options: { readonly signal?: AbortSignal },
  ): Promise<Result<readonly ClosurePath[]>>;
};
