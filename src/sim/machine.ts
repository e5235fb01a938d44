import type { ActivateOutcome, ActivateRequest, SystemState } from '../ports.ts';
import { type Fault, faultOf } from './fault.ts';
import { bootIdOf } from './random.ts';

/**
 * One simulated machine: a value, and what time makes of it. Nothing here waits: what will happen is written in
 * `due`, and `advance` lets it happen up to a moment. So the same machine serves virtual time and real time, and the
 * truth about any moment is exact, whoever looks and whenever.
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
};

export type Due = { readonly at: number } & (
  | { readonly kind: 'stop' }
  | { readonly kind: 'down' }
  | { readonly kind: 'boot' }
  | { readonly kind: 'started' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'crash' }
  | { readonly kind: 'ill'; readonly why: string }
  | { readonly kind: 'well' }
  | { readonly kind: 'unit-fails'; readonly unit: string }
  | { readonly kind: 'unit-recovers'; readonly unit: string }
  | { readonly kind: 'profile'; readonly toplevel: string }
  | { readonly kind: 'live'; readonly toplevel: string }
  | { readonly kind: 'foreign'; readonly toplevel: string }
  | { readonly kind: 'unit-ended'; readonly unit: string; readonly outcome: ActivateOutcome }
);

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
  readonly bootedAt: number;
  readonly booted: string;
  readonly current: string;
  readonly profile: string;
  readonly generation: number;
  /** systemd has jobs left from the boot. */
  readonly starting: boolean;
  /** Why its services do not answer after a boot or an activation, or null when they do. */
  readonly unready: string | null;
  /** Why they do not answer for no such reason. */
  readonly ill: string | null;
  readonly failedUnits: readonly string[];
  /** Transient units of activations, by name. */
  readonly units: ReadonlyMap<string, TransientUnit>;
  /** A reboot was triggered and has not yet come to its boot. */
  readonly rebooting: boolean;
  /** What will happen to it, the earliest first. */
  readonly due: readonly Due[];
  /** Since when it is not well, or null while it is. */
  readonly unwellSince: number | null;
};

export type MachineStart = {
  readonly name: string;
  readonly nature: Nature;
  readonly faults?: readonly Fault[];
  readonly booted: string;
  readonly current: string;
  readonly profile: string;
  readonly generation?: number;
  readonly uptimeMs?: number;
  readonly failedUnits?: readonly string[];
};

const earlierFirst = (a: Due, b: Due): number => a.at - b.at;
const withDue = (machine: SimMachine, ...more: readonly Due[]): SimMachine => ({
  ...machine,
  due: [...machine.due, ...more].sort(earlierFirst),
});

/** What befalls the machine whatever it is doing. A shutdown calls off everything else. */
const fate: ReadonlySet<Due['kind']> = new Set(['crash', 'ill', 'well', 'unit-recovers']);

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
      case 'foreign-deploy':
        return [{ at: now + fault.atMs, kind: 'foreign', toplevel: fault.toplevel }];
      default:
        return [];
    }
  });

export const createMachine = (start: MachineStart, now: number): SimMachine => {
  const faults = start.faults ?? [];
  const failedUnits = start.failedUnits ?? [];
  return {
    name: start.name,
    nature: start.nature,
    faults,
    origin: { booted: start.booted, current: start.current, profile: start.profile, failedUnits },
    power: 'up',
    boots: 0,
    bootedAt: now - (start.uptimeMs ?? 86_400_000),
    booted: start.booted,
    current: start.current,
    profile: start.profile,
    generation: start.generation ?? 1,
    starting: false,
    unready: null,
    ill: null,
    failedUnits,
    units: new Map(),
    rebooting: false,
    due: [...fatesOf(faults, now)].sort(earlierFirst),
    unwellSince: null,
  };
};

export const bootIdNow = ({ name, boots }: SimMachine): string => bootIdOf(name, boots);

export const stateOf = (machine: SimMachine): SystemState =>
  machine.power === 'stopping'
    ? 'stopping'
    : machine.starting
      ? 'starting'
      : machine.failedUnits.length > 0
        ? 'degraded'
        : 'running';

/** The truth that every gate wants to know: up, started, answering, and no unit failed that had not before. */
export const isWell = (machine: SimMachine): boolean =>
  machine.power === 'up' &&
  !machine.starting &&
  machine.unready === null &&
  machine.ill === null &&
  machine.failedUnits.every((unit) => machine.origin.failedUnits.includes(unit));

