/**
 * What can go wrong with one simulated machine. Times are milliseconds; `atMs` counts from the start of the
 * simulation. `forMs: null` is forever.
 */
export type Fault =
  // ── the way to it ──
  /** Never answers. */
  | { readonly kind: 'offline' }
  /** Answers nothing for a while. */
  | { readonly kind: 'away'; readonly atMs: number; readonly forMs: number | null }
  /** The connection ends in the middle of an act, and none can be made for a while. */
  | { readonly kind: 'cut-during'; readonly act: 'copy' | 'activate'; readonly forMs: number }
  /** The answer to the reboot's trigger is lost; `arrived` says whether the trigger itself was. */
  | { readonly kind: 'cut-at-trigger'; readonly arrived: boolean }
  /** The connection ends at the confirmation, and none can be made for a while; `arrived` says whether the word did. */
  | { readonly kind: 'cut-at-confirm'; readonly arrived: boolean; readonly forMs: number }
  /** The round trip of this number (from 1) loses its connection, and none can be made for a while; see `dispatched`. */
  | {
      readonly kind: 'trip-lost';
      readonly trip: number;
      readonly dispatched: boolean;
      readonly forMs: number;
    }
  /** The round trip of this number hangs until its deadline; `dispatched`: its command does its work all the same. */
  | { readonly kind: 'trip-hangs'; readonly trip: number; readonly dispatched: boolean }
  /** Loses its power at the round trip of this number, and boots again by itself. */
  | { readonly kind: 'trip-crashes'; readonly trip: number }
  /** Takes connections, but every command hangs until its deadline, for a while. */
  | { readonly kind: 'stalls'; readonly atMs: number; readonly forMs: number | null }
  /** Every connection may fail. */
  | { readonly kind: 'flaky'; readonly chance: number }
  /** Every answer takes this much longer. */
  | { readonly kind: 'slow-link'; readonly ms: number }
  /** For a while its address leads to another machine, which shows the host key that is known for this one. */
  | {
      readonly kind: 'leads-elsewhere';
      readonly to: string;
      readonly atMs: number;
      readonly forMs: number | null;
    }
  /** A number is milliseconds from the start. */
  | { readonly kind: 'hostkey-changed'; readonly when: 'always' | 'after-reboot' | number }
  // ── the reboot ──
  /** Hangs in shutdown, reachable. */
  | { readonly kind: 'never-goes-down' }
  | { readonly kind: 'slow-shutdown'; readonly ms: number }
  | { readonly kind: 'never-comes-back' }
  | { readonly kind: 'slow-boot'; readonly ms: number }
  /** Boots what it had booted before. */
  | { readonly kind: 'old-generation' }
  /** Boots, and soon reboots by itself, this many times. */
  | { readonly kind: 'boot-loop'; readonly times: number; readonly afterMs: number }
  /** For a while after its reboot its connections come and go. */
  | { readonly kind: 'flaps'; readonly forMs: number; readonly periodMs: number; readonly downMs: number }
  | { readonly kind: 'reboot-refused' }
  /** From then on, or from the trigger of its reboot, it tells another boot id than that of its boot. */
  | { readonly kind: 'boot-id-lies'; readonly from: 'trigger' | number }
  /** The trigger of the reboot says the contrary of what it did. */
  | { readonly kind: 'trigger-lies'; readonly says: 'triggered' | 'refused' }
  /** After the reboot, /run/booted-system is not there. */
  | { readonly kind: 'boot-unreadable' }
  // ── the activation of something new ──
  /** Its systemd answers and starts no unit: neither an activation nor the return from one. */
  | { readonly kind: 'starts-nothing' }
  | { readonly kind: 'activation-exit'; readonly code: 1 | 2 | 4 | 100 }
  /** Says 0 and changes nothing, or not the profile; says 1 though all is as it should be; or that it returned and did not. */
  | {
      readonly kind: 'activation-lies';
      readonly about: 'everything' | 'the-profile' | 'failure' | 'the-return';
    }
  | { readonly kind: 'slow-activation'; readonly ms: number }
  | { readonly kind: 'slow-copy'; readonly ms: number }
  /** A collection of garbage takes what was copied before it is activated, so many times. */
  | { readonly kind: 'collected'; readonly times: number }
  /** Says that the closure is there, and it is not. */
  | { readonly kind: 'copy-lies' }
  /** Who watches over an activation there counts its time so many times slower. */
  | { readonly kind: 'slow-ticks'; readonly factor: number }
  /** Crashes and boots again in the middle of it. */
  | { readonly kind: 'crash-in-activation' }
  /** What was recorded cannot be activated again. */
  | { readonly kind: 'restore-refused' }
  // ── health ──
  | {
      readonly kind: 'unhealthy-after';
      readonly cause: 'activation' | 'reboot';
      readonly forMs: number | null;
    }
  | { readonly kind: 'unit-fails-after'; readonly cause: 'activation' | 'reboot'; readonly unit: string }
  /** When this unit fails it is started again for ever: the system counts as running. */
  | { readonly kind: 'unit-restarts'; readonly unit: string }
  | { readonly kind: 'falls-ill'; readonly atMs: number; readonly forMs: number | null }
  // ── before anything ──
  /** PID 1 is something else: nobody tells of units. */
  | { readonly kind: 'no-systemd' }
  | { readonly kind: 'disk-full'; readonly path: DiskFullAt }
  | { readonly kind: 'sudo-refused' }
  /** The same from a moment on, when its preflight may be over. */
  | { readonly kind: 'sudo-breaks'; readonly atMs: number; readonly forMs: number | null }
  | { readonly kind: 'inhibited' }
  /** For a while somebody is on it: logged in and typing, holding off shutdowns, or activating; `silence`: nobody says who. */
  | {
      readonly kind: 'occupied';
      readonly by: 'user' | 'inhibitor' | 'activation' | 'silence';
      readonly atMs: number;
      readonly forMs: number | null;
    }
  /** It had booted by itself a minute before. */
  | { readonly kind: 'just-booted' }
  /** Crashes and boots again, by itself. */
  | { readonly kind: 'crash'; readonly atMs: number }
  /**
   * Somebody else deploys to it; `since`: counted from when something new went live there, from its boot, or from the round
   * trip of a number. `boot`: what runs stays.
   */
  | {
      readonly kind: 'foreign-deploy';
      readonly atMs: number;
      readonly toplevel: string;
      readonly since?: 'live' | 'boot' | number;
      readonly mode?: 'boot';
    };

/** Seen by the preflight, or only once something is written: the closure, the profile, the entry of the boot loader. */
type DiskFullAt = '/nix' | '/boot' | 'during-copy' | 'at-profile' | 'at-boot-entry';

export type FaultKind = Fault['kind'];

/** The first fault of this kind, if the machine has one. */
export const faultOf = <K extends FaultKind>(
  faults: readonly Fault[],
  kind: K,
): Extract<Fault, { kind: K }> | null =>
  faults.find((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind) ?? null;

/** `cut-during(act=copy, forMs=9000)` */
export const describeFault = ({ kind, ...rest }: Fault): string => {
  const details = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  return details.length === 0 ? kind : `${kind}(${details.join(', ')})`;
};
