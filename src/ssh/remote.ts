import type { Duplex } from 'node:stream';
import { fail, type Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Clock, ExecResult, Remote, SshError } from '../ports.ts';
import { account } from '../process/account.ts';
import type { RunProcess } from '../process/run.ts';
import { dialOver } from './dial.ts';
import { type Endpoint, endpointOf, type LookUp } from './endpoint.ts';
import { cancelled, timedOut } from './errors.ts';
import { execOver } from './exec.ts';
import { createHostKeys, type KnownHostsPolicy } from './host-keys.ts';
import { createIdentities } from './identity-file.ts';
import { type Limit, startLimit } from './limit.ts';
import { type SshLimits, sshLimitsDefault } from './limits.ts';
import { createPool, type Lease } from './pool.ts';
import { createResolveConfig } from './resolve.ts';
import { createSlots } from './slots.ts';

export type SshRemoteOptions = {
  readonly runProcess: RunProcess;
  readonly clock: Clock;
  /** `HOME` is what `~` means, `SSH_AUTH_SOCK` the agent; others may be named by `${NAME}` in the configuration. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** strict refuses a host that is not in known_hosts; accept-new writes it down. A changed key is always refused. */
  readonly knownHosts: KnownHostsPolicy;
  /** The file for `ssh -F`; without it ssh reads what it always reads. */
  readonly sshConfigPath?: string | undefined;
  /** Default `address`: the configuration is asked about `sshHostOf(machine)`. */
  readonly lookUp?: LookUp | undefined;
  readonly limits?: Partial<SshLimits> | undefined;
};

/** Whether doing it once more over a new connection is safe and of use. */
const mayRepeat = (error: SshError, lease: Lease, idempotent: boolean): boolean => {
  if (error.kind !== 'disconnected') return false;
  if (!error.dispatched) return lease.reused || idempotent;
  return idempotent && error.retryable;
};

/**
 * The `Remote` over ssh2. Servers are always verified against known_hosts; nobody is ever asked for a password or a
 * passphrase; one connection a machine is kept and shared. Nothing is done twice that may have been done, unless it
 * is marked idempotent. `close()` stops running commands, ends all connections and leaves no timer.
 */
export const createSshRemote = (options: SshRemoteOptions): Remote => {
  const { runProcess, clock, env } = options;
  const limits: SshLimits = { ...sshLimitsDefault, ...options.limits };
  const lookUp = options.lookUp ?? 'address';
  const user = account();
  const closing = new AbortController();
  const resolveConfig = createResolveConfig({
    runProcess,
    configPath: options.sshConfigPath ?? null,
    local: { home: env.HOME ?? user.homedir, name: user.username, uid: user.uid, env },
    clock,
    limits,
    closing: closing.signal,
  });
  const pool = createPool({
    resolveConfig,
    hostKeys: createHostKeys(options.knownHosts, limits),
    identities: createIdentities(limits.identityFileBytesMax),
    clock,
    limits,
    handshakes: createSlots(limits.handshakesMax),
  });
  const underWay = new Set<Promise<unknown>>();
  const track = (work: Promise<unknown>): void => {
    const tracked = work.catch(() => undefined).finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  };

  /**
   * Does `work` over the machine's connection, within one limit, twice where that is safe and the first was lost.
   * `work` gives the lease back.
   */
  const overConnection = async <T>(
    endpoint: Endpoint,
    idempotent: boolean,
    limit: Limit,
    work: (lease: Lease) => Promise<Result<T, SshError>>,
  ): Promise<Result<T, SshError>> => {
    for (let attempt = 1; ; attempt += 1) {
      const lease = await pool.lease(endpoint, limit.signal);
      if (!lease.ok) {
        if (limit.why() !== 'deadline') return lease;
        return fail({
          ...timedOut(endpoint.label, 'tcp', limit.deadlineMs, `${endpoint.label} was not connected`),
          // How far it came is not told here.
          remedy: `See whether it is powered on, no firewall drops its ssh port, and a login there is quick (\`lab ssh ${endpoint.label}\`: a slow PAM module or name service?).`,
        });
      }
      const result = await work(lease.value);
      // A server that starts nothing any more may have died unseen.
      if (!result.ok && result.failure.kind === 'timeout' && result.failure.phase === 'channel')
        pool.forget(endpoint);
      if (result.ok || attempt > 1 || limit.why() !== null) return result;
      if (!mayRepeat(result.failure, lease.value, idempotent)) return result;
    }
  };

  const limited = <T>(
    label: string,
    phase: 'exec' | 'dial',
    given: { readonly deadlineMs: number; readonly signal?: AbortSignal },
    work: (limit: Limit) => Promise<Result<T, SshError>>,
  ): Promise<Result<T, SshError>> => {
    if (closing.signal.aborted || given.signal?.aborted === true)
      return Promise.resolve(fail(cancelled(label, phase)));
    const signal =
      given.signal === undefined ? closing.signal : AbortSignal.any([given.signal, closing.signal]);
    const limit = startLimit(clock, given.deadlineMs, signal);
    const working = work(limit).finally(limit.end);
    track(working);
    return working;
  };

  const exec: Remote['exec'] = (machine, argv, given) => {
    if (argv.length === 0) throw new TypeError('argv is empty');
    const endpoint = endpointOf(machine, lookUp);
    const command = {
      label: machine.name,
      argv,
      asRoot: given.asRoot === true,
      stdin: given.stdin,
      outputBytesMax: given.outputBytesMax ?? limits.outputBytesDefault,
    };
    return limited<ExecResult>(machine.name, 'exec', given, (limit) =>
      overConnection(endpoint, given.idempotent === true, limit, (lease) =>
        execOver(lease, command, limit, {
          clock,
          limits,
          another: (signal) => pool.leaseOwn(endpoint, signal),
        }),
      ),
    );
  };

  const dial: Remote['dial'] = (machine, host, port, given) => {
    const endpoint = endpointOf(machine, lookUp);
    return limited<Duplex>(machine.name, 'dial', given, (limit) =>
      overConnection(endpoint, true, limit, (lease) =>
        dialOver(lease, machine.name, host, port, limit, clock),
      ),
    );
  };

  return {
    exec,
    dial,
    forget: (machine: Machine) => pool.forget(endpointOf(machine, lookUp)),
    close: async () => {
      closing.abort();
      while (underWay.size > 0) await Promise.all(underWay);
      await pool.close();
    },
  };
};
