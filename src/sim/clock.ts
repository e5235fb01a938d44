import node, { nextTick } from 'node:process';
import type { Clock } from '../ports.ts';
import type { After } from './reach.ts';

/** One thing that will happen: `wake` is null once it was called off. */
type Entry = {
  readonly at: number;
  readonly order: number;
  /** The process that sleeps; null for what happens whoever lives. */
  readonly sleeper: object | null;
  readonly signal: AbortSignal | null;
  wake: (() => void) | null;
};

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
    /** In the order in which they were asked for. */
    chosen: (which: (entry: Entry) => boolean): readonly Entry[] =>
      heap.filter(which).sort((a, b) => a.order - b.order),
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
  readonly clock: Clock & { readonly after: After };
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
  run<T>(work: Promise<T>, limits: Limits): Promise<T>;
};
type Limits = { readonly until: number; readonly turnsMax: number };

const atOnce = Promise.resolve();

/**
 * Has every promise run as far as it can before it returns: what Node does between its own ticks. It is no part of what Node
 * promises to keep (DEP0134), so undefined where it is gone; with it a run takes a twentieth less.
 */
const nodeTicks: unknown = Reflect.get(node, '_tickCallback');
const settlePromises = typeof nodeTicks === 'function' ? (): void => nodeTicks() : undefined;

/**
 * Time that passes only when nothing else can happen. Same calls, same order: no real clock, no randomness. Without
 * `settleAll` it waits for Node to settle promises, turn by turn.
 */
export const createVirtualClock = (
  startAt: number,
  settleAll: (() => void) | null = settlePromises ?? null,
): VirtualClock => {
  const agenda = createAgenda();
  let now = startAt;
  let order = 0;

  const push = (
    at: number,
    wake: () => void,
    sleeper: object | null = null,
    signal: AbortSignal | null = null,
  ): void => {
    agenda.push({ at: Math.max(now, at), order: order++, sleeper, signal, wake });
  };

  const process = (): ProcessClock => {
    const self = {};
    let alive = true;
    // One listener per signal, not per sleep: sleeps are what a simulation does most, and few are cut short.
    const heard = new Map<AbortSignal, () => void>();
    const listenTo = (signal: AbortSignal): void => {
      if (heard.has(signal)) return;
      const onAbort = (): void => {
        heard.delete(signal);
        for (const entry of agenda.chosen((each) => each.sleeper === self && each.signal === signal)) {
          const { wake } = entry;
          entry.wake = null;
          wake?.();
        }
      };
      heard.set(signal, onAbort);
      signal.addEventListener('abort', onAbort, { once: true });
    };
    const after: After = (ms, signal, act) => {
      if (!alive) return;
      if (signal?.aborted === true) return act();
      if (signal !== undefined) listenTo(signal);
      push(now + Math.max(0, ms), act, self, signal ?? null);
    };
    const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve) => after(ms, signal, resolve));
    return {
      clock: { now: () => now, elapsed: () => now, sleep, after },
      kill: () => {
        alive = false;
        for (const entry of agenda.chosen(({ sleeper }) => sleeper === self)) entry.wake = null;
        // Node keeps a signal made of others alive for as long as somebody listens to it.
        for (const [signal, onAbort] of heard) signal.removeEventListener('abort', onAbort);
        heard.clear();
      },
    };
  };

  /** The next thing due has its turn. Throws where there is none within the limits. */
  const takeTurn = (turns: number, limits: Limits): void => {
    let entry = agenda.pop();
    while (entry?.wake === null) entry = agenda.pop();
    if (entry === null) throw new Deadlock('nothing is due and the run has not ended');
    if (entry.at > limits.until) throw new EndlessRun('the run goes on beyond every deadline of its plan');
    if (turns > limits.turnsMax) throw new EndlessRun(`the run has not ended after ${turns} turns`);
    now = entry.at;
    entry.wake?.();
  };

  const run: VirtualClock['run'] = async (work, limits) => {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    work.then(settle, settle);
    let turns = 0;
    // Node takes a tick that a promise asked for once every promise has run as far as it can: then all else is quiet.
    await new Promise<void>((resolve, reject) => {
      const whenQuiet = (): void => nextTick(goOn);
      const goOn = (): void => {
        try {
          while (!settled) {
            takeTurn(turns, limits);
            turns += 1;
            if (settleAll === null) {
              atOnce.then(whenQuiet);
              return;
            }
            settleAll();
          }
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      atOnce.then(whenQuiet);
    });
    return work;
  };

  return { now: () => now, process, schedule: (at, act) => push(at, act), run };
};
