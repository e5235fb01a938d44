import type { Machine } from '../fleet/machine.ts';
import type { FollowLogs, RemoteLogs } from './session.ts';
import type { SessionStore } from './session-store.ts';

/** Lines of a machine's own journal that are kept, the newest. */
const linesKept = 5_000;
/** However fast lines come, they are told this often, milliseconds. */
const tellEveryMs = 200;

export type LogFollower = {
  readonly follow: (machine: Machine, unit: string | null) => void;
  readonly leave: () => void;
};

/** Follows the journal of one machine at a time. */
export const createLogFollower = (
  followLogs: FollowLogs,
  store: SessionStore,
  now: () => number,
): LogFollower => {
  let current: AbortController | null = null;

  const leave = (): void => {
    current?.abort();
    current = null;
  };
  store.closing.addEventListener('abort', leave, { once: true });

  const follow = (machine: Machine, unit: string | null): void => {
    leave();
    const own = new AbortController();
    current = own;
    let lines: { readonly at: number; readonly text: string }[] = [];
    let count = 0;
    let told = 0;
    const base: Pick<RemoteLogs, 'machine' | 'unit' | 'since'> = {
      machine: machine.name,
      unit,
      since: now(),
    };
    const tell = (status: RemoteLogs['status'], message: string): void => {
      if (current !== own) return;
      told = now();
      if (lines.length > linesKept) lines = lines.slice(-linesKept);
      store.change({ logs: { ...base, status, message, lines: lines.slice(), count } });
    };
    const onLine = (text: string): void => {
      count += 1;
      lines.push({ at: now(), text });
      // Cut at twice the bound: then a flood costs no more than its lines.
      if (lines.length > 2 * linesKept) lines = lines.slice(-linesKept);
      pending ??= setTimeout(
        () => {
          pending = null;
          tell('following', '');
        },
        Math.max(0, tellEveryMs - Math.max(0, now() - told)),
      );
    };
    let pending: NodeJS.Timeout | null = null;
    tell('connecting', '');
    store.inBackground(
      followLogs(machine, { unit, signal: own.signal, onLine }).then((failure) => {
        if (pending !== null) clearTimeout(pending);
        pending = null;
        tell('ended', failure === null ? 'the machine ended it' : `${failure.message}; ${failure.remedy}`);
      }),
    );
  };

  return { follow, leave };
};
