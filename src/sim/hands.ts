import type { Clock } from '../ports.ts';
import type { Link } from './link.ts';
import type { SimMachine } from './machine.ts';
import type { Ask, Reach } from './reach.ts';
import type { Effect } from './world.ts';

/** What of the simulated world an act on a machine needs. */
export type Hands = {
  readonly clock: Clock;
  readonly now: () => number;
  readonly look: (name: string) => SimMachine;
  readonly change: (machine: SimMachine) => void;
  readonly effect: (done: Effect) => void;
  readonly forgetUnit: (name: string, unit: string) => void;
  readonly ask: Ask;
  readonly reach: Reach;
  readonly link: Link;
  /** Why nobody can be root on the machine now, or null. */
  readonly noRoot: (name: string) => string | null;
};

/** Sleeps through `ms`, telling the lines on the way. */
export type Lasting = (
  ms: number,
  lines: readonly string[],
  onProgress: ((line: string) => void) | undefined,
  signal: AbortSignal | undefined,
) => Promise<void>;
