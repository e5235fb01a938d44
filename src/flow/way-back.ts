import type { Goal } from '../plan/plan.ts';
import type { Generation, Reachable } from '../ports.ts';
import { progressOf } from '../run/progress.ts';
import type { RunState } from '../run/state.ts';
import { recordedPrior } from '../run/step-context.ts';
import { day, shortPath } from '../text/words.ts';

/** Where a machine of a rollback returns to: pure. */
export type WayBack =
  | { readonly kind: 'to'; readonly generation: Generation; readonly words: string }
  | { readonly kind: 'none'; readonly message: string; readonly remedy: string };

/** What a run did to one machine: what it ran and would have booted before, and what it was brought to. */
export type Change = {
  readonly machine: string;
  readonly before: {
    readonly current: string | null;
    readonly profile: string | null;
    readonly generation: number | null;
  };
  readonly wanted: string | null;
};

/** The machines that a run may have changed, in the order of its plan. */
export const changesOf = (state: RunState): readonly Change[] =>
  (state.plan?.machines ?? [])
    .filter(
      (entry) => progressOf(state, entry).touched && entry.activation?.mode !== 'dry-activate' && entry.prior,
    )
    .map((entry) => {
      const { machine, prior, wanted } = entry;
      // Where somebody went ahead past a change since the plan, its preflight knows what was there really.
      const recorded = recordedPrior(state, entry);
      return {
        machine: machine.name,
        before: {
          current: recorded?.current ?? null,
          profile: recorded?.profile ?? null,
          generation: recorded?.profile === prior?.profile ? (prior?.generation ?? null) : null,
        },
        wanted,
      };
    });

const namedMax = 12;

/** `it has 41, 40 and 38; …` */
const existing = (machine: string, generations: readonly Generation[]): string => {
  const numbers = generations.map(({ number }) => String(number));
  const named = numbers.slice(0, namedMax);
  const more = numbers.length - named.length;
  const list = more > 0 ? `${named.join(', ')} and ${more} older` : named.join(', ');
  return numbers.length === 0
    ? `it has none: see whether ${machine} is a NixOS machine`
    : `it has ${list}: \`lab generations ${machine}\` says what they are, \`lab rollback ${machine} --to NUMBER\` returns to one`;
};

const wordsOf = ({ number, at }: Generation): string =>
  `generation ${number}${at === null ? '' : ` of ${day(at)}`}`;

const toPrevious = (machine: string, generations: readonly Generation[]): WayBack => {
  const now = generations.find(({ isDefault }) => isDefault);
  if (now === undefined)
    return {
      kind: 'none',
      message: `the system profile of ${machine} leads to no generation`,
      remedy: existing(machine, generations),
    };
  const previous = generations.find(({ number }) => number < now.number);
  return previous === undefined
    ? {
        kind: 'none',
        message: `${machine} has no generation before ${now.number}`,
        remedy: existing(machine, generations),
      }
    : { kind: 'to', generation: previous, words: wordsOf(previous) };
};

const toNumber = (machine: string, wanted: number, generations: readonly Generation[]): WayBack => {
  const found = generations.find(({ number }) => number === wanted);
  return found === undefined
    ? {
        kind: 'none',
        message: `${machine} has no generation ${wanted}`,
        remedy: existing(machine, generations),
      }
    : { kind: 'to', generation: found, words: wordsOf(found) };
};

/** What somebody has made of the machine since the run, in words; null while it has what it had, or what the run wanted. */
const changedSince = ({ before, wanted }: Change, seen: Reachable): string | null => {
  const known = [before.current, before.profile, wanted];
  if (!known.includes(seen.profile)) return `it would boot ${shortPath(seen.profile)}`;
  if (!known.includes(seen.current)) return `it runs ${shortPath(seen.current)}`;
  return null;
};

/** To what the machine ran before that run: proven to run, unlike what it would have booted, where that was another. */
export const toBefore = (
  run: string,
  change: Change,
  seen: Reachable,
  generations: readonly Generation[],
  /** The later run that brought the machine to a toplevel, if one did. */
  broughtBy: (toplevel: string | null) => string | null,
): WayBack => {
  const { machine, before } = change;
  const since = changedSince(change, seen);
  if (since !== null) {
    const later = broughtBy(seen.profile) ?? broughtBy(seen.current);
    return {
      kind: 'none',
      message: `${machine} was changed since run ${run}: ${since}`,
      remedy:
        later === null || later === run
          ? `find out who did; \`lab rollback ${machine} --to NUMBER\` returns it to a generation of your choice`
          : `that was run ${later}: \`lab rollback --run ${later}\` first`,
    };
  }
  const same = generations.filter(({ toplevel }) => toplevel === before.current);
  const generation = same.find(({ number }) => number === before.generation) ?? same[0];
  if (generation === undefined)
    return {
      kind: 'none',
      message: `${machine} no longer has what it ran before run ${run}: ${shortPath(before.current)}${
        before.generation === null || before.current !== before.profile
          ? ''
          : `, generation ${before.generation}`
      }`,
      remedy: existing(machine, generations),
    };
  const booting =
    before.profile === before.current || before.profile === null
      ? ''
      : `; it was to boot ${shortPath(before.profile)}, and is not any more`;
  return {
    kind: 'to',
    generation,
    words: `${wordsOf(generation)}, which it ran before run ${run}${booting}`,
  };
};

type RollbackGoal = Extract<Goal, { kind: 'rollback' }>;

/** The way back that needs only the machine's own profile. */
export const wayBackInProfile = (
  to: Exclude<RollbackGoal['to'], { kind: 'run' }>,
  machine: string,
  generations: readonly Generation[],
): WayBack =>
  to.kind === 'previous' ? toPrevious(machine, generations) : toNumber(machine, to.number, generations);
