import { z } from 'zod';

/** What the detail of a fault may be, and what it is when none is given. */
const seconds = z.coerce.number().int().min(1).max(3_600);
const none = z.literal('').default('');

/**
 * Every way to break a host. A fault stays, over reboots too, until it is cleared.
 * The detail is a shell word: numbers and names only, never free text.
 */
export const faultDetails = {
  /** The cable is out. */
  'link-down': none,
  /** Percent of the packets, both ways, that get lost. */
  drop: z.coerce.number().int().min(1).max(100).default(100),
  /** Everything stands still: TCP connects, no banner comes. */
  freeze: none,
  /** Off at once, nothing stopped, and off it stays. */
  'power-cut': none,
  /** Goes down as told, and stays down. */
  'never-returns': none,
  /** Seconds it stays down before it boots. */
  'slow-return': seconds.default(5),
  /** Seconds after which each boot ends by a power cut. */
  'boot-loop': seconds.default(3),
  /** The generation before the newest boots. */
  'boots-old-generation': none,
  /** Name of a unit that fails, now and at each boot: the system is degraded. */
  'failed-unit': z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@:-]*\.service$/, 'a name that ends in .service')
    .default('lab-broken.service'),
  /** Seconds a unit resists SIGTERM, and so a shutdown takes at least. */
  'slow-stop': seconds.default(10),
  /** The host answers with another key than known_hosts says. */
  'hostkey-regenerated': none,
  /** The same, but only from its next boot on. */
  'hostkey-at-boot': none,
  /** The file system that has no space left. */
  'disk-full': z.enum(['/nix', '/']).default('/nix'),
  /** sshd does not start: connections are refused, the unit has failed. */
  'sshd-broken': none,
} as const;

export type FaultKind = keyof typeof faultDetails;
export const faultKinds = Object.keys(faultDetails) as readonly FaultKind[];
export const isFaultKind = (word: string): word is FaultKind => Object.hasOwn(faultDetails, word);

/** The detail as the scripts want it. Throws a sentence that names the fault when it cannot be used. */
export const faultDetail = (kind: FaultKind, detail: string | number | undefined): string => {
  const read = faultDetails[kind].safeParse(detail);
  if (read.success) return String(read.data);
  throw new TypeError(
    `fault ${kind}: ${String(detail)}: ${read.error.issues[0]?.message ?? 'not a detail of it'}`,
  );
};

/**
 * The order in which faults are cleared: a frozen host answers nothing, so it thaws first; a host that is down boots
 * last, when nothing is left that would break the boot.
 */
export const clearingOrder: readonly FaultKind[] = [
  'freeze',
  'link-down',
  'drop',
  'disk-full',
  'boots-old-generation',
  'boot-loop',
  'failed-unit',
  'slow-stop',
  'hostkey-regenerated',
  'hostkey-at-boot',
  'sshd-broken',
  'slow-return',
  'never-returns',
  'power-cut',
];
