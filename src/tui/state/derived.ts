import type { LabSnapshot } from '../../flow/session.ts';
import type { Pen } from '../draw/pen.ts';
import { arrange, type Sort } from '../screen/arrange.ts';
import { type LogEntry, logEntries } from '../screen/log.ts';
import { type MachineRow, machineRows, type RowMemory } from '../screen/machine-row.ts';
import { idealWidths } from '../screen/machines.ts';

/** What scenes are made of and keys do not change: made once for each snapshot, and from as little of it as changed. */
export type Derived = {
  readonly rows: readonly MachineRow[];
  readonly log: readonly LogEntry[];
  readonly widths: ReturnType<typeof idealWidths>;
};

export type Arranged = {
  readonly rows: readonly MachineRow[];
  /** Where each row stands, by name. */
  readonly positions: ReadonlyMap<string, number>;
};

export type Deriver = {
  readonly derive: (snapshot: LabSnapshot) => Derived;
  readonly arranged: (rows: readonly MachineRow[], filter: string, sort: Sort) => Arranged;
};

const sameRows = (a: readonly MachineRow[], b: readonly MachineRow[]): boolean =>
  a.length === b.length && a.every((row, index) => row === b[index]);

export const createDeriver = (pen: Pen): Deriver => {
  const memory: RowMemory = new Map();
  let last: { readonly snapshot: LabSnapshot; readonly derived: Derived } | null = null;
  let order: {
    readonly rows: readonly MachineRow[];
    readonly filter: string;
    readonly sort: Sort;
    readonly arranged: Arranged;
  } | null = null;

  const derive = (snapshot: LabSnapshot): Derived => {
    if (last?.snapshot === snapshot) return last.derived;
    const made = machineRows(snapshot, pen, memory);
    const unchanged = last !== null && sameRows(last.derived.rows, made);
    const rows = unchanged && last !== null ? last.derived.rows : made;
    const logUnchanged =
      last?.snapshot.events === snapshot.events && last.snapshot.messages === snapshot.messages;
    const derived: Derived = {
      rows,
      log: logUnchanged && last !== null ? last.derived.log : logEntries(snapshot, pen),
      widths: unchanged && last !== null ? last.derived.widths : idealWidths(rows, snapshot.now, pen),
    };
    last = { snapshot, derived };
    return derived;
  };

  const arranged: Deriver['arranged'] = (rows, filter, sort) => {
    if (order?.rows === rows && order.filter === filter && order.sort === sort) return order.arranged;
    const shown = arrange(rows, filter, sort);
    const result = { rows: shown, positions: new Map(shown.map(({ name }, index) => [name, index])) };
    order = { rows, filter, sort, arranged: result };
    return result;
  };

  return { derive, arranged };
};
