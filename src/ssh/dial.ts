import type { Duplex } from 'node:stream';
import { fail, ok, type Result } from '../failure.ts';
import type { Clock, SshError } from '../ports.ts';
import type { ChannelProblem } from './connection.ts';
import { cancelled, sshError, timedOut } from './errors.ts';
import type { Limit } from './limit.ts';
import type { Lease } from './pool.ts';
import { within } from './wait.ts';

/** RFC 4254 section 5.1: SSH_OPEN_CONNECT_FAILED, the machine's own answer; the other reasons are sshd's refusals. */
const connectFailed = 2;

const problemError = (label: string, place: string, problem: ChannelProblem): SshError => {
  const common = { host: label, phase: 'dial' as const };
  if (problem.kind === 'lost')
    return sshError({
      ...common,
      kind: 'disconnected',
      message: `the connection to ${label} was lost: ${problem.message}`,
      remedy: 'Nothing was sent; try again.',
    });
  if (problem.reason === connectFailed)
    return sshError({
      ...common,
      kind: 'unreachable',
      message: `${place} cannot be reached from ${label}: ${problem.message.replace(/^\(SSH\) Channel open failure: /u, '')}`,
      remedy: 'See whether something listens there.',
    });
  const why = problem.reason === 1 ? 'it is administratively prohibited' : problem.message;
  return sshError({
    ...common,
    kind: 'channel',
    message: `${label} does not forward connections to ${place}: ${why}`,
    remedy:
      'Allow it in sshd of the machine (AllowTcpForwarding, PermitOpen), or check from the orchestrator.',
  });
};

/** Opens host:port as the machine sees it. The stream keeps the lease, and its place, until it closes. */
export const dialOver = async (
  lease: Lease,
  label: string,
  host: string,
  port: number,
  limit: Limit,
  clock: Clock,
): Promise<Result<Duplex, SshError>> => {
  const aim = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const gaveUp = (): SshError =>
    limit.why() === 'cancelled'
      ? cancelled(label, 'dial')
      : timedOut(label, 'dial', limit.deadlineMs, `${aim} did not answer ${label}`);
  const { connection } = lease;
  const place = await connection.forwards.take(limit.signal);
  if (place === null) {
    lease.release();
    return fail(gaveUp());
  }
  const release = (): void => {
    place();
    lease.release();
  };
  const opening = connection.openForward(host, port);
  const opened = await within(opening, { clock, deadlineMs: limit.deadlineMs, signal: limit.signal });
  if (opened.kind !== 'done') {
    void opening.then((late) => {
      if (late.ok) late.value.destroy();
      release();
    });
    return fail(gaveUp());
  }
  if (!opened.value.ok) {
    release();
    return fail(problemError(label, aim, opened.value.failure));
  }
  const stream = opened.value.value;
  stream.once('close', release);
  return ok(stream);
};