/** Its services stop answering, and answer again when the cause and the machine's faults let them. */
const restartServices = (machine: SimMachine, cause: 'activation' | 'reboot', at: number): SimMachine => {
  const { nature, faults, origin } = machine;
  const isNew = machine.current !== origin.current;
  const illness = faults.find(
    (fault): fault is Extract<Fault, { kind: 'unhealthy-after' }> =>
      fault.kind === 'unhealthy-after' &&
      // A generation that is bad for ever is bad after its boot too.
      (fault.cause === 'activation'
        ? isNew && (cause === 'activation' || fault.forMs === null)
        : cause === 'reboot'),
  );
  const unit = faults.find(
    (fault): fault is Extract<Fault, { kind: 'unit-fails-after' }> =>
      fault.kind === 'unit-fails-after' && fault.cause === cause && (cause === 'reboot' || isNew),
  );
  const usualMs = cause === 'reboot' ? nature.servicesMs : nature.restartMs;
  const rest = {
    ...machine,
    due: machine.due.filter(({ kind }) => kind !== 'ready'),
    // A unit that only the new generation has does not stay failed without it.
    failedUnits: isNew ? machine.failedUnits : origin.failedUnits,
  };
  const restarting: SimMachine = {
    ...rest,
    unready: cause === 'reboot' ? 'connection refused: still starting' : 'connection refused: restarting',
    failedUnits: unit === undefined ? rest.failedUnits : [...new Set([...rest.failedUnits, unit.unit])],
  };
  return illness?.forMs === null
    ? restarting
    : withDue(restarting, { at: at + usualMs + (illness?.forMs ?? 0), kind: 'ready' });
};

const powerOff = (machine: SimMachine): SimMachine => ({
  ...machine,
  power: 'down',
  units: new Map(),
  due: machine.due.filter(({ kind }) => fate.has(kind)),
});

const boot = (machine: SimMachine, at: number): SimMachine => {
  const { nature, faults } = machine;
  const booted = faultOf(faults, 'old-generation') === null ? machine.profile : machine.booted;
  const loop = faultOf(faults, 'boot-loop');
  const boots = machine.boots + 1;
  const up: SimMachine = {
    ...machine,
    power: 'up',
    boots,
    bootedAt: at,
    booted,
    current: booted,
    starting: true,
    rebooting: false,
    failedUnits: machine.origin.failedUnits,
  };
  const running = restartServices(withDue(up, { at: at + nature.startupMs, kind: 'started' }), 'reboot', at);
  return loop !== null && boots <= loop.times
    ? withDue(running, { at: at + loop.afterMs, kind: 'crash' })
    : running;
};

const apply = (machine: SimMachine, due: Due): SimMachine => {
  const { nature, faults } = machine;
  const { at } = due;
  switch (due.kind) {
    case 'stop': {
      const stopping: SimMachine = { ...machine, power: 'stopping' };
      if (faultOf(faults, 'never-goes-down') !== null) return stopping;
      const slowMs = faultOf(faults, 'slow-shutdown')?.ms ?? 0;
      return withDue(stopping, { at: at + nature.shutdownMs + slowMs, kind: 'down' });
    }
    case 'down': {
      const off = powerOff(machine);
      if (faultOf(faults, 'never-comes-back') !== null) return off;
      return withDue(off, {
        at: at + nature.bootMs + (faultOf(faults, 'slow-boot')?.ms ?? 0),
        kind: 'boot',
      });
    }
    case 'boot':
      return boot(machine, at);
    case 'crash':
      return machine.power === 'down'
        ? machine
        : withDue(powerOff(machine), { at: at + nature.bootMs, kind: 'boot' });
    case 'started':
      return { ...machine, starting: false };
    case 'ready':
      return { ...machine, unready: null };
    case 'ill':
      return { ...machine, ill: due.why };
    case 'well':
      return { ...machine, ill: null };
    case 'unit-fails':
      return { ...machine, failedUnits: [...new Set([...machine.failedUnits, due.unit])] };
    case 'unit-recovers':
      return { ...machine, failedUnits: machine.failedUnits.filter((unit) => unit !== due.unit) };
    case 'profile':
      return due.toplevel === machine.profile
        ? machine
        : { ...machine, profile: due.toplevel, generation: machine.generation + 1 };
    case 'live':
      // What runs already is not restarted.
      return due.toplevel === machine.current || machine.power === 'down'
        ? machine
        : restartServices({ ...machine, current: due.toplevel }, 'activation', at);
    case 'foreign': {
      const { toplevel } = due;
      const theirs = { ...machine, profile: toplevel, current: toplevel, generation: machine.generation + 1 };
      // The faults are those of what we deploy.
      return { ...restartServices({ ...theirs, faults: [] }, 'activation', at), faults };
    }
    case 'unit-ended': {
      const unit = machine.units.get(due.unit);
      if (unit === undefined) return machine;
      return {
        ...machine,
        units: new Map(machine.units).set(due.unit, { ...unit, outcome: due.outcome }),
      };
    }
    default:
      return due satisfies never;
  }
};

/** The machine as it is at `now`. `tell` hears what happened since it was last looked at. */
export const advance = (
  machine: SimMachine,
  now: number,
  tell?: (due: Due, after: SimMachine) => void,
): SimMachine => {
  let current = machine;
  for (let [due] = current.due; due !== undefined && due.at <= now; [due] = current.due) {
    const after = apply({ ...current, due: current.due.slice(1) }, due);
    current = {
      ...after,
      unwellSince: isWell(after) ? null : (current.unwellSince ?? due.at),
    };
    tell?.(due, current);
  }
  return current;
};

/** Shuts down a second from now, as the trigger's timer does; a shutdown that is under way is not begun again. */
export const beginReboot = (machine: SimMachine, now: number): SimMachine =>
  withDue({ ...machine, rebooting: true }, { at: now + 1_000, kind: 'stop' });
