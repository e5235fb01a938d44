import type { ClientChannel } from 'ssh2';
import type { Result } from '../failure.ts';
import type { Clock, SshError } from '../ports.ts';
import { runChannel } from './channel-run.ts';
import type { Connection } from './connection.ts';
import { startLimit } from './limit.ts';
import type { SshLimits } from './limits.ts';
import type { Lease } from './pool.ts';
import { type Announcement, createAnnouncement, stopLine } from './remote-shell.ts';
import { within } from './wait.ts';

export type Running = {
  readonly channel: ClientChannel;
  readonly connection: Connection;
  readonly announcement: Announcement;
  readonly asRoot: boolean;
};

export type StopDeps = {
  readonly clock: Clock;
  readonly limits: SshLimits;
  readonly another: (signal: AbortSignal) => Promise<Result<Lease, SshError>>;
};

/** How long a command that was only just started gets to say which session it is. */
const announcementWaitMs = 1_000;
const answerBytesMax = 4_096;

/** Runs the stop line over one connection. Null: nothing is left; otherwise why that is not sure. */
const runStop = async (
  connection: Connection,
  line: string,
  signal: AbortSignal,
  deps: StopDeps,
): Promise<{ readonly opened: boolean; readonly problem: string | null }> => {
  const place = await connection.spareSessions.take(signal);
  if (place === null) return { opened: true, problem: 'stopping it took too long' };
  try {
    const opening = connection.openExec(line);
    const opened = await within(opening, {
      clock: deps.clock,
      deadlineMs: deps.limits.killDeadlineMs,
      signal,
    });
    if (opened.kind !== 'done') {
      void opening.then((late) => late.ok && late.value.channel.destroy());
      return { opened: true, problem: 'the machine did not answer' };
    }
    if (!opened.value.ok)
      return { opened: opened.value.failure.dispatched, problem: opened.value.failure.message };
    const started = opened.value.value;
    const run = runChannel(started, {
      stdin: undefined,
      outputBytesMax: answerBytesMax,
      floodBytesMax: deps.limits.outputFloodBytesMax,
      drainMs: deps.limits.drainMs,
      announcement: createAnnouncement('none'),
      clock: deps.clock,
      stop: signal,
    });
    const end = await run.ended;
    started.channel.destroy();
    if (end.kind !== 'exited') return { opened: true, problem: 'stopping it took too long' };
    if (end.code === 0) return { opened: true, problem: null };
    return {
      opened: true,
      problem: `${run.stderr()} ${run.stdout()}`.trim() || `exit ${end.code ?? end.signal}`,
    };
  } finally {
    place();
  }
};

/**
 * Stops a running command and all that descends from it, from a second channel: closing its own would leave it
 * running. Resolves to null when nothing is left of it, otherwise to why that is not sure. Always closes its channel.
 */
export const stopCommand = async (running: Running, deps: StopDeps): Promise<string | null> => {
  const { channel, connection, announcement, asRoot } = running;
  const limit = startLimit(deps.clock, deps.limits.killDeadlineMs, undefined);
  try {
    await within(Promise.race([announcement.told, connection.closed]), {
      clock: deps.clock,
      deadlineMs: announcementWaitMs,
      signal: limit.signal,
    });
    const lost = connection.lost();
    if (lost !== null) return `the connection was lost (${lost})`;
    const session = announcement.session();
    if (session === null) {
      // OpenSSH passes signals on to a command that does not run as root; other servers may ignore them.
      channel.signal('TERM');
      channel.signal('KILL');
      return 'its session is not known';
    }
    const line = stopLine(session, connection.config.user, asRoot);
    const here = await runStop(connection, line, limit.signal, deps);
    if (here.opened) return here.problem;
    const lease = await deps.another(limit.signal);
    if (!lease.ok) return `${here.problem ?? ''}; ${lease.failure.message}`;
    const there = await runStop(lease.value.connection, line, limit.signal, deps);
    lease.value.release();
    return there.problem;
  } finally {
    limit.end();
    channel.destroy();
  }
};
