import type { Duplex } from 'node:stream';
import { fail, ok, type Result } from '../failure.ts';
import type { Clock, SshError } from '../ports.ts';
import { planAuth } from './auth.ts';
import type { SshConfig } from './config.ts';
import { type ChannelProblem, type Connection, createConnection } from './connection.ts';
import { type Endpoint, jumpEndpoint } from './endpoint.ts';
import { cancelled, socketProblem, sshError, timedOut } from './errors.ts';
import { shakeHands } from './handshake.ts';
import type { HostKeys } from './host-keys.ts';
import type { Identities } from './identity-file.ts';
import type { SshLimits } from './limits.ts';
import type { ResolveConfig } from './resolve.ts';
import type { Slots } from './slots.ts';
import { connectTcp } from './tcp.ts';
import { within } from './wait.ts';

/** A jump host's connection, for as long as it is held. */
export type Held = { readonly connection: Connection; release(): void };

export type EstablishDeps = {
  readonly resolveConfig: ResolveConfig;
  readonly hostKeys: HostKeys;
  readonly identities: Identities;
  readonly clock: Clock;
  readonly limits: SshLimits;
  /** Places for handshakes, over all machines. */
  readonly handshakes: Slots;
  /** A connection to a jump host. */
  readonly hold: (jump: Endpoint, signal: AbortSignal) => Promise<Result<Held, SshError>>;
};

const placeOf = ({ hostname, port }: SshConfig): string => `${hostname} port ${port}`;

/** RFC 4254 section 5.1: the server could not reach the place, as against: it will not. */
const connectFailed = 2;

const unreachableThrough = (
  label: string,
  jump: string,
  config: SshConfig,
  problem: ChannelProblem,
): SshError => {
  const refused = problem.kind === 'refused' && problem.reason !== connectFailed;
  return sshError({
    kind: refused ? 'channel' : 'unreachable',
    host: label,
    phase: 'tcp',
    message: `${label}: ${placeOf(config)} cannot be reached from ${jump}: ${problem.message}`,
    remedy: refused
      ? `Allow forwarding in sshd of ${jump} (AllowTcpForwarding, PermitOpen).`
      : `See whether the machine is powered on and ${jump} reaches its ssh port.`,
  });
};

/** The byte stream to the endpoint's sshd, directly or through the connection to its jump host. */
const openStream = async (
  endpoint: Endpoint,
  config: SshConfig,
  jump: { readonly label: string; readonly connection: Connection } | null,
  deps: EstablishDeps,
  signal: AbortSignal,
): Promise<Result<Duplex, SshError>> => {
  const { limits, clock } = deps;
  const { label } = endpoint;
  const deadlineMs = Math.min(limits.tcpDeadlineMs, config.connectTimeoutMs ?? limits.tcpDeadlineMs);
  const late = (): SshError =>
    timedOut(label, 'tcp', deadlineMs, `${label}: ${placeOf(config)} did not answer`);
  if (jump !== null) {
    const opening = jump.connection.openForward(config.hostname, config.port);
    const opened = await within(opening, { clock, deadlineMs, signal });
    if (opened.kind !== 'done') {
      void opening.then((stream) => stream.ok && stream.value.destroy());
      return fail(opened.kind === 'aborted' ? cancelled(label, 'tcp') : late());
    }
    return opened.value.ok
      ? opened.value
      : fail(unreachableThrough(label, jump.label, config, opened.value.failure));
  }
  const gaveUp = new AbortController();
  const connecting = connectTcp(
    {
      host: config.hostname,
      port: config.port,
      family: config.addressFamily,
      localAddress: config.bindAddress,
    },
    AbortSignal.any([signal, gaveUp.signal]),
  );
  const connected = await within(connecting, { clock, deadlineMs, signal });
  if (connected.kind !== 'done') {
    gaveUp.abort('late');
    void connecting.then((socket) => socket.ok && socket.value.destroy());
    return fail(connected.kind === 'aborted' ? cancelled(label, 'tcp') : late());
  }
  if (connected.value.ok) return connected.value;
  if (signal.aborted) return fail(cancelled(label, 'tcp'));
  const { what, remedy } = socketProblem(connected.value.failure);
  return fail(
    sshError({
      kind: 'unreachable',
      host: label,
      phase: 'tcp',
      message: `${label}: ${placeOf(config)}: ${what}`,
      remedy,
    }),
  );
};

/** The jump host before this endpoint, connected; null when there is none. */
const reachJump = async (
  endpoint: Endpoint,
  config: SshConfig,
  deps: EstablishDeps,
  signal: AbortSignal,
): Promise<Result<(Held & { readonly label: string }) | null, SshError>> => {
  const jump = jumpEndpoint(config.proxyJump);
  if (jump === null) return ok(null);
  const held = await deps.hold(jump, signal);
  if (held.ok) return ok({ ...held.value, label: jump.label });
  const { failure } = held;
  return fail({ ...failure, message: `${endpoint.label} is out of reach: ${failure.message}` });
};

/**
 * Makes one connection: configuration, keys, jump host, TCP, handshake, login. The jump host is connected before a
 * place among the handshakes is taken, so that hosts behind one another cannot wait for each other.
 */
export const establish = async (
  endpoint: Endpoint,
  deps: EstablishDeps,
  signal: AbortSignal,
): Promise<Result<Connection, SshError>> => {
  const { label } = endpoint;
  const resolved = await deps.resolveConfig(endpoint, signal);
  if (!resolved.ok) return resolved;
  const config = resolved.value;
  const { identities, clock, limits } = deps;
  const [hostKeys, auth] = await Promise.all([
    deps.hostKeys.prepare(config, label),
    planAuth(config, { identities, clock, limits, signal }),
  ]);
  if (!hostKeys.ok) return hostKeys;
  const jump = await reachJump(endpoint, config, deps, signal);
  if (!jump.ok) return jump;

  const undo: (() => void)[] = [];
  if (jump.value !== null) undo.push(jump.value.release);
  const giveUp = (error: SshError): Result<never, SshError> => {
    for (const step of undo.reverse()) step();
    return fail(error);
  };
  const passage = await jump.value?.connection.handshakes.take(signal);
  if (passage === null) return giveUp(cancelled(label, 'tcp'));
  if (passage !== undefined) undo.push(passage);
  const place = await deps.handshakes.take(signal);
  if (place === null) return giveUp(cancelled(label, 'tcp'));
  undo.push(place);

  const stream = await openStream(endpoint, config, jump.value, deps, signal);
  if (!stream.ok) return giveUp(stream.failure);
  const client = await shakeHands(stream.value, {
    label,
    config,
    hostKeys: hostKeys.value,
    auth,
    clock,
    limits,
    signal,
  });
  if (!client.ok) return giveUp(client.failure);
  const connection = createConnection(client.value, stream.value, config, limits);
  place();
  passage?.();
  const held = jump.value;
  if (held !== null) void connection.closed.then(held.release);
  return ok(connection);
};
