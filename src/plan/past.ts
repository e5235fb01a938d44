import type { Debt } from './debt.ts';
import type { Durations } from './durations.ts';

/** What past runs know, by machine: what they left owed, and how long things take. */
export type Past = {
  readonly debts: ReadonlyMap<string, Debt>;
  readonly durations: ReadonlyMap<string, Durations>;
};

export const noPast: Past = { debts: new Map(), durations: new Map() };
