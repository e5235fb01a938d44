import type { Debt } from './debt.ts';
import type { Durations } from './durations.ts';

/** What past runs know, by machine: what they left owed, how long things take, what was checked. */
export type Past = {
  readonly debts: ReadonlyMap<string, Debt>;
  readonly durations: ReadonlyMap<string, Durations>;
  /** What its health checks looked at when a run last brought it to its goal. */
  readonly checks: ReadonlyMap<string, readonly string[]>;
};

export const noPast: Past = { debts: new Map(), durations: new Map(), checks: new Map() };
