import type { Duplex } from 'node:stream';
import type { Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';

/** One connection to one machine. */

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
