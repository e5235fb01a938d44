import type { Clock } from '../ports.ts';

/** One thing that will happen: `wake` is null once it was called off. */
type Entry = { readonly at: number; readonly order: number; wake: (() => void) | null };

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A binary heap of entries, the earliest on top; equal times keep the order in which they were asked for. */
const createAgenda = () => {
  const heap: Entry[] = [];
  const at = (index: number): Entry => heap[index] as Entry;
  return {
    push: (entry: Entry): void => {
      let index = heap.length;
      heap.push(entry);
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (!before(entry, at(parent))) break;
        heap[index] = at(parent);
        index = parent;
      }
      heap[index] = entry;
    },
    pop: (): Entry | null => {
      const top = heap[0];
      const last = heap.pop();
      if (top === undefined || last === undefined) return null;
      if (heap.length === 0) return top;
      let index = 0;
      for (;;) {
        let child = 2 * index + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && before(at(child + 1), at(child))) child += 1;
        if (!before(at(child), last)) break;
        heap[index] = at(child);
        index = child;
      }
      heap[index] = last;
      return top;
    },
  };
};

/** Nothing is scheduled and the work has not ended: it waits for something that will never come. */
export class Deadlock extends Error {
  override readonly name = 'Deadlock';
}
/** More happened, or more time passed, than any sound run needs. */
export class EndlessRun extends Error {
  override readonly name = 'EndlessRun';
}

/** What one simulated process knows of time. */
export type ProcessClock = {
  readonly clock: Clock;
  /** As `kill -9`: what sleeps in this process never wakes again. */
  kill(): void;
};

export type VirtualClock = {
  now(): number;
  process(): ProcessClock;
  /** Calls `act` at a time of the simulation (at once in the next turn when it has passed). */
  schedule(at: number, act: () => void): void;
  /**
   * Lets time pass until the work settles: whenever everything that could run has run, time jumps to the next thing
   * due. Rejects as the work does, with `Deadlock` when nothing is due, with `EndlessRun` beyond the limits.
   */
  run<T>(work: Promise<T>, limits: { readonly until: number; readonly turnsMax: number }): Promise<T>;
};

/** Node runs a tick asked for by a promise once every promise has run as far as it can: then everything else is quiet. */
const quiet = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** Time that passes only when nothing else can happen. Same calls, same order: no real clock, no randomness. */
export const createVirtualClock = (startAt: number): VirtualClock => {
  const agenda = createAgenda();
  let now = startAt;
  let order = 0;

  const push = (at: number, wake: () => void): Entry => {
    const entry = { at: Math.max(now, at), order: order++, wake };
    agenda.push(entry);
    return entry;
  };

  const process = (): ProcessClock => {
    let alive = true;
    // One listener per signal, not per sleep: sleeps are what a simulation does most.
    const sleepers = new Map<AbortSignal, { readonly entries: Set<Entry>; readonly onAbort: () => void }>();
    const sleepersOf = (signal: AbortSignal): Set<Entry> => {
      const known = sleepers.get(signal);
      if (known !== undefined) return known.entries;
      const entries = new Set<Entry>();
      const onAbort = (): void => {
        sleepers.delete(signal);
        for (const entry of entries) {
          const { wake } = entry;
          entry.wake = null;
          wake?.();
        }
      };
      sleepers.set(signal, { entries, onAbort });
      signal.addEventListener('abort', onAbort, { once: true });
      return entries;
    };
    const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
      if (!alive) return new Promise(() => {});
      if (signal?.aborted === true) return Promise.resolve();
      return new Promise((resolve) => {
        const group = signal === undefined ? null : sleepersOf(signal);
        const entry = push(now + Math.max(0, ms), () => {
          group?.delete(entry);
          if (alive) resolve();
        });
        group?.add(entry);
      });
    };
    return {
      clock: { now: () => now, sleep },
      kill: () => {
        alive = false;
        // Node keeps a signal made of others alive for as long as somebody listens to it.
        for (const [signal, { onAbort }] of sleepers) signal.removeEventListener('abort', onAbort);
        sleepers.clear();
      },
    };
  };

  const run: VirtualClock['run'] = async (work, limits) => {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    work.then(settle, settle);
    for (let turns = 0; ; turns += 1) {
      await quiet();
      if (settled) return work;
      const entry = agenda.pop();
      if (entry === null) throw new Deadlock('nothing is due and the run has not ended');
      if (entry.at > limits.until) throw new EndlessRun('the run goes on beyond every deadline of its plan');
      if (turns > limits.turnsMax) throw new EndlessRun(`the run has not ended after ${turns} turns`);
      if (entry.wake === null) continue;
      now = entry.at;
      const { wake } = entry;
      entry.wake = null;
      wake();
    }
  };

  return { now: () => now, process, schedule: (at, act) => void push(at, act), run };
};
