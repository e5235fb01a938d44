import { fail, ok, type Result } from '../failure.ts';
import type { Clock, SshError } from '../ports.ts';
import type { Connection } from './connection.ts';
import { type Endpoint, endpointKey } from './endpoint.ts';
import { cancelled, sshError } from './errors.ts';
import { type EstablishDeps, establish } from './establish.ts';
import type { SshLimits } from './limits.ts';

/** The use of a pooled connection, to be given back. */
export type Lease = {
  readonly connection: Connection;
  /** It stood before this lease was asked for, so it may have died unseen. */
  readonly reused: boolean;
  release(): void;
};

export type Pool = {
  /** The connection to the endpoint: the one that stands, or a new one. Ends soon after the signal aborts. */
  lease(endpoint: Endpoint, signal: AbortSignal): Promise<Result<Lease, SshError>>;
  /** A connection of its own, which ends with the lease. */
  leaseOwn(endpoint: Endpoint, signal: AbortSignal): Promise<Result<Lease, SshError>>;
  /** The next lease makes a new connection. Work on the present one may end; then it is closed. */
  forget(endpoint: Endpoint): void;
  /** Ends every connection and attempt; resolves when all are gone. */
  close(): Promise<void>;
};

type Entry = {
  readonly key: string;
  readonly label: string;
  readonly attempt: Promise<Result<Connection, SshError>>;
  readonly abandon: AbortController;
  connection: Connection | null;
  /** The jump host whose connection this attempt waits for. */
  waitsFor: Entry | null;
  users: number;
  retired: boolean;
  /** Ends the wait for idleness to become long enough. */
  busy: AbortController | null;
};

/** The names on the way from `entry` back to `waiter`, if it leads there: two attempts would wait for each other. */
const circleOf = (waiter: Entry, entry: Entry): readonly string[] | null => {
  const labels = [waiter.label];
  for (let at: Entry | null = entry; at !== null; at = at.waitsFor) {
    labels.push(at.label);
    if (at === waiter) return labels;
  }
  return null;
};

const circularJumps = (label: string, circle: readonly string[]): SshError =>
  sshError({
    kind: 'config',
    host: label,
    phase: 'config',
    message: `the jump hosts of ${label} go round in a circle: ${circle.join(' → ')}`,
    remedy: 'Look at ProxyJump in the ssh configuration.',
  });

export const createPool = (
  deps: Omit<EstablishDeps, 'hold'> & { readonly clock: Clock; readonly limits: SshLimits },
): Pool => {
  const byKey = new Map<string, Entry>();
  const living = new Set<Entry>();
  let closing = false;

  const retire = (entry: Entry): void => {
    entry.retired = true;
    if (byKey.get(entry.key) === entry) byKey.delete(entry.key);
    if (entry.users === 0) dispose(entry);
  };
  const dispose = (entry: Entry): void => {
    entry.busy?.abort('busy');
    entry.abandon.abort('abandoned');
    entry.connection?.destroy();
  };
  const idle = (entry: Entry): void => {
    if (entry.retired || entry.connection === null) {
      retire(entry);
      return;
    }
    const busy = new AbortController();
    entry.busy = busy;
    void deps.clock.sleep(deps.limits.idleMs, busy.signal).then(() => {
      if (!busy.signal.aborted) retire(entry);
    });
  };

  const begin = (endpoint: Endpoint, key: string): Entry => {
    const abandon = new AbortController();
    const hold: EstablishDeps['hold'] = (jump, signal) => leaseOn(jump, signal, entry);
    const entry: Entry = {
      key,
      label: endpoint.label,
      abandon,
      attempt: establish(endpoint, { ...deps, hold }, abandon.signal),
      connection: null,
      waitsFor: null,
      users: 0,
      retired: false,
      busy: null,
    };
    living.add(entry);
    void entry.attempt.then((result) => {
      if (!result.ok) {
        living.delete(entry);
        retire(entry);
        return;
      }
      entry.connection = result.value;
      void result.value.closed.then(() => {
        living.delete(entry);
        retire(entry);
      });
      if (entry.abandon.signal.aborted) result.value.destroy();
    });
    return entry;
  };

  const use = async (
    entry: Entry,
    endpoint: Endpoint,
    signal: AbortSignal,
    reused: boolean,
  ): Promise<Result<Lease, SshError>> => {
    entry.busy?.abort('busy');
    entry.users += 1;
    let given = false;
    const release = (): void => {
      if (given) return;
      given = true;
      entry.users -= 1;
      if (entry.users === 0) idle(entry);
    };
    const { promise: aborted, resolve: abort } = Promise.withResolvers<null>();
    const onAbort = (): void => abort(null);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) abort(null);
    const result = await Promise.race([entry.attempt, aborted]);
    signal.removeEventListener('abort', onAbort);
    if (result?.ok === true) return ok({ connection: result.value, reused, release });
    release();
    return result === null ? fail(cancelled(endpoint.label, 'tcp')) : result;
  };

  /** `waiter` is the attempt that wants it as its jump host, or null for a caller from outside. */
  const leaseOn = async (
    endpoint: Endpoint,
    signal: AbortSignal,
    waiter: Entry | null,
  ): Promise<Result<Lease, SshError>> => {
    if (closing || signal.aborted) return fail(cancelled(endpoint.label, 'tcp'));
    const key = endpointKey(endpoint);
    const standing = byKey.get(key);
    const usable = standing !== undefined && (standing.connection?.lost() ?? null) === null;
    const entry = usable ? standing : begin(endpoint, key);
    if (!usable) {
      if (standing !== undefined) retire(standing);
      byKey.set(key, entry);
    }
    if (waiter === null) return use(entry, endpoint, signal, usable && entry.connection !== null);
    const circle = circleOf(waiter, entry);
    if (circle !== null) return fail(circularJumps(waiter.label, circle));
    waiter.waitsFor = entry;
    const held = await use(entry, endpoint, signal, usable);
    waiter.waitsFor = null;
    return held;
  };

  return {
    lease: (endpoint, signal) => leaseOn(endpoint, signal, null),
    leaseOwn: async (endpoint, signal) => {
      if (closing || signal.aborted) return fail(cancelled(endpoint.label, 'tcp'));
      const entry = begin(endpoint, '');
      entry.retired = true;
      return use(entry, endpoint, signal, false);
    },
    forget: (endpoint) => {
      const entry = byKey.get(endpointKey(endpoint));
      if (entry !== undefined) retire(entry);
    },
    close: async () => {
      closing = true;
      const all = [...living];
      byKey.clear();
      for (const entry of all) dispose(entry);
      await Promise.all(
        all.map(async (entry) => {
          const result = await entry.attempt;
          if (result.ok) await result.value.closed;
        }),
      );
    },
  };
};
