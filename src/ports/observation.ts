import type { SshError } from './connection.ts';

/** What is seen of a machine. */

/** The parts of a toplevel that only a reboot changes: what each link resolves to (params: the text itself). */
export type BootParts = {
  readonly kernel: string | null;
  readonly initrd: string | null;
  readonly modules: string | null;
  readonly params: string | null;
  readonly systemd: string | null;
};

/** `unknown` where the output of `systemctl is-system-running` was none of systemd's words; `offline` where PID 1 is no systemd. */
export const systemStates = [
  'initializing',
  'starting',
  'running',
  'degraded',
  'maintenance',
  'stopping',
  'offline',
  'unknown',
] as const;
export type SystemState = (typeof systemStates)[number];

/** Dated facts about one machine. `at` is milliseconds since the epoch. */
export type Observation =
  | {
      readonly kind: 'reachable';
      readonly machine: string;
      readonly at: number;
      readonly bootId: string;
      /** What its kernel calls it; null or absent where it does not say. */
      readonly hostName?: string | null;
      readonly uptimeSeconds: number;
      /**
       * How long its PID 1 has run: less than the uptime in a container, which has its host's; null or absent where that cannot
       * be told.
       */
      readonly initSeconds?: number | null;
      readonly state: SystemState;
      /** Those that failed, and those that fail and are started again for ever, which systemd itself does not call failed. */
      readonly failedUnits: readonly string[];
      /** What /run/booted-system, /run/current-system and the system profile resolve to. */
      readonly booted: string | null;
      readonly current: string | null;
      readonly profile: string | null;
      /** Number of the profile's generation. */
      readonly generation: number | null;
      readonly kernelRelease: string | null;
      readonly nixosVersion: string | null;
      readonly bootedParts: BootParts;
      /** The same parts of what the system profile names: what the next boot would bring. */
      readonly profileParts: BootParts;
    }
  | { readonly kind: 'unreachable'; readonly machine: string; readonly at: number; readonly error: SshError };
export type Reachable = Extract<Observation, { kind: 'reachable' }>;
/** What a machine runs and would boot, and in which boot it is. */
export type Runs = Pick<Reachable, 'bootId' | 'hostName' | 'booted' | 'current' | 'profile'>;

/** One numbered entry of a machine's system profile. */
export type Generation = {
  readonly number: number;
  readonly toplevel: string;
  /** When it was made, milliseconds since the epoch, or null. */
  readonly at: number | null;
  /** The profile leads to this number: the boot default. */
  readonly isDefault: boolean;
  /** Its toplevel runs; and was booted. Two numbers may hold one toplevel. */
  readonly isCurrent: boolean;
  readonly isBooted: boolean;
  readonly nixosVersion: string | null;
  /** What it would boot. */
  readonly parts: BootParts;
};

/** Somebody who is logged in at a terminal or a screen. Milliseconds; null where it is not known. */
export type Login = {
  readonly user: string;
  /** `pts/0`, `tty1`, `seat0`. */
  readonly on: string;
  /** Where from, over the network. */
  readonly from: string | null;
  /** Since the epoch. */
  readonly since: number | null;
  /** For how long nobody has done anything at it. */
  readonly idleMs: number | null;
  /** The login in which `lab` itself runs, or by which it came. */
  readonly own: boolean;
};

export type PreflightFacts = {
  readonly root: boolean;
  /** Why root is not to be had, or null. */
  readonly rootProblem: string | null;
  /** Free bytes where /nix/store lies, and of /boot; null where they could not be read or /boot is no file system of its own. */
  readonly nixFreeBytes: number | null;
  readonly bootFreeBytes: number | null;
  /** systemd shutdown inhibitors in mode `block`: `who: why`. */
  readonly inhibitors: readonly string[];
  /** Why it is not known whether there are more of them, or null. */
  readonly inhibitorsUnknown: string | null;
  readonly logins: readonly Login[];
  readonly loginsUnknown: string | null;
  /** Users as whom, and on whose behalf, the machine was asked. */
  readonly askedBy: readonly string[];
  /** What is being activated at this moment, as far as it has a name; null when nothing is. */
  readonly activating: readonly string[] | null;
};
