import type { Fault } from '../../src/sim/fault.ts';
import { crashScenario } from './crash-scenarios.ts';
import { toplevelOf } from './fleet.ts';
import type { Scenario } from './scenario.ts';

/** The small fleet of `crash-scenarios.ts`, with one round trip to one of its machines going wrong. */

export const tripMachines = ['nas', 'app', 'desk'] as const;

/** Every way in which a round trip can go wrong. */
export const tripFaults = (trip: number): readonly Fault[] => [
  { kind: 'trip-lost', trip, dispatched: false, forMs: 0 },
  { kind: 'trip-lost', trip, dispatched: true, forMs: 0 },
  { kind: 'trip-lost', trip, dispatched: false, forMs: 25_000 },
  { kind: 'trip-lost', trip, dispatched: true, forMs: 25_000 },
  { kind: 'trip-lost', trip, dispatched: true, forMs: 600_000 },
  { kind: 'trip-hangs', trip, dispatched: false },
  { kind: 'trip-hangs', trip, dispatched: true },
  { kind: 'trip-crashes', trip },
  // Between the look before it and this one.
  { kind: 'foreign-deploy', atMs: 0, toplevel: toplevelOf('any', 'foreign'), since: trip },
];

export const tripScenario = (name: (typeof tripMachines)[number], fault: Fault): Scenario => {
  const sound = crashScenario({ fault: null, machine: 'app', crash: null });
  return {
    ...sound,
    starts: sound.starts.map((start) => (start.name === name ? { ...start, faults: [fault] } : start)),
  };
};

/** `trip/app/17/2`: how a case is named where it fails, and given to `npm run sim -- --crash`. Null for another name. */
export const tripNamed = (name: string): Scenario | null => {
  const [, machine, trip, index] = /^trip\/(nas|app|desk)\/(\d{1,4})\/(\d)$/u.exec(name) ?? [];
  const chosen = tripMachines.find((one) => one === machine);
  const fault = tripFaults(Number(trip))[Number(index)];
  return chosen === undefined || fault === undefined ? null : tripScenario(chosen, fault);
};
