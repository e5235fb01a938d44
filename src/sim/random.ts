/** Repeatable randomness: the same seed gives the same numbers on every machine. Not for secrets. */
export type Random = {
  /** In [0, 1). */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One of the items. Throws `RangeError` for none. */
  pick<T>(items: readonly T[]): T;
  /** Another sequence, set by this seed and the label alone: drawing from one never shifts the other. */
  fork(label: string): Random;
};

/** FNV-1a, 32 bits: spreads a text over the seeds. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
};

const fromState = (seed: number): Random => {
  // Whole numbers of 32 bits with a sign, which V8 keeps without a box: the bits are the same.
  let state = seed | 0;
  // SplitMix32: an odd step through all 2^32 states, then mixed until neighbours share nothing.
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
    pick: (items) => {
      const index = Math.floor(next() * items.length);
      if (index >= items.length) throw new RangeError('there is nothing to pick');
      return items[index] as (typeof items)[number];
    },
    fork: (label) => fromState(hashOf(`${seed >>> 0}/${label}`)),
  };
};

export const createRandom = (seed: number): Random => fromState(hashOf(`seed ${seed}`));

const nixBase32 = '0123456789abcdfghijklmnpqrsvwxyz';

/** A store path for simulated things: its hash follows from `content`, as with Nix. */
export const storePath = (content: string, name: string): string => {
  const random = fromState(hashOf(`${content} ${name}`));
  let hash = '';
  for (let index = 0; index < 32; index += 1) hash += nixBase32[random.between(0, 31)];
  return `/nix/store/${hash}-${name}`;
};

/** Forty hex digits that follow from `content`, as with git. */
export const revOf = (content: string): string => {
  const random = fromState(hashOf(content));
  return Array.from({ length: 40 }, () => random.between(0, 15).toString(16)).join('');
};

const bootIdsMax = 10_000;
/** By `machine boot`: a swarm asks for the same few a million times. */
const bootIds = new Map<string, string>();

/** A boot id: the form of a UUID, set by machine and number of the boot. */
export const bootIdOf = (machine: string, boot: number): string => {
  const key = `${machine} ${boot}`;
  const known = bootIds.get(key);
  if (known !== undefined) return known;
  if (bootIds.size >= bootIdsMax) bootIds.clear();
  const id = newBootId(machine, boot);
  bootIds.set(key, id);
  return id;
};

const newBootId = (machine: string, boot: number): string => {
  const random = fromState(hashOf(`boot ${boot} of ${machine}`));
  // The one in front keeps the zeros.
  const hex = (digits: number): string =>
    Math.floor((1 + random.next()) * 16 ** digits)
      .toString(16)
      .slice(1);
  return [hex(8), hex(4), `4${hex(3)}`, `8${hex(3)}`, `${hex(6)}${hex(6)}`].join('-');
};
