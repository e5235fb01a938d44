import type { ActivateOutcome, ActivateRequest, SettleOutcome, SystemState, Verdict } from '../ports.ts';
import { type Fault, faultOf } from './fault.ts';
import type { LeaseRecord } from './lease.ts';
import { bootIdOf } from './random.ts';

/**
 * One simulated machine: a value. Nothing here waits: what will happen to it is written in `due`, and `advance` lets
 * it happen up to a moment. So the same machine serves virtual time and real time, and the truth about any moment is
 * exact, whoever looks and whenever.
 */

/** How long things take on it, milliseconds. */
export type Nature = {
  readonly copyMs: number;
  readonly activationMs: number;
  /** From a new generation going live until its services answer again. */
  readonly restartMs: number;
  readonly shutdownMs: number;
  /** From going down until ssh answers. */
  readonly bootMs: number;
  /** From then until systemd has started everything. */
  readonly startupMs: number;
  /** From then until the services answer. */
  readonly servicesMs: number;
};

export type TransientUnit = {
  readonly request: ActivateRequest;
  /** null while it runs. */
  readonly outcome: ActivateOutcome | null;
  /** Its supervisor; null for an activation that stays whatever comes. */
  readonly watch: Watch | null;
};

/** What a supervisor knows: where to return, the first word it was told, and what came of it. */
export type Watch = {
  readonly current: string;
  readonly profile: string;
  readonly verdict: Verdict | 'expired' | null;
  readonly end: SettleOutcome | null;
};

/** Somebody whose presence holds something back. */
export type Occupant = Extract<Fault, { kind: 'occupied' }>['by'];

export type Due = { readonly at: number } & (
  | { readonly kind: 'stop' }
  | { readonly kind: 'down' }
  | { readonly kind: 'boot' }
  | { readonly kind: 'started' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'crash' }
  /** Something covers the file that tells its boot id. */
  | { readonly kind: 'boot-id' }
  | { readonly kind: 'ill'; readonly why: string }
  | { readonly kind: 'well' }
  | { readonly kind: 'unit-fails'; readonly unit: string }
  | { readonly kind: 'unit-recovers'; readonly unit: string }
  /** `generation`: the one to switch to where it still holds the toplevel; else a new one is made. */
  | { readonly kind: 'profile'; readonly toplevel: string; readonly generation?: number }
  | { readonly kind: 'live'; readonly toplevel: string }
  | { readonly kind: 'foreign'; readonly toplevel: string; readonly mode?: 'boot' }
  | { readonly kind: 'occupied' | 'vacated'; readonly by: Occupant }
  | { readonly kind: 'unit-ended'; readonly unit: string; readonly outcome: ActivateOutcome }
  /** Nobody has confirmed it for so long. */
  | { readonly kind: 'unconfirmed'; readonly unit: string }
  /** The supervisor acts on its verdict; and has done so. */
  | { readonly kind: 'returned'; readonly unit: string; readonly outcome: ActivateOutcome | null }
  | { readonly kind: 'confirmed'; readonly unit: string }
);

type SimGeneration = { readonly number: number; readonly toplevel: string; readonly at: number };

export type SimMachine = {
  readonly name: string;
  readonly nature: Nature;
  readonly faults: readonly Fault[];
  /** What it ran at the start: where a restore must lead. */
  readonly origin: {
    readonly booted: string;
    readonly current: string;
    readonly profile: string;
    readonly failedUnits: readonly string[];
  };
  readonly power: 'up' | 'stopping' | 'down';
  readonly boots: number;
  /** What it tells; whether it has booted, `boots` tells. */
  readonly bootId: string;
  readonly bootedAt: number;
  readonly booted: string;
  readonly current: string;
  readonly profile: string;
  /** What its boot loader boots: what the profile names, unless that could not be written. */
  readonly entry: string;
  /** How often a closure was copied to it. */
  readonly copies: number;
  readonly generation: number;
  /** Every generation of its profile, the oldest first. */
  readonly generations: readonly SimGeneration[];
  /** PID 1 is systemd. */
  readonly systemd: boolean;
  /** systemd has jobs left from the boot. */
  readonly starting: boolean;
  /** Why its services do not answer after a boot or an activation, or null when they do. */
  readonly unready: string | null;
  /** Why they do not answer for no such reason. */
  readonly ill: string | null;
  readonly failedUnits: readonly string[];
  /** Transient units of activations, by name. */
  readonly units: ReadonlyMap<string, TransientUnit>;
  /** Who is on it, since when. */
  readonly occupied: ReadonlyMap<Occupant, number>;
  readonly lease: LeaseRecord | null;
  /** A reboot was triggered and has not yet come to its boot. */
  readonly rebooting: boolean;
  /** What will happen to it, the earliest first. */
  readonly due: readonly Due[];
  /** Since when it is not well, or null while it is. */
  readonly unwellSince: number | null;
  /** When somebody else deployed to it. */
  readonly foreignAt: number | null;
  /** Since when it is well without a break, or null while it is not. */
  readonly wellSince: number | null;
};

export type MachineStart = {
  readonly name: string;
  readonly nature: Nature;
  readonly faults?: readonly Fault[];
  readonly booted: string;
  readonly current: string;
  readonly profile: string;
  readonly generation?: number;
  /** Toplevels of the generations before it, the oldest first; they bear the numbers before its own. */
  readonly earlier?: readonly string[];
  readonly uptimeMs?: number;
  readonly failedUnits?: readonly string[];
};

