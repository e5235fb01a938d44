import { randomUUID } from 'node:crypto';
import { fail, ok, type Result } from '../failure.ts';
import type { Clock, ExecResult, SshError } from '../ports.ts';
import { type ChannelRun, runChannel } from './channel-run.ts';
import type { Connection, Started } from './connection.ts';
import { disconnected, noChannel, notEnded, notStarted } from './exec-errors.ts';
import type { Limit } from './limit.ts';
import type { SshLimits } from './limits.ts';
import type { Lease } from './pool.ts';
import { announcedLine, asRootArgv, createAnnouncement } from './remote-shell.ts';
import { stopCommand } from './stop.ts';
import { within } from './wait.ts';

export type Command = {
  readonly label: string;
  readonly argv: readonly string[];
  readonly asRoot: boolean;
  readonly stdin: string | undefined;
  readonly outputBytesMax: number;
};

export type ExecDeps = {
  readonly clock: Clock;
  readonly limits: SshLimits;
  /** Another connection to the same machine, for stopping a command when this one grants no channel. */
  readonly another: (signal: AbortSignal) => Promise<Result<Lease, SshError>>;
};

const openTriesMax = 10;
const refusedPauseMs = 100;

type Opening = ReturnType<Connection['openExec']>;
type Opened =
  | { readonly kind: 'started'; readonly started: Started; readonly release: () => void }
  /** The wait is over, and the server may start it yet. */
  | { readonly kind: 'pending'; readonly opening: Opening; readonly release: () => void }
  | { readonly kind: 'none'; readonly error: SshError };

/** Takes a place on the connection and starts `line`. A server that refuses one session too many has told its limit. */
const open = async (
  connection: Connection,
  command: Command,
  line: string,
  limit: Limit,
  { clock, limits }: ExecDeps,
): Promise<Opened> => {
  for (let attempt = 1; ; attempt += 1) {
    const release = await connection.sessions.take(limit.signal);
    if (release === null) return { kind: 'none', error: notStarted(command, limit, limits, false) };
    const opening = connection.openExec(line);
    const deadlineMs = limits.channelDeadlineMs;
    const opened = await within(opening, { clock, deadlineMs, signal: limit.signal });
    if (opened.kind !== 'done') return { kind: 'pending', opening, release };
    if (opened.value.ok) return { kind: 'started', started: opened.value.value, release };
    const problem = opened.value.failure;
    const others = connection.sessions.taken() - 1;
    release();
    if (problem.kind === 'lost' || problem.dispatched || attempt >= openTriesMax)
      return { kind: 'none', error: noChannel(command, problem) };
    // Alone and refused: sshd counts a session until it has buried its process, a moment after it told the exit.
    if (others === 0) await clock.sleep(refusedPauseMs, limit.signal);
    else connection.sessions.shrinkTo(others);
  }
};

/**
 * Runs one command over a leased connection and gives the lease back. When the command is not to go on, it is stopped
 * on the far side before this resolves.
 */
export const execOver = async (
  lease: Lease,
  command: Command,
  limit: Limit,
  deps: ExecDeps,
): Promise<Result<ExecResult, SshError>> => {
  const { connection } = lease;
  const { clock, limits } = deps;
  const nonce = `lab:${randomUUID()}`;
  const announcement = createAnnouncement(nonce);
  const { user } = connection.config;
  const argv = command.asRoot ? asRootArgv(command.argv, user) : command.argv;
  const begin = (started: Started, stop: AbortSignal): ChannelRun =>
    runChannel(started, {
      stdin: command.stdin,
      outputBytesMax: command.outputBytesMax,
      floodBytesMax: limits.outputFloodBytesMax,
      drainMs: limits.drainMs,
      announcement,
      clock,
      stop,
    });
  const halt = ({ channel }: Started): Promise<string | null> =>
    stopCommand({ channel, connection, announcement, asRoot: command.asRoot }, deps);
  /** Stops what started after all; says whether anything may have run. */
  const stopLate = async (opening: Opening): Promise<boolean> => {
    const late = await opening;
    if (!late.ok) return late.failure.dispatched;
    begin(late.value, AbortSignal.abort());
    await halt(late.value);
    return true;
  };

  let giveBack = lease.release;
  try {
    const opened = await open(connection, command, announcedLine(nonce, argv), limit, deps);
    if (opened.kind === 'none') return fail(opened.error);
    const releaseAll = (): void => {
      opened.release();
      lease.release();
    };
    if (opened.kind === 'pending') {
      giveBack = () => undefined;
      const stopped = stopLate(opened.opening).finally(releaseAll);
      const known = await within(stopped, { clock, deadlineMs: limits.killDeadlineMs, signal: undefined });
      return fail(notStarted(command, limit, limits, known.kind === 'done' ? known.value : true));
    }
    giveBack = releaseAll;
    const { started } = opened;
    const run = begin(started, limit.signal);
    const end = await run.ended;
    switch (end.kind) {
      case 'exited':
        started.channel.destroy();
        return ok({
          code: end.code,
          signal: end.signal,
          stdout: run.stdout(),
          stderr: run.stderr(),
          truncated: run.truncated(),
        });
      case 'lost':
        return fail(disconnected(command, connection.lost() ?? 'the server closed the channel', true));
      case 'stopped':
      case 'flood':
        return fail(notEnded(end.kind, command, limit, limits, await halt(started)));
    }
  } finally {
    giveBack();
  }
};
