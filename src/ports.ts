import type { Duplex } from 'node:stream';
import type { Failure, Result } from './failure.ts';
import type { Fleet, HealthCheck, Machine } from './fleet/machine.ts';

/**
 * The seams between the pure core and the world, in domain verbs. The real adapters and the simulated world
 * implement the same ports, so the production engine runs over both. No port method rejects for an expected
 * failure: it resolves to a tagged value. Every method takes a signal and ends soon after it aborts.
 */

/** Milliseconds, and waiting. */
export type Clock = {
  /** Since the epoch, by the wall: for what is written down, and never for a wait. Somebody may set it. */
  now(): number;
  /** Whole ones since some moment before: for waits and deadlines. It goes on steadily, and stands while the machine is suspended or this process stopped. */
  elapsed(): number;
  /** Of the time that passed, what `elapsed` has not counted. It only grows. Absent: nothing is. */
  stood?(): number;
  /** Resolves after `ms`, or at once when the signal aborts (never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

// ── one connection to one machine ────────────────────────────────────────────────────────────────────────────

/** Why a connection or a command over it failed. A remote exit code or signal is a result, not an error. */
export type SshError = {
  readonly kind:
    | 'unreachable' // refused, reset, no route, name not found
    | 'timeout' // `phase` says which wait ran out
    | 'protocol'
    | 'hostkey-mismatch'
    | 'hostkey-unknown'
    | 'hostkey-revoked'
    | 'hostkey-ca-only'
    | 'auth'
    | 'config' // ssh_config could not be resolved
    | 'cancelled'
    | 'channel' // the server refused to open one
    | 'disconnected' // lost midway; `dispatched` says whether the command may have run
    | 'output-limit';
  readonly host: string;
  readonly phase: 'config' | 'tcp' | 'handshake' | 'auth' | 'channel' | 'exec' | 'dial';
  /** Whether trying again later can help. */
  readonly retryable: boolean;
  readonly dispatched: boolean;
  /** One sentence, sanitised. */
  readonly message: string;
  readonly remedy: string;
};

export type ExecOptions = {
  /** Hard limit for the whole command, milliseconds. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** Written to stdin, then EOF. */
  readonly stdin?: string;
  /** Bound on stdout and stderr each; the rest is dropped and `truncated` set. Default 1 MiB. */
  readonly outputBytesMax?: number;
  /** Safe to run twice: a transport may retry it after a lost connection. */
  readonly idempotent?: boolean;
  /** Run as root: through `sudo -n` unless the login user is root. */
  readonly asRoot?: boolean;
};

export type ExecResult = {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
};

/** A way to run commands on a machine and to open TCP connections as seen from it. */
export type Remote = {
  exec(
    machine: Machine,
    argv: readonly string[],
    options: ExecOptions,
  ): Promise<Result<ExecResult, SshError>>;
  /**
   * A byte stream to host:port as the machine sees it (`localhost` is the machine's own). An error of phase `dial` is
   * the answer of host:port, refused or silent; of any other phase, it was never asked.
   */
  dial(
    machine: Machine,
    host: string,
    port: number,
    options: { readonly deadlineMs: number; readonly signal?: AbortSignal },
  ): Promise<Result<Duplex, SshError>>;
  /** Drops the pooled connection, so that the next command proves a new one. */
  forget(machine: Machine): void;
  close(): Promise<void>;
};

// ── what is seen ─────────────────────────────────────────────────────────────────────────────────────────────

/** The parts of a toplevel that only a reboot changes: what each link resolves to (params: the text itself). */
export type BootParts = {
  readonly kernel: string | null;
  readonly initrd: string | null;
  readonly modules: string | null;
  readonly params: string | null;
  readonly systemd: string | null;
};

/** `unknown` where the output of `systemctl is-system-running` was none of systemd's words; `offline` where PID 1 is no systemd. */
export const systemStates = [
  'initializing',
  'starting',
  'running',
  'degraded',
  'maintenance',
  'stopping',
  'offline',
  'unknown',
] as const;
export type SystemState = (typeof systemStates)[number];

/** Dated facts about one machine. `at` is milliseconds since the epoch. */
export type Observation =
  | {
      readonly kind: 'reachable';
      readonly machine: string;
      readonly at: number;
      readonly bootId: string;
      /** What its kernel calls it; null or absent where it does not say. */
      readonly hostName?: string | null;
      readonly uptimeSeconds: number;
      readonly state: SystemState;
      /** Those that failed, and those that fail and are started again for ever, which systemd itself does not call failed. */
      readonly failedUnits: readonly string[];
      /** What /run/booted-system, /run/current-system and the system profile resolve to. */
      readonly booted: string | null;
      readonly current: string | null;
      readonly profile: string | null;
      /** Number of the profile's generation. */
      readonly generation: number | null;
      readonly kernelRelease: string | null;
      readonly nixosVersion: string | null;
      readonly bootedParts: BootParts;
      /** The same parts of what the system profile names: what the next boot would bring. */
      readonly profileParts: BootParts;
    }
  | { readonly kind: 'unreachable'; readonly machine: string; readonly at: number; readonly error: SshError };
export type Reachable = Extract<Observation, { kind: 'reachable' }>;

/** One numbered entry of a machine's system profile. */
export type Generation = {
  readonly number: number;
  readonly toplevel: string;
  /** When it was made, milliseconds since the epoch, or null. */
  readonly at: number | null;
  /** The profile leads to this number: the boot default. */
  readonly isDefault: boolean;
  /** Its toplevel runs; and was booted. Two numbers may hold one toplevel. */
  readonly isCurrent: boolean;
  readonly isBooted: boolean;
  readonly nixosVersion: string | null;
  /** What it would boot. */
  readonly parts: BootParts;
};

/** Somebody who is logged in at a terminal or a screen. Milliseconds; null where it is not known. */
export type Login = {
  readonly user: string;
  /** `pts/0`, `tty1`, `seat0`. */
  readonly on: string;
  /** Where from, over the network. */
  readonly from: string | null;
  /** Since the epoch. */
  readonly since: number | null;
  /** For how long nobody has done anything at it. */
  readonly idleMs: number | null;
  /** The login in which `lab` itself runs, or by which it came. */
  readonly own: boolean;
};

export type PreflightFacts = {
  readonly root: boolean;
  /** Why root is not to be had, or null. */
  readonly rootProblem: string | null;
  /** Free bytes where /nix/store lies, and of /boot; null where they could not be read or /boot is no file system of its own. */
  readonly nixFreeBytes: number | null;
  readonly bootFreeBytes: number | null;
  /** systemd shutdown inhibitors in mode `block`: `who: why`. */
  readonly inhibitors: readonly string[];
  /** Why it is not known whether there are more of them, or null. */
  readonly inhibitorsUnknown: string | null;
  readonly logins: readonly Login[];
  readonly loginsUnknown: string | null;
  /** Users as whom, and on whose behalf, the machine was asked. */
  readonly askedBy: readonly string[];
  /** What is being activated at this moment, as far as it has a name; null when nothing is. */
  readonly activating: readonly string[] | null;
};

// ── health ───────────────────────────────────────────────────────────────────────────────────────────────────

export type CheckReading = {
  /** Its label for people: the check's name, or its kind and aim. */
  readonly check: string;
  readonly type: HealthCheck['type'];
  readonly verdict: 'passed' | 'failed' | 'unknown';
  /** What was seen: `HTTP 200`, `connection refused`, `exit 1: …`. */
  readonly evidence: string;
  readonly tries: number;
  readonly ms: number;
};
/** healthy: all pass and systemd is running · degraded: checks pass, units failed · unhealthy: a check fails · unknown: could not tell. */
export type HealthVerdict = 'healthy' | 'degraded' | 'unhealthy' | 'unknown';
export type HealthReport = {
  readonly machine: string;
  readonly at: number;
  readonly verdict: HealthVerdict;
  readonly state: SystemState;
  readonly failedUnits: readonly string[];
  readonly readings: readonly CheckReading[];
  /** One line that gives the reason of the verdict. */
  readonly summary: string;
  /** What to do about a machine that could not be reached. */
  readonly remedy?: string;
};

// ── acting on a machine ──────────────────────────────────────────────────────────────────────────────────────

/** Who acts on machines: a run, the person and host it belongs to, and how long its lease lasts unless it is renewed. */
export type Claim = { readonly run: string; readonly owner: string; readonly ttlMs: number };
/**
 * The latest lease of a machine, as the machine tells it. `expired`: nobody has renewed it for too long · `broken`: a
 * person took it away, and is its owner now · `unreadable`: the record of it is damaged. `leftMs` is 0 unless it is held.
 */
export type Lease = Pick<Claim, 'run' | 'owner'> & {
  readonly state: 'held' | 'expired' | 'released' | 'broken' | 'unreadable';
  readonly leftMs: number;
};
/**
 * take: for a run that begins; what is free, expired, released or broken becomes its own · renew: only while nobody else
 * has had it since · release: give it back · look: nothing · break: take it away from the run that the claim names.
 */
export type LeaseRequest = {
  readonly ask: 'take' | 'renew' | 'release' | 'look' | 'break';
  readonly claim: Claim;
  readonly deadlineMs: number;
};
/** `by`: whose it is, or was last. `unknown`: the machine did not say; `error` where it was not reached. */
export type LeaseAnswer =
  | { readonly kind: 'held' }
  | { readonly kind: 'free'; readonly last: Lease | null }
  | { readonly kind: 'taken'; readonly by: Lease }
  | { readonly kind: 'unknown'; readonly message: string; readonly error: SshError | null };
/** What becomes of an act on a machine whose lease somebody else has, or has had since: nothing was done. */
export type Fenced = { readonly kind: 'fenced'; readonly by: Lease };

export type ActivationMode = 'switch' | 'boot' | 'test' | 'dry-activate';
export type ActivateRequest = {
  readonly claim: Claim;
  readonly toplevel: string;
  readonly mode: ActivationMode;
  /** The number in the system profile that becomes the boot default, if it holds the toplevel; else a new one is made. */
  readonly generation?: number;
  /** Name of the transient unit: derived from run and step, so a repeat finds the first one. */
  readonly unit: string;
  readonly deadlineMs: number;
  /** Only for `switch` and `test`: the machine watches over the activation itself. */
  readonly supervision?: Supervision;
};
/**
 * A supervised activation goes live without becoming the boot default, and returns by itself to what ran before unless
 * it is confirmed. A confirmed `switch` becomes the boot default then.
 */
export type Supervision = {
  /** Counted on the machine, from the end of the activation or from when its end was last read. Milliseconds. */
  readonly confirmWithinMs: number;
  /** Where to return when the toplevel runs, or would boot, already: what an earlier attempt had found. */
  readonly recorded: { readonly current: string | null; readonly profile: string | null };
};
/**
 * live: exit 0 · live-units-failed: exit 4, the new generation is live · needs-reboot: exit 100, the boot entry is
 * written · refused: exit 1 or 2 or any other, with the phase it died in · unknown: the outcome could not be learnt.
 */
export type ActivateOutcome =
  | { readonly kind: 'live' }
  | { readonly kind: 'live-units-failed'; readonly units: readonly string[]; readonly log: readonly string[] }
  /** `inhibited`: it was not even tried, for a switch inhibitor of the new generation forbids it. */
  | { readonly kind: 'needs-reboot'; readonly inhibited?: true; readonly log: readonly string[] }
  | {
      readonly kind: 'refused';
      readonly code: number | null;
      readonly message: string;
      readonly log: readonly string[];
      /** It had been live, and its supervisor took it back: it may be asked for anew. */
      readonly returned?: true;
      /** The toplevel is not on the machine, so nothing was begun. */
      readonly missing?: true;
      /** Nothing was begun, for its unit never started. */
      readonly notStarted?: true;
    }
  | Fenced
  | { readonly kind: 'unknown'; readonly message: string };

/** What is said to the supervisor of an activation. The first word counts: what comes later changes nothing. */
export type Verdict = 'confirm' | 'restore';
/**
 * confirmed: it stays, and a `switch` is the boot default · restored: it runs again what it ran before, asked to or by
 * itself · stuck: it tried to return and could not · gone: nobody watches over it, since it was rebooted or never was ·
 * unknown: the machine did not say.
 */
export type SettleOutcome =
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'restored'; readonly why: 'asked' | 'unconfirmed' | 'refused' | 'no-boot-default' }
  | { readonly kind: 'stuck'; readonly message: string }
  | { readonly kind: 'gone' }
  | Fenced
  | { readonly kind: 'unknown'; readonly message: string };

