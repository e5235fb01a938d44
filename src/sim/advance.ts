import { type Fault, faultOf } from './fault.ts';
import { type Due, foreignBy, isWell, type SimMachine, withDue, withProfile } from './machine.ts';
import { bootIdOf } from './random.ts';
import { confirmedUnit, isBusy, returnedUnit, tellSupervisor, unitEnded } from './supervisor.ts';

/** What time makes of a simulated machine: pure. */

/** What befalls the machine whatever it is doing. A shutdown calls off everything else. */
const fate: ReadonlySet<Due['kind']> = new Set([
  'crash',
  'boot-id',
  'ill',
  'well',
  'unit-recovers',
  'occupied',
  'vacated',
]);

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

/** Somebody else deploys to it in a while, where a fault says so of this moment, and has not before. */
export const thenForeign = (machine: SimMachine, since: 'live' | 'boot' | number, at: number): SimMachine => {
  const fault = machine.faults.length === 0 ? null : faultOf(machine.faults, 'foreign-deploy');
  const due = machine.foreignAt !== null || machine.due.some(({ kind }) => kind === 'foreign');
  return fault?.since === since && !due ? withDue(machine, foreignBy(fault, at)) : machine;
};

const foreignAgainMs = 500;

const powerOff = (machine: SimMachine): SimMachine => ({
  ...machine,
  power: 'down',
  units: new Map(),
  occupied: new Map(),
  due: machine.due.filter(({ kind }) => fate.has(kind)),
});

/** A file tells it, which something has covered. */
const withOtherBootId = (machine: SimMachine): SimMachine => ({
  ...machine,
  bootId: bootIdOf(`${machine.name}, covered`, machine.boots),
});

const boot = (machine: SimMachine, at: number): SimMachine => {
  const { nature, faults } = machine;
  const booted = faultOf(faults, 'old-generation') === null ? machine.entry : machine.booted;
  const loop = faultOf(faults, 'boot-loop');
  const boots = machine.boots + 1;
  const up: SimMachine = {
    ...machine,
    power: 'up',
    boots,
    bootId: bootIdOf(machine.name, boots),
    bootedAt: at,
    booted,
    current: booted,
    starting: true,
    rebooting: false,
    failedUnits: machine.origin.failedUnits,
  };
  const started = withDue(thenForeign(up, 'boot', at), { at: at + nature.startupMs, kind: 'started' });
  const running = restartServices(started, 'reboot', at);
  return loop !== null && boots <= loop.times
    ? withDue(running, { at: at + loop.afterMs, kind: 'crash' })
    : running;
};

/** A full /boot still holds what it held: only what is new on it cannot be written. */
const writesEntry = ({ faults, origin }: SimMachine, toplevel: string): boolean =>
  toplevel === origin.profile ||
  toplevel === origin.current ||
  !faults.some((fault) => fault.kind === 'disk-full' && fault.path === 'at-boot-entry');

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
    case 'boot-id':
      return withOtherBootId(machine);
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
      return {
        ...withProfile(machine, due.toplevel, at, due.generation),
        entry: writesEntry(machine, due.toplevel) ? due.toplevel : machine.entry,
      };
    case 'live':
      // What runs already is not restarted.
      return due.toplevel === machine.current || machine.power === 'down'
        ? machine
        : restartServices(
            {
              ...(due.toplevel === machine.origin.current ? machine : thenForeign(machine, 'live', at)),
              current: due.toplevel,
            },
            'activation',
            at,
          );
    case 'foreign': {
      const { toplevel } = due;
      // Only one activation at a time can hold the lock: whoever does not get it tries again.
      if ([...machine.units.values()].some(isBusy))
        return withDue(machine, { ...due, at: at + foreignAgainMs });
      if (due.mode === 'boot')
        return { ...withProfile(machine, toplevel, at, undefined), entry: toplevel, foreignAt: at };
      const theirs = { ...withProfile(machine, toplevel, at, undefined), current: toplevel, entry: toplevel };
      // A service that theirs does not change is not restarted; the faults are those of what we deploy.
      if (machine.unready === null) return { ...theirs, foreignAt: at };
      return { ...restartServices({ ...theirs, faults: [] }, 'activation', at), faults, foreignAt: at };
    }
    case 'occupied':
      return machine.power === 'up'
        ? { ...machine, occupied: new Map(machine.occupied).set(due.by, at) }
        : machine;
    case 'vacated':
      return { ...machine, occupied: new Map([...machine.occupied].filter(([by]) => by !== due.by)) };
    case 'unit-ended':
      return unitEnded(machine, due.unit, due.outcome, at);
    case 'unconfirmed':
      return tellSupervisor(machine, due.unit, 'expired', at);
    case 'returned':
      return returnedUnit(machine, due.unit, due.outcome);
    case 'confirmed':
      return confirmedUnit(machine, due.unit);
    default:
      return due satisfies never;
  }
};

/** The machine as it is at `now`. `tell` hears what happened since it was last looked at. */
export const advance = (
  machine: SimMachine,
  now: number,
  tell?: (after: SimMachine, due: Due, before: SimMachine) => void,
): SimMachine => {
  let current = machine;
  for (let due = current.due[0]; due !== undefined && due.at <= now; due = current.due[0]) {
    const after = apply({ ...current, due: current.due.slice(1) }, due);
    const well = isWell(after);
    const before = current;
    current = {
      ...after,
      unwellSince: well ? null : (current.unwellSince ?? due.at),
      wellSince: well ? (current.wellSince ?? due.at) : null,
    };
    tell?.(current, due, before);
  }
  return current;
};

/** Shuts down a second from now, as the trigger's timer does; a shutdown that is under way is not begun again. */
export const beginReboot = (machine: SimMachine, now: number): SimMachine => {
  const lies = faultOf(machine.faults, 'boot-id-lies')?.from === 'trigger';
  const rebooting = { ...(lies ? withOtherBootId(machine) : machine), rebooting: true };
  return withDue(rebooting, { at: now + 1_000, kind: 'stop' });
};

const ailments: ReadonlySet<Due['kind']> = new Set(['ill', 'crash', 'occupied', 'boot-id']);

/** What ails a machine is over: its services answer, its units run again, and one that hangs or is off boots. */
export const healed = (machine: SimMachine, now: number): SimMachine => {
  const sound: SimMachine = {
    ...machine,
    // Nobody sees that one.
    faults: machine.faults.filter(({ kind }) => kind === 'boot-id-lies'),
    ill: null,
    unready: null,
    failedUnits: machine.failedUnits.filter((unit) => machine.origin.failedUnits.includes(unit)),
    occupied: new Map(),
    due: machine.due.filter(({ kind }) => !ailments.has(kind)),
  };
  const stuck = machine.power !== 'up' && !sound.due.some(({ kind }) => kind === 'down' || kind === 'boot');
  const next = stuck
    ? withDue(machine.power === 'down' ? sound : powerOff(sound), {
        at: now + machine.nature.bootMs,
        kind: 'boot',
      })
    : sound;
  const well = isWell(next);
  return {
    ...next,
    unwellSince: well ? null : (machine.unwellSince ?? now),
    wellSince: well ? (machine.wellSince ?? now) : null,
  };
};
