import type { SshError } from './connection.ts';

/** Who may act on a machine. */

/** Who acts on machines: a run, the person and host it belongs to, and how long its lease lasts unless it is renewed. */
export type Claim = { readonly run: string; readonly owner: string; readonly ttlMs: number };
/**
 * The latest lease of a machine, as the machine tells it. `expired`: nobody has renewed it for too long · `broken`: a
 * person took it away, and is its owner now · `unreadable`: the record of it is damaged. `leftMs` is 0 unless it is held.
 */
export type Lease = Pick<Claim, 'run' | 'owner'> & {
  /** The machine that it was taken for, as its run names it; absent in the records of earlier builds. */
  readonly machine?: string;
  readonly state: 'held' | 'expired' | 'released' | 'broken' | 'unreadable';
  readonly leftMs: number;
};
/**
 * take: for a run that begins; what is free, expired, released or broken becomes its own · renew: only while nobody else
 * has had it since · release: give it back · disown: the same for what was taken by mistake, over an address that leads to
 * another machine; the record is again what it was before · look: nothing · break: take it away from the run that the claim names.
 * What the run has, or had last, for another of its machines is never its own for this one.
 */
export type LeaseRequest = {
  readonly ask: 'take' | 'renew' | 'release' | 'disown' | 'look' | 'break';
  readonly claim: Claim;
  readonly deadlineMs: number;
};
/** `by`: whose it is, or was last. `unknown`: the machine did not say; `error` where it was not reached. */
export type LeaseAnswer =
  | { readonly kind: 'held' }
  | { readonly kind: 'free'; readonly last: Lease | null }
  | { readonly kind: 'taken'; readonly by: Lease }
  | { readonly kind: 'unknown'; readonly message: string; readonly error: SshError | null };
/** What becomes of an act on a machine whose lease somebody else has, or has had since: nothing was done. */
export type Fenced = { readonly kind: 'fenced'; readonly by: Lease };
