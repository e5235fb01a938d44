import { randomUUID } from 'node:crypto';
import type { ClientChannel } from 'ssh2';
import { fail, ok, type Result } from '../failure.ts';
import type { Clock, ExecResult, SshError } from '../ports.ts';
import { type ChannelRun, runChannel } from './channel-run.ts';
import type { ChannelProblem, Connection } from './connection.ts';
import { cancelled, sshError, timedOut } from './errors.ts';
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
  /** Work that goes on after the answer was given. */
  readonly inBackground: (work: Promise<unknown>) => void;
};

const openTriesMax = 10;
const commandLengthShown = 80;

const shown = ({ argv }: Command): string => {
  const text = argv.join(' ');
  return `\`${text.length > commandLengthShown ? `${text.slice(0, commandLengthShown)}…` : text}\``;
};

const disconnected = ({ label }: Command, why: string, dispatched: boolean): SshError =>
  sshError({
    kind: 'disconnected',
    host: label,
    phase: dispatched ? 'exec' : 'channel',
    dispatched,
    message: dispatched
      ? `the connection to ${label} was lost while a command ran there: ${why}`
      : `the connection to ${label} was lost before the command was sent: ${why}`,
    remedy: dispatched
      ? 'Nobody knows how the command ended: look at the machine before it is done again.'
      : 'Nothing has run; try again.',
  });

const noChannel = (command: Command, problem: ChannelProblem): SshError =>
  problem.kind === 'lost'
    ? disconnected(command, problem.message, problem.dispatched)
    : sshError({
        kind: 'channel',
        host: command.label,
        phase: 'channel',
        dispatched: problem.dispatched,
        message: `${command.label} starts no command: ${problem.message}`,
        remedy: 'Look at sshd on the machine: MaxSessions, ForceCommand, and the shell of the login user.',
      });

const gaveUp = (command: Command, limit: Limit, deps: ExecDeps, dispatched: boolean): SshError =>
  limit.why() === 'cancelled'
    ? cancelled(command.label, 'channel', dispatched)
    : timedOut(
        command.label,
        'channel',
        Math.min(limit.deadlineMs, deps.limits.channelDeadlineMs),
        `${command.label} did not start ${shown(command)}`,
        dispatched,
      );

type Opened = { readonly channel: ClientChannel; readonly release: () => void };

/**
 * Takes a place on the connection and starts `line`. A server that refuses one session too many has told its limit.
 * `onLate` gets what may still start after the wait for it was over, and its place.
 */
const open = async (
  connection: Connection,
  command: Command,
  line: string,
  limit: Limit,
  deps: ExecDeps,
  onLate: (opening: ReturnType<Connection['openExec']>, release: () => void) => void,
): Promise<Result<Opened, SshError>> => {
  for (let attempt = 1; ; attempt += 1) {
    const release = await connection.sessions.take(limit.signal);
    if (release === null) return fail(gaveUp(command, limit, deps, false));
    const opening = connection.openExec(line);
    const opened = await within(opening, {
      clock: deps.clock,
      deadlineMs: deps.limits.channelDeadlineMs,
      signal: limit.signal,
    });
    if (opened.kind !== 'done') {
      onLate(opening, release);
      return fail(gaveUp(command, limit, deps, true));
    }
    if (opened.value.ok) return ok({ channel: opened.value.value, release });
    const problem = opened.value.failure;
    const others = connection.sessions.taken() - 1;
    release();
    if (problem.kind === 'lost' || problem.dispatched || others === 0 || attempt >= openTriesMax)
      return fail(noChannel(command, problem));
    connection.sessions.shrinkTo(others);
  }
};

const stoppedError = (
  kind: 'stopped' | 'flood',
  command: Command,
  limit: Limit,
  deps: ExecDeps,
  stillRuns: string | null,
): SshError => {
  const { label } = command;
  const after = stillRuns === null ? 'it was stopped' : `it may still run there: ${stillRuns}`;
  if (kind === 'flood')
    return sshError({
      kind: 'output-limit',
      host: label,
      phase: 'exec',
      dispatched: true,
      message: `${shown(command)} on ${label} printed more than ${deps.limits.outputFloodBytesMax} bytes; ${after}`,
      remedy: 'Make the command print less, or look at the machine.',
    });
  if (limit.why() === 'cancelled') {
    const error = cancelled(label, 'exec', true);
    return stillRuns === null
      ? error
      : { ...error, message: `${error.message}; ${shown(command)}: ${after}` };
  }
  const error = timedOut(label, 'exec', limit.deadlineMs, `${shown(command)} on ${label} did not end`, true);
  return { ...error, message: `${error.message}; ${after}` };
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
  const begin = (channel: ClientChannel, stop: AbortSignal): ChannelRun =>
    runChannel(channel, {
      stdin: command.stdin,
      outputBytesMax: command.outputBytesMax,
      floodBytesMax: limits.outputFloodBytesMax,
      drainMs: limits.drainMs,
      announcement,
      clock,
      stop,
    });
  const halt = (channel: ClientChannel): Promise<string | null> =>
    stopCommand({ channel, connection, announcement, asRoot: command.asRoot }, deps);

  let giveBack: (() => void) | null = lease.release;
  try {
    const opened = await open(
      connection,
      command,
      announcedLine(nonce, argv),
      limit,
      deps,
      (opening, release) => {
        giveBack = null;
        const ended = opening
          .then((late) => {
            if (!late.ok) return null;
            begin(late.value, AbortSignal.abort());
            return halt(late.value);
          })
          .finally(() => {
            release();
            lease.release();
          });
        // A server that never answers is not waited for at the end of the program.
        deps.inBackground(within(ended, { clock, deadlineMs: limits.killDeadlineMs, signal: undefined }));
      },
    );
    if (!opened.ok) return opened;
    const { channel, release } = opened.value;
    giveBack = () => {
      release();
      lease.release();
    };
    const run = begin(channel, limit.signal);
    const end = await run.ended;
    switch (end.kind) {
      case 'exited':
        channel.destroy();
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
        return fail(stoppedError(end.kind, command, limit, deps, await halt(channel)));
    }
  } finally {
    giveBack?.();
  }
};
