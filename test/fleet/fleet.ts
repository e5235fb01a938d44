import type { ProcessResult } from '../../src/process/run.ts';
import type { FaultKind } from './fault.ts';
import type { FleetEvent } from './history.ts';

export type TestHost = {
  readonly name: string;
  /** As the orchestrator reaches it. */
  readonly address: string;
  readonly port: number;
  /** Public key as known_hosts writes it: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
};

export type RunOptions = {
  /** Milliseconds; one minute unless told. */
  readonly deadlineMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  readonly onStdoutLine?: (line: string) => void;
  readonly onStderrLine?: (line: string) => void;
};
export type ExecOptions = { readonly deadlineMs?: number; readonly stdin?: string };

/** A fleet of hosts for tests. Methods reject when the fleet itself fails, never for a non-zero exit of a command. */
export type TestFleet = {
  /** `namespaces`: real systemd, sshd and Nix stores. `in-process`: ssh servers in this process that only play hosts. */
  readonly kind: 'namespaces' | 'in-process';
  readonly directory: string;
  readonly hosts: readonly TestHost[];
  /** An ssh_config for all hosts: address, port, user root, identity and known_hosts, strictly checked. */
  readonly sshConfigPath: string;
  /** Lets in as `root`, and as `lab`, who has sudo without a password. */
  readonly identityFile: string;
  readonly knownHostsPath: string;
  /** What `run` adds to the environment: a home of the fleet's own, and Nix without network. */
  readonly environment: Readonly<Record<string, string>>;
  /** The argv that runs `argv` where the fleet's orchestrator stands, for those who start it themselves. */
  asOrchestrator(argv: readonly string[]): readonly string[];
  /** Runs a command as the orchestrator: it reaches the hosts, and has a Nix store of the fleet's own. */
  run(argv: readonly string[], options?: RunOptions): Promise<ProcessResult>;
  /** Runs a command as root inside a host, not over ssh. */
  exec(host: string, argv: readonly string[], options?: ExecOptions): Promise<ProcessResult>;
  /** Breaks a host in one way; see `faultDetails` for what each detail means. */
  fault(host: string, kind: FaultKind, detail?: string | number): Promise<void>;
  /** Mends one host or all, and powers on what was off. */
  clearFaults(host?: string): Promise<void>;
  /** Reboots a host from inside and waits until it is up again. */
  reboot(host: string): Promise<void>;
  /** Resolves when the host's systemd says `running` or `degraded`; rejects, with what it said, after the deadline. */
  waitUntilUp(host: string, options?: { readonly deadlineMs?: number }): Promise<void>;
  /** Copies a toplevel from the orchestrator's store and makes it the host's system profile. It runs after a reboot. */
  installToplevel(host: string, toplevel: string): Promise<void>;
  history(): Promise<readonly FleetEvent[]>;
  /** How often the host has booted, the first time included. */
  boots(host: string): Promise<number>;
  rebootOrder(): Promise<readonly string[]>;
  /** Ends every host and removes all that the fleet put on this machine. */
  down(): Promise<void>;
};

export type FleetOptions = {
  /** At most 200 hosts by their lower-case names; without an address of its own each gets the next of 10.77.0.0/16. */
  readonly hosts: readonly (string | { readonly name: string; readonly address: string })[];
  /**
   * Directories of this machine that hosts see, read-only, at the same place: the checkout, for one. A relative path is
   * one in the fleet's own directory.
   */
  readonly shares?: readonly string[];
  /**
   * True: each host comes with a system of its own, generation 1 of its profile, booted and running: an empty one with
   * an older kernel than a flake on the stand-in gives. False (the default): with none, so that nothing can be planned.
   */
  readonly factory?: boolean;
  /** How long all hosts together may take to come up, milliseconds. */
  readonly deadlineMs?: number;
};
