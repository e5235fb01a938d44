/** What every benchmark gives back, and how measurements are taken: side by side, in turns, several times. */

/** One thing measured in each round. A ratio is taken round by round, against what was measured beside it. */
export type Row = {
  readonly what: string;
  /** What a ratio is a ratio to; null for a plain figure. */
  readonly against: string | null;
  readonly unit: '×' | 'ms' | 'B' | '%' | 'MB';
  /** One per round. */
  readonly values: readonly number[];
  /** At most this; null for a number that is only told. */
  readonly target: number | null;
  /** The plain figures behind a ratio, as text. */
  readonly detail: string;
};

export type Report = {
  readonly rows: readonly Row[];
  /** What the numbers must be read with: versions, sizes, what stands in for what. */
  readonly notes: readonly string[];
};

/** `missing`: what this machine lacks for it, and how to get it. */
export type Outcome =
  | { readonly kind: 'measured'; readonly report: Report }
  | { readonly kind: 'missing'; readonly why: string };

export type Benchmark = {
  readonly name: string;
  readonly about: string;
  /** Unless `--rounds` says otherwise. */
  readonly rounds: number;
  /** Rejects when it cannot be measured for a reason that nobody foresaw. */
  readonly run: (rounds: number, say: (progress: string) => void) => Promise<Outcome>;
};

export const measured = (rows: readonly Row[], notes: readonly string[]): Outcome => ({
  kind: 'measured',
  report: { rows, notes },
});
export const missing = (why: string): Outcome => ({ kind: 'missing', why });

/** The middle value; of an even number, the mean of the two in the middle. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[sorted.length >> 1];
  const low = sorted[(sorted.length - 1) >> 1];
  if (high === undefined || low === undefined) throw new RangeError('there is no median of nothing');
  return (low + high) / 2;
};

export const millisecondsOf = async (work: () => unknown): Promise<number> => {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
};

/**
 * Runs every subject once a round, in turns, so that what else the machine does falls on all of them alike; every
 * other round goes backwards, so that none always follows the same one. One round before counts for nothing: it fills caches.
 */
export const inTurns = async <Name extends string, Value>(
  rounds: number,
  subjects: Readonly<Record<Name, () => Promise<Value>>>,
  options: { readonly warmUp?: boolean; readonly say?: (progress: string) => void } = {},
): Promise<Readonly<Record<Name, readonly Value[]>>> => {
  const names = Object.keys(subjects) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Value[]>;
  if (options.warmUp !== false) for (const name of names) await subjects[name]();
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      options.say?.(`round ${round + 1} of ${rounds}: ${name}`);
      values[name].push(await subjects[name]());
    }
  }
  return values;
};

/** The value of the median round in words: `54 ms`. */
export const inMs = (values: readonly number[]): string => {
  const value = median(values);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
};

/** A ratio a round. */
export const ratios = (values: readonly number[], baseline: readonly number[]): readonly number[] =>
  values.map((value, round) => {
    const base = baseline[round];
    if (base === undefined || base <= 0) throw new RangeError('a round has no baseline');
    return value / base;
  });

export const ratioRow = (
  what: string,
  values: readonly number[],
  against: string,
  baseline: readonly number[],
  target: number | null,
): Row => ({
  what,
  against,
  unit: '×',
  values: ratios(values, baseline),
  target,
  detail: `${inMs(values)} against ${inMs(baseline)}`,
});

export const msRow = (what: string, values: readonly number[], target: number | null, detail = ''): Row => ({
  what,
  against: null,
  unit: 'ms',
  values,
  target,
  detail,
});

/** null where there is no target. */
export const isOver = ({ values, target }: Row): boolean | null =>
  target === null ? null : median(values) > target;
