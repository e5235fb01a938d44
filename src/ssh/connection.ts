import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { fail, ok, type Result } from '../failure.ts';
import { channelStream } from './channel-stream.ts';
import type { SshConfig } from './config.ts';
import { messageOf } from './errors.ts';
import type { SshLimits } from './limits.ts';
import { createSlots, type Slots } from './slots.ts';

/** Why no channel came of a request. */
export type ChannelProblem = {
  /** refused: the server said no · lost: the connection ended meanwhile. */
  readonly kind: 'refused' | 'lost';
  /** RFC 4254 section 5.1: 1 prohibited, 2 connect failed, 3 unknown type, 4 resource shortage; null when not told. */
  readonly reason: number | null;
  readonly message: string;
  /** Whether the command may have been started all the same. */
  readonly dispatched: boolean;
};

/** What a command ended with, as the server told it. */
export type Exit = { readonly code: number | null; readonly signal: string | null };

/** A command that the server has started. */
export type Started = {
  readonly channel: ClientChannel;
  /** Null while it has not been told. */
  exit(): Exit | null;
  /** Calls back once, at once if it has been told already. */
  onExit(listener: () => void): void;
};

/** To be called as soon as the channel is there: a short command's exit arrives in the same packet as its start. */
const watchExit = (channel: ClientChannel): Started => {
  let exit: Exit | null = null;
  channel.once('exit', (code: number | null, signal?: string) => {
    exit = { code, signal: code === null ? (signal ?? null) : null };
  });
  return {
    channel,
    exit: () => exit,
    onExit: (listener) => {
      if (exit === null) channel.once('exit', listener);
      else listener();
    },
  };
};

/** One authenticated connection. It bounds its own channels; who opens one takes a place first. */
export type Connection = {
  readonly config: SshConfig;
  readonly sessions: Slots;
  /** Sessions kept free for stopping commands. */
  readonly spareSessions: Slots;
  readonly forwards: Slots;
  /** Handshakes of others on their way through this one. */
  readonly handshakes: Slots;
  /** Why it ended, or null while it lives. */
  lost(): string | null;
  /** Resolves when it has ended, whoever ended it. */
  readonly closed: Promise<void>;
  /** Starts a command line; resolves when the server says it has. */
  openExec(line: string): Promise<Result<Started, ChannelProblem>>;
  /** Opens a TCP connection from the machine to host:port. */
  openForward(host: string, port: number): Promise<Result<Duplex, ChannelProblem>>;
  destroy(): void;
};

const spareSessionsMax = 2;

const reasonOf = (error: Error): number | null =>
  'reason' in error && typeof error.reason === 'number' ? error.reason : null;

/** Takes over a client that is ready, and the stream under it: ending a dead peer needs the stream. */
export const createConnection = (
  client: Client,
  sock: Duplex,
  config: SshConfig,
  limits: SshLimits,
): Connection => {
  let lost: string | null = null;
  const { promise: closed, resolve: markClosed } = Promise.withResolvers<void>();
  client.on('error', (error: Error) => {
    lost ??= error.message;
  });
  const streams = new Set<Duplex>();
  const end = (): void => {
    lost ??= 'the connection was closed';
    // A channel with unread data would never tell its stream.
    for (const stream of streams) stream.destroy(new Error(`the ssh connection was lost: ${lost}`));
    markClosed();
  };
  client.once('close', end);
  if (sock.destroyed) end();
  const streamOf = (channel: ClientChannel): Duplex => {
    const stream = channelStream(channel);
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    return stream;
  };

  const problemOf = (error: unknown): ChannelProblem => {
    const message = messageOf(error);
    const reason = error instanceof Error ? reasonOf(error) : null;
    // ssh2 says `Unable to exec` once the channel stood and the command was sent; before that nothing has run.
    const dispatched = message === 'Unable to exec';
    const kind = lost !== null || message === 'Not connected' ? 'lost' : 'refused';
    return { kind, reason, message: kind === 'lost' ? (lost ?? message) : message, dispatched };
  };

  return {
    config,
    sessions: createSlots(limits.sessionsPerConnectionMax),
    spareSessions: createSlots(spareSessionsMax),
    forwards: createSlots(limits.forwardsPerConnectionMax),
    handshakes: createSlots(limits.handshakesPerJumpMax),
    lost: () => lost,
    closed,
    openExec: (line) =>
      new Promise((resolve) => {
        try {
          client.exec(line, (error, channel) =>
            resolve(error === undefined || error === null ? ok(watchExit(channel)) : fail(problemOf(error))),
          );
        } catch (error) {
          resolve(fail(problemOf(error)));
        }
      }),
    openForward: (host, port) =>
      new Promise((resolve) => {
        try {
          client.forwardOut('127.0.0.1', 0, host, port, (error, channel) =>
            resolve(error === undefined || error === null ? ok(streamOf(channel)) : fail(problemOf(error))),
          );
        } catch (error) {
          resolve(fail(problemOf(error)));
        }
      }),
    destroy: () => {
      lost ??= 'lab closed the connection';
      sock.destroy();
    },
  };
};
