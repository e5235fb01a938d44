import type { Clock } from '../ports.ts';
import type { LabSnapshot } from './session.ts';

/** Changes are told at most this often, milliseconds: every commit of the screen costs a frame. */
const tellPauseMs = 100;
const messagesKept = 500;

/** The one snapshot of a session, and everything that keeps it. */
export type SessionStore = {
  readonly snapshot: () => LabSnapshot;
  readonly change: (part: Partial<LabSnapshot>) => void;
  readonly say: (level: 'info' | 'warning' | 'error', text: string) => void;
  /** Runs work that nobody waits for; a defect in it is told. */
  readonly inBackground: (work: Promise<unknown>) => void;
  readonly subscribe: (listener: () => void) => () => void;
  /** Aborted when the session closes. */
  readonly closing: AbortSignal;
  readonly close: () => void;
};

export const createStore = (first: LabSnapshot, clock: Clock): SessionStore => {
  const closing = new AbortController();
  const listeners = new Set<() => void>();
  let snapshot = first;
  let pending: NodeJS.Timeout | null = null;
  const change = (part: Partial<LabSnapshot>): void => {
    snapshot = { ...snapshot, ...part, now: clock.now() };
    if (pending !== null || listeners.size === 0) return;
    pending = setTimeout(() => {
      pending = null;
      for (const listener of listeners) listener();
    }, tellPauseMs);
  };
  const say: SessionStore['say'] = (level, text) =>
    change({ messages: [...snapshot.messages, { at: clock.now(), level, text }].slice(-messagesKept) });
  return {
    snapshot: () => snapshot,
    change,
    say,
    inBackground: (work) => {
      work.catch((error: unknown) => {
        say(
          'error',
          `a background task failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      });
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    closing: closing.signal,
    close: () => {
      closing.abort();
      if (pending !== null) clearTimeout(pending);
      listeners.clear();
    },
  };
};
