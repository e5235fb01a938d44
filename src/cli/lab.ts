import type { Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { LabDeps } from '../flow/prepare.ts';
import type { Runs } from '../flow/runs.ts';
import type { Session } from '../flow/session.ts';
import type { Closures, LockUpdate } from '../ports.ts';
import type { DemoTrouble } from './demo-trouble.ts';

/** Options that every command about a flake takes. */
export type LabOptions = {
  /** Folder or flake URL. */
  readonly flake: string;
  /** Handed to Nix: `--override-input NAME URL`. */
  readonly overrideInputs: readonly { readonly name: string; readonly url: string }[];
  /** Handed to Nix: `--option NAME VALUE`. */
  readonly nixOptions: readonly { readonly name: string; readonly value: string }[];
  /** The ssh_config to use instead of the user's own. */
  readonly sshConfig: string | null;
  /** Evaluate anew even where the cache knows. */
  readonly refresh: boolean;
};

export type ReadRuns = Pick<Runs, 'journal' | 'isAlive' | 'whyDied'>;

/** What started a run. */
export type Via = 'cli' | 'timer' | 'daemon';

/** The lab as commands use it; its parts open what they need when they are first used. */
export type Lab = LabDeps & {
  readonly closures: Closures;
  /** Where runs are begun and watched. By the timer and the daemon they are executed in this process. */
  readonly runs: (via: Via) => Result<Runs>;
  /** Moves flake.lock (the inputs named; none: all) and records it. */
  readonly updateLock: (
    inputs: readonly string[],
    by: { readonly via: Via | 'tui'; readonly signal: AbortSignal },
  ) => Promise<Result<LockUpdate>>;
  readonly session: () => Result<Session>;
  readonly sshArgv: (machine: Machine, command: readonly string[]) => readonly string[];
  readonly close: () => Promise<void>;
};

/** What commands need of the process they run in; `main.ts` gives the real one, tests give their own. */
export type Cli = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether a person can be asked. */
  readonly interactive: boolean;
  /** Reads one line, or null when input ended or the signal aborted. */
  readonly ask: (question: string, signal: AbortSignal) => Promise<string | null>;
  /** First Ctrl-C or SIGTERM. */
  readonly stop: AbortSignal;
  /** Second one. */
  readonly abort: AbortSignal;
  /** The terminal is gone: whoever only watches leaves. */
  readonly hangup: AbortSignal;
  /** `cwd`: the folder that its flake is named from; by default the one this process was started in. */
  readonly openLab: (options: LabOptions, cwd?: string) => Promise<Result<Lab>>;
  /** Past runs, to be read of: also where nothing can be written. */
  readonly openJournal: () => Promise<Result<ReadRuns>>;
  /** Runs of the journal, for commands that need no flake. */
  readonly openRuns: () => Promise<Result<Runs>>;
  readonly clock: LabDeps['clock'];
  /** What the clock on the wall shows, ms since the epoch, its steps and all: for what is due by it. */
  readonly wall: () => number;
  readonly version: string;
  /** Runs an interactive program on this terminal and gives its exit code. */
  readonly runInteractive: (argv: readonly string[]) => Promise<number>;
  /** Opens the screen; resolves to the exit code when it is closed. */
  readonly openScreen: (
    options: LabOptions,
    screen: { readonly readonly: boolean; readonly reader: boolean },
  ) => Promise<number>;
  /** Opens the screen over the simulated lab. */
  readonly openDemo: (options: {
    readonly seed: number;
    readonly speed: number;
    readonly trouble: DemoTrouble | null;
    readonly readonly: boolean;
    readonly reader: boolean;
  }) => Promise<number>;
  /** The same over real test hosts, in a checkout. */
  readonly openRealDemo: () => Promise<number>;
  /** Checks the configuration of the screen, or prints its schema or an example; gives the exit code. */
  readonly tellConfig: (what: 'check' | 'schema' | 'example') => Promise<number>;
  readonly setExitCode: (code: number) => void;
};
