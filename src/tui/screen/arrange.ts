import type { MachineRow } from './machine-row.ts';

/** Filter and order of the machine table. */

export type SortBy = 'name' | 'state' | 'drift' | 'reboot' | 'role' | 'seen';
export type Sort = { readonly by: SortBy; readonly reversed: boolean };

const matchesTerm = (row: MachineRow, term: string): boolean => {
  if (term.startsWith('@')) {
    const group = term.slice(1);
    return row.machine?.groups.some((name) => name.toLowerCase().startsWith(group)) ?? false;
  }
  if (term.startsWith('role:')) return row.role.toLowerCase().startsWith(term.slice(5));
  return row.text.includes(term);
};

/** A filter: words that must all be found, `@group`, `role:NAME`; with `!` in front of the whole, what does not match. */
const matchesFilter = (row: MachineRow, filter: string): boolean => {
  const inverse = filter.startsWith('!');
  const terms = (inverse ? filter.slice(1) : filter)
    .toLowerCase()
    .split(/\s+/u)
    .filter((term) => term !== '');
  if (terms.length === 0) return true;
  return terms.every((term) => matchesTerm(row, term)) !== inverse;
};

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Interesting first: the worst state, what drifts, what needs a reboot, what was seen longest ago. */
const compare: Record<SortBy, (a: MachineRow, b: MachineRow) => number> = {
  name: (a, b) => text(a.name, b.name),
  state: (a, b) => a.state.rank - b.state.rank,
  drift: (a, b) =>
    Number(a.drift.tone === 'quiet') - Number(b.drift.tone === 'quiet') || text(a.drift.text, b.drift.text),
  reboot: (a, b) => Number(b.reboot.needed) - Number(a.reboot.needed) || text(a.reboot.text, b.reboot.text),
  role: (a, b) => Number(a.role === '') - Number(b.role === '') || text(a.role, b.role),
  seen: (a, b) => (a.seenAt ?? Number.POSITIVE_INFINITY) - (b.seenAt ?? Number.POSITIVE_INFINITY) || 0,
};

export const arrange = (rows: readonly MachineRow[], filter: string, sort: Sort): readonly MachineRow[] => {
  const shown = filter === '' ? [...rows] : rows.filter((row) => matchesFilter(row, filter));
  const order = compare[sort.by];
  const sign = sort.reversed ? -1 : 1;
  return shown.sort((a, b) => sign * order(a, b) || text(a.name, b.name));
};