/** The earliest first. */
const earlierFirst = (a: Due, b: Due): number => a.at - b.at;
/** In its place: after what comes at the same time. */
const inOrder = (due: readonly Due[], one: Due): readonly Due[] => {
  const later = due.findIndex(({ at }) => at > one.at);
  return later === -1 ? [...due, one] : [...due.slice(0, later), one, ...due.slice(later)];
};
/** The machine with more to come. */
export const withDue = (machine: SimMachine, ...more: readonly Due[]): SimMachine => ({
  ...machine,
  due: more.reduce(inOrder, machine.due),
});

const dayMs = 86_400_000;

/** What somebody else deploys, counted from `from`. */
export const foreignBy = (
  { atMs, toplevel, mode }: Extract<Fault, { kind: 'foreign-deploy' }>,
  from: number,
): Due => ({ at: from + atMs, kind: 'foreign', toplevel, ...(mode === undefined ? {} : { mode }) });

const fatesOf = (faults: readonly Fault[], now: number): readonly Due[] =>
  faults.flatMap((fault): readonly Due[] => {
    switch (fault.kind) {
      case 'falls-ill':
        return [
          { at: now + fault.atMs, kind: 'ill', why: 'connection refused' },
          ...(fault.forMs === null ? [] : [{ at: now + fault.atMs + fault.forMs, kind: 'well' as const }]),
        ];
      case 'crash':
        return [{ at: now + fault.atMs, kind: 'crash' }];
      case 'boot-id-lies':
        return fault.from === 'trigger' ? [] : [{ at: now + fault.from, kind: 'boot-id' }];
      case 'occupied':
        return [
          { at: now + fault.atMs, kind: 'occupied', by: fault.by },
          ...(fault.forMs === null
            ? []
            : [{ at: now + fault.atMs + fault.forMs, kind: 'vacated' as const, by: fault.by }]),
        ];
      case 'foreign-deploy':
        return fault.since === undefined ? [foreignBy(fault, now)] : [];
      default:
        return [];
    }
  });

export const createMachine = (start: MachineStart, now: number): SimMachine => {
  const faults = start.faults ?? [];
  const failedUnits = start.failedUnits ?? [];
  const generation = start.generation ?? 1 + (start.earlier?.length ?? 0);
  return {
    name: start.name,
    nature: start.nature,
    faults,
    origin: { booted: start.booted, current: start.current, profile: start.profile, failedUnits },
    power: 'up',
    boots: 0,
    bootId: bootIdOf(start.name, 0),
    bootedAt: now - (faultOf(faults, 'just-booted') === null ? (start.uptimeMs ?? dayMs) : 60_000),
    booted: start.booted,
    current: start.current,
    profile: start.profile,
    entry: start.profile,
    copies: 0,
    generation,
    generations: [...(start.earlier ?? []), start.profile].map((toplevel, index, all) => {
      const age = all.length - 1 - index;
      return { number: generation - age, toplevel, at: now - (age + 1) * dayMs };
    }),
    systemd: faultOf(faults, 'no-systemd') === null,
    starting: false,
    unready: null,
    ill: null,
    failedUnits,
    units: new Map(),
    occupied: new Map(),
    lease: null,
    rebooting: false,
    due: [...fatesOf(faults, now)].sort(earlierFirst),
    unwellSince: null,
    foreignAt: null,
    wellSince: now,
  };
};

/**
 * What `nix-env` makes of the profile: it switches to a generation that holds the toplevel, and makes a new one where
 * none was named or that one does not, unless the newest holds it already.
 */
export const withProfile = (
  machine: SimMachine,
  toplevel: string,
  at: number,
  named: number | undefined,
): SimMachine => {
  const holds = machine.generations.find((each) => each.number === named && each.toplevel === toplevel);
  if (holds === undefined && toplevel === machine.profile) return machine;
  const newest = machine.generations.at(-1);
  const kept = holds ?? (newest?.toplevel === toplevel ? newest : undefined);
  if (kept !== undefined) return { ...machine, profile: toplevel, generation: kept.number };
  const number = (newest?.number ?? 0) + 1;
  const generations = [...machine.generations, { number, toplevel, at }];
  return { ...machine, profile: toplevel, generation: number, generations };
};

const isStartedAgain = ({ faults }: SimMachine, unit: string): boolean =>
  faults.some((fault) => fault.kind === 'unit-restarts' && fault.unit === unit);

export const stateOf = (machine: SimMachine): SystemState =>
  !machine.systemd
    ? 'offline'
    : machine.power === 'stopping'
      ? 'stopping'
      : machine.starting
        ? 'starting'
        : machine.failedUnits.some((unit) => !isStartedAgain(machine, unit))
          ? 'degraded'
          : 'running';

/** Its failed units, as far as there is a systemd that tells of units. */
export const unitsSeen = ({ systemd, failedUnits }: SimMachine): readonly string[] =>
  systemd ? failedUnits : [];
export const isStarted = ({ systemd, starting }: SimMachine): boolean => !systemd || !starting;

/** Whether its services answer. */
export const serves = ({ unready, ill }: SimMachine): boolean => unready === null && ill === null;

/** The truth that every gate wants to know: up, started, answering, and no unit failed that had not before. */
export const isWell = (machine: SimMachine): boolean => serves(machine) && isWellButForServices(machine);

const isWellButForServices = (machine: SimMachine): boolean =>
  machine.power === 'up' &&
  isStarted(machine) &&
  unitsSeen(machine).every((unit) => machine.origin.failedUnits.includes(unit));
