/** Every wait and bound of the ssh transport. A caller may lower or raise them one by one. */
export type SshLimits = {
  /** `ssh -G`, which may run `Match exec` commands and ask the name service. */
  readonly configDeadlineMs: number;
  /** `ssh -G` processes at once. */
  readonly configResolversMax: number;
  /** How long what `ssh -G` said holds for other hosts that match the same `Host` lines. */
  readonly configSharedMs: number;
  readonly tcpDeadlineMs: number;
  readonly handshakeDeadlineMs: number;
  readonly authDeadlineMs: number;
  /** From asking for a channel until the server grants it and starts the command. */
  readonly channelDeadlineMs: number;
  readonly agentDeadlineMs: number;
  /** A peer that answers nothing is given up after `keepaliveIntervalMs * (keepaliveMissedMax + 1)`. */
  readonly keepaliveIntervalMs: number;
  readonly keepaliveMissedMax: number;
  readonly handshakesMax: number;
  readonly handshakesPerJumpMax: number;
  /** sshd grants 10 sessions a connection (MaxSessions); two stay free for stopping commands. */
  readonly sessionsPerConnectionMax: number;
  readonly forwardsPerConnectionMax: number;
  /** An unused connection is closed after this. */
  readonly idleMs: number;
  /** Keys offered to one server: sshd ends the connection after 6 failures (MaxAuthTries). */
  readonly authTriesMax: number;
  /** The whole act of stopping a remote command from a second channel. */
  readonly killDeadlineMs: number;
  /** After the command's exit, how long its streams may stay silent before they are given up. */
  readonly drainMs: number;
  readonly outputBytesDefault: number;
  /** Output beyond this is not only dropped: the command is stopped. */
  readonly outputFloodBytesMax: number;
  readonly knownHostsBytesMax: number;
  readonly knownHostsLinesMax: number;
  readonly identityFileBytesMax: number;
};

const mebibyte = 1024 * 1024;

export const sshLimitsDefault: SshLimits = Object.freeze({
  // Twice this (for all, then for one) is less than a connection may take, which would else be blamed on the machine.
  configDeadlineMs: 8_000,
  configResolversMax: 4,
  configSharedMs: 30_000,
  tcpDeadlineMs: 10_000,
  handshakeDeadlineMs: 15_000,
  authDeadlineMs: 20_000,
  channelDeadlineMs: 10_000,
  agentDeadlineMs: 5_000,
  keepaliveIntervalMs: 5_000,
  keepaliveMissedMax: 2,
  handshakesMax: 32,
  handshakesPerJumpMax: 8,
  sessionsPerConnectionMax: 8,
  forwardsPerConnectionMax: 64,
  idleMs: 60_000,
  authTriesMax: 5,
  killDeadlineMs: 6_000,
  drainMs: 2_000,
  outputBytesDefault: mebibyte,
  outputFloodBytesMax: 256 * mebibyte,
  knownHostsBytesMax: 8 * mebibyte,
  knownHostsLinesMax: 50_000,
  identityFileBytesMax: 64 * 1024,
});
