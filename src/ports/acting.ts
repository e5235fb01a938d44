import type { Claim, Fenced } from './lease.ts';

/** What is done to a machine, and what may come of it. */

export type ActivationMode = 'switch' | 'boot' | 'test' | 'dry-activate';
export type ActivateRequest = {
  readonly claim: Claim;
  readonly toplevel: string;
  readonly mode: ActivationMode;
  /** The number in the system profile that becomes the boot default, if it holds the toplevel; else a new one is made. */
  readonly generation?: number;
  /** Name of the transient unit: derived from run and step, so a repeat finds the first one. */
  readonly unit: string;
  readonly deadlineMs: number;
  /**
   * The toplevels whose place it may take, besides itself: where the machine runs, or would boot, anything else, somebody
   * has deployed it since, and nothing is begun. Absent: whatever there is.
   */
  readonly over?: readonly string[];
  /** The boot in which the machine was looked at: in any other nothing is begun, nor on another machine. Absent: in any. */
  readonly bootId?: string;
  /** Only for `switch` and `test`: the machine watches over the activation itself. */
  readonly supervision?: Supervision;
};
/**
 * A supervised activation goes live without becoming the boot default, and returns by itself to what ran before unless
 * it is confirmed. A confirmed `switch` becomes the boot default then.
 */
type Supervision = {
  /** Counted on the machine, from the end of the activation or from when its end was last read. Milliseconds. */
  readonly confirmWithinMs: number;
  /** Where to return when the toplevel runs, or would boot, already: what an earlier attempt had found. */
  readonly recorded: { readonly current: string | null; readonly profile: string | null };
};
/**
 * live: exit 0 · live-units-failed: exit 4, the new generation is live · needs-reboot: exit 100, the boot entry is
 * written · refused: exit 1 or 2 or any other, with the phase it died in · unknown: the outcome could not be learnt.
 */
export type ActivateOutcome =
  | { readonly kind: 'live' }
  | { readonly kind: 'live-units-failed'; readonly units: readonly string[]; readonly log: readonly string[] }
  /** `inhibited`: it was not even tried, for a switch inhibitor of the new generation forbids it. */
  | { readonly kind: 'needs-reboot'; readonly inhibited?: true; readonly log: readonly string[] }
  | {
      readonly kind: 'refused';
      readonly code: number | null;
      readonly message: string;
      readonly log: readonly string[];
      /** It had been live, and its supervisor took it back: it may be asked for anew. */
      readonly returned?: true;
      /** The toplevel is not on the machine, so nothing was begun. */
      readonly missing?: true;
      /** Nothing was begun, for its unit never started. */
      readonly notStarted?: true;
      /** Nothing was begun, for it would have taken the place of what is not in `over`. */
      readonly theirs?: true;
    }
  | Fenced
  | { readonly kind: 'unknown'; readonly message: string };

/** What is said to the supervisor of an activation. The first word counts: what comes later changes nothing. */
export type Verdict = 'confirm' | 'restore';
/**
 * confirmed: it stays, and a `switch` is the boot default · restored: it runs again what it ran before, asked to or by
 * itself · stuck: it tried to return and could not · spared: somebody else deployed to it meanwhile, and that was left as it
 * is · gone: nobody watches over it, since it was rebooted or never was · unknown: the machine did not say.
 */
export type SettleOutcome =
  | { readonly kind: 'confirmed' }
  | {
      readonly kind: 'restored';
      readonly why: 'asked' | 'unconfirmed' | 'refused' | 'no-boot-default';
      /** What the machine said of its reason, one line. */
      readonly said?: string;
    }
  | { readonly kind: 'stuck'; readonly message: string }
  | { readonly kind: 'spared' }
  | { readonly kind: 'gone' }
  | Fenced
  | { readonly kind: 'unknown'; readonly message: string };

/** `already-rebooted`: the boot id on the machine is no longer the one named, so nothing was triggered. */
export type TriggerOutcome =
  | { readonly kind: 'triggered' }
  | { readonly kind: 'probably-triggered'; readonly message: string }
  | { readonly kind: 'already-rebooted'; readonly bootId: string }
  | Fenced
  /** `unreached`: the command never went out, so nothing came of it. */
  | { readonly kind: 'refused'; readonly message: string; readonly unreached?: true };
