/**
 * How an expected failure travels: a value that names where, what, why and what to do. Bugs are thrown instead.
 * `kind` is a stable word that code and `--json` readers may branch on.
 */
export type Failure = {
  readonly kind: string;
  /** The machine concerned, or null when the failure belongs to the whole operation. */
  readonly machine: string | null;
  /** What was being done, in words: `evaluate`, `copy`, `await-boot` … */
  readonly phase: string;
  /** One sentence: what happened. */
  readonly message: string;
  /** One sentence: what the reader can do about it. */
  readonly remedy: string;
  /** Evidence: the last lines of output, sanitised and bounded. */
  readonly detail?: readonly string[];
};

export type Result<T, F = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: F };

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const fail = <F>(failure: F): { readonly ok: false; readonly failure: F } => ({ ok: false, failure });
