import { fail, ok, type Result } from '../failure.ts';
import { matchesGlob } from '../text/glob.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import type { Fleet, Machine } from './machine.ts';

/**
 * Selectors choose machines: a name, a glob (`web-*`), `@group`, `role:NAME`, each with `!` in front to exclude.
 * Several may be given, as separate arguments or with commas between; what any of them includes is chosen, less
 * what any of them excludes. Only exclusions: all machines less those. None: all machines.
 */

type Term = {
  readonly negated: boolean;
  readonly text: string;
  readonly matches: (machine: Pick<Machine, 'name' | 'groups' | 'role'>) => boolean;
};

const selectorLengthMax = 4_096;

const parseTerm = (text: string): Term => {
  const negated = text.startsWith('!');
  const body = negated ? text.slice(1) : text;
  if (body.startsWith('@'))
    return { negated, text, matches: (machine) => machine.groups.includes(body.slice(1)) };
  if (body.startsWith('role:'))
    return { negated, text, matches: (machine) => machine.role === body.slice(5) };
  if (/[*?]/u.test(body)) {
    return { negated, text, matches: (machine) => matchesGlob(machine.name, body) };
  }
  return { negated, text, matches: (machine) => machine.name === body };
};

/** How many single-letter edits lie between two words; more than `max` counts as `max + 1`. */
const editDistance = (a: string, b: string, max: number): number => {
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min((row[j - 1] ?? 0) + 1, (previous[j] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
    }
    previous = row;
  }
  return Math.min(previous[b.length] ?? max + 1, max + 1);
};

/** The word most like `word`, when one is near enough to be a slip of the finger. */
export const nearest = (word: string, candidates: readonly string[]): string | null => {
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      distance: editDistance(word.toLowerCase(), candidate.toLowerCase(), 3),
    }))
    .filter(({ distance }) => distance <= 3)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return ranked[0]?.candidate ?? null;
};

/**
 * The names that the selectors choose, sorted. A positive term that matches nothing is an error (kind `selector`),
 * so that a typing slip never quietly means "no machine". Machines that failed to evaluate can be chosen by name
 * or glob: leaving them out unseen would hide them.
 */
export const selectMachines = (fleet: Fleet, selectors: readonly string[]): Result<readonly string[]> => {
  const texts = selectors
    .flatMap((selector) => selector.slice(0, selectorLengthMax).split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const terms = texts.map(parseTerm);
  const candidates = [
    ...fleet.machines,
    ...fleet.failed.map(({ name }) => ({ name, groups: [] as readonly string[], role: null })),
  ] as const;
  for (const term of terms) {
    if (candidates.some((machine) => term.matches({ ...machine, groups: [...machine.groups] }))) continue;
    const body = term.text.replace(/^!/u, '');
    const near = body.startsWith('@')
      ? nearest(
          body,
          [...new Set(fleet.machines.flatMap(({ groups }) => groups))].map((group) => `@${group}`),
        )
      : body.startsWith('role:')
        ? nearest(
            body,
            fleet.machines.flatMap(({ role }) => (role === null ? [] : [`role:${role}`])),
          )
        : nearest(
            body,
            candidates.map(({ name }) => name),
          );
    return fail({
      kind: 'selector',
      machine: null,
      phase: 'select',
      message: `no machine matches "${sanitiseLine(term.text, 200)}"`,
      remedy:
        near === null
          ? 'run `lab machines` to see names, groups and roles'
          : `did you mean "${near}"? \`lab machines\` lists names, groups and roles`,
    });
  }
  const positive = terms.filter(({ negated }) => !negated);
  const negative = terms.filter(({ negated }) => negated);
  return ok(
    candidates
      .map((machine) => ({ ...machine, groups: [...machine.groups] }))
      .filter((machine) => positive.length === 0 || positive.some((term) => term.matches(machine)))
      .filter((machine) => !negative.some((term) => term.matches(machine)))
      .map(({ name }) => name)
      .sort(),
  );
};
