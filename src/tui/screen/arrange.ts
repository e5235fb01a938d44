import { fuzzyScore } from '../state/fuzzy.ts';
import type { MachineRow } from './machine-row.ts';

/** Filter and order of the machine table. */

export const sortColumns = [
  'name',
  'state',
  'role',
  'groups',
  'drift',
  'reboot',
  'ssh',
  'platform',
  'generation',
  'uptime',
  'last-run',
  'debt',
  'seen',
] as const;
export type SortBy = (typeof sortColumns)[number];
export type Sort = { readonly by: SortBy; readonly reversed: boolean };

const matchesTerm = (row: MachineRow, term: string): boolean => {
  if (term.startsWith('@')) {
    const group = term.slice(1);
    return row.machine?.groups.some((name) => name.toLowerCase().startsWith(group)) ?? false;
  }
  if (term.startsWith('role:')) return row.role.toLowerCase().startsWith(term.slice(5));
  if (term.startsWith('~')) return fuzzyScore(term.slice(1), row.name.toLowerCase()) !== null;
  return row.text.includes(term);
};

/**
 * A filter: words that must all be found, `@group`, `role:NAME`, `~ltrs` (these letters of the name, in this order);
 * with `!` in front of the whole, what does not match.
 */
const matchesFilter = (row: MachineRow, inverse: boolean, terms: readonly string[]): boolean =>
  terms.every((term) => matchesTerm(row, term)) !== inverse;

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** What has no value comes last. */
const number = (a: number | null, b: number | null): number =>
  a === b ? 0 : a === null ? 1 : b === null ? -1 : a - b;
const emptyLast = (a: string, b: string): number => Number(a === '') - Number(b === '') || text(a, b);

const outcomeRank = { bad: 0, warn: 1, good: 2 } as const;
const lastRunRank = ({ lastRun }: MachineRow): number | null => {
  const tone = lastRun?.cell.tone;
  return tone === 'bad' || tone === 'warn' || tone === 'good' ? outcomeRank[tone] : null;
};

/** Interesting first: the worst state, what drifts, what needs a reboot, what was seen longest ago. */
const compare: Record<SortBy, (a: MachineRow, b: MachineRow) => number> = {
  name: (a, b) => text(a.name, b.name),
  state: (a, b) => a.state.rank - b.state.rank,
  role: (a, b) => emptyLast(a.role, b.role),
  groups: (a, b) => emptyLast(a.groups, b.groups),
  drift: (a, b) =>
    Number(a.drift.tone === 'quiet') - Number(b.drift.tone === 'quiet') || text(a.drift.text, b.drift.text),
  reboot: (a, b) => Number(b.reboot.needed) - Number(a.reboot.needed) || text(a.reboot.text, b.reboot.text),
  ssh: (a, b) => Number(b.ssh.tone === 'bad') - Number(a.ssh.tone === 'bad') || text(a.ssh.text, b.ssh.text),
  platform: (a, b) => emptyLast(a.platform, b.platform),
  generation: (a, b) => number(b.generation, a.generation),
  // Booted longest ago first.
  uptime: (a, b) => number(a.bootedAt, b.bootedAt),
  'last-run': (a, b) =>
    number(lastRunRank(a), lastRunRank(b)) || number(a.lastRun?.at ?? null, b.lastRun?.at ?? null),
  debt: (a, b) => emptyLast(a.debt.text, b.debt.text),
  seen: (a, b) => number(a.seenAt, b.seenAt),
};

export const arrange = (rows: readonly MachineRow[], filter: string, sort: Sort): readonly MachineRow[] => {
  const inverse = filter.startsWith('!');
  const terms = (inverse ? filter.slice(1) : filter)
    .toLowerCase()
    .split(/\s+/u)
    .filter((term) => term !== '' && term !== '~');
  const shown = terms.length === 0 ? [...rows] : rows.filter((row) => matchesFilter(row, inverse, terms));
  const order = compare[sort.by];
  const sign = sort.reversed ? -1 : 1;
  return shown.sort((a, b) => sign * order(a, b) || text(a.name, b.name));
};

/** The column beside the one that is sorted by, round at the ends. */
export const columnBeside = (by: SortBy, steps: 1 | -1, columns: readonly SortBy[]): SortBy => {
  const at = columns.indexOf(by);
  return columns[(at + steps + columns.length) % columns.length] ?? by;
};