/** `already-rebooted`: the boot id on the machine is no longer the one named, so nothing was triggered. */
export type TriggerOutcome =
  | { readonly kind: 'triggered' }
  | { readonly kind: 'probably-triggered'; readonly message: string }
  | { readonly kind: 'already-rebooted'; readonly bootId: string }
  | Fenced
  /** `unreached`: the command never went out, so nothing came of it. */
  | { readonly kind: 'refused'; readonly message: string; readonly unreached?: true };

/** What `lab` does to and asks of machines. Every act carries a claim, and the machine refuses it to who has lost the lease. */
export type Target = {
  /** Asks for the lease of the machine, or about it. */
  lease(machine: Machine, request: LeaseRequest, options: { signal?: AbortSignal }): Promise<LeaseAnswer>;
  observe(
    machine: Machine,
    options: { deadlineMs: number; signal?: AbortSignal; fresh?: boolean },
  ): Promise<Observation>;
  preflight(
    machine: Machine,
    options: { deadlineMs: number; signal?: AbortSignal },
  ): Promise<Result<PreflightFacts>>;
  health(machine: Machine, options: { deadlineMs: number; signal?: AbortSignal }): Promise<HealthReport>;
  /** The generations of its system profile that are there, the newest first: a bounded number, and `number` if given. */
  generations(
    machine: Machine,
    options: { deadlineMs: number; signal?: AbortSignal; number?: number },
  ): Promise<Result<readonly Generation[]>>;
  /** Failures of the kinds `unreachable` and `connection-lost` may pass by themselves; copying again is safe. */
  copy(
    machine: Machine,
    toplevel: string,
    options: { deadlineMs: number; signal?: AbortSignal; onProgress?: (line: string) => void },
  ): Promise<Result<void>>;
  activate(
    machine: Machine,
    request: ActivateRequest,
    options: { signal?: AbortSignal; onProgress?: (line: string) => void },
  ): Promise<ActivateOutcome>;
  /** Ends the supervision of an activation, over a connection made for it, and says what came of it. */
  settle(
    machine: Machine,
    request: {
      readonly claim: Claim;
      readonly unit: string;
      readonly verdict: Verdict;
      readonly deadlineMs: number;
    },
    options: { signal?: AbortSignal },
  ): Promise<SettleOutcome>;
  /** Reboots the machine only if its boot id still is `bootId`. */
  triggerReboot(
    machine: Machine,
    request: { claim: Claim; bootId: string; unit: string; deadlineMs: number },
    options: { signal?: AbortSignal },
  ): Promise<TriggerOutcome>;
};

// ── Nix ──────────────────────────────────────────────────────────────────────────────────────────────────────

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
