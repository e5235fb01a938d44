import type { HealthCheck, Machine } from '../fleet/machine.ts';
import type { ActivationMode, BootParts, Clock, HealthReport, Target, Verdict } from '../ports.ts';
import { activateOver } from './activate.ts';
import { advance, healed, thenForeign } from './advance.ts';
import { copyOver } from './copy.ts';
import type { Fault } from './fault.ts';
import { leaseOver } from './lease.ts';
import { createLink, type Network } from './link.ts';
import {
  generationsOf,
  type HealthSeen,
  observationOf,
  preflightFactsOf,
  type Reading,
  reportFor,
  seenOf,
} from './look.ts';
import { type Due, type SimMachine, withDue } from './machine.ts';
import type { Random } from './random.ts';
import { type After, afterOn, askOver, reachBy } from './reach.ts';
import { rootProblemOf } from './root.ts';
import { settleOver } from './settle.ts';
import { triggerOver } from './trigger.ts';

/**
 * The simulated world behind the `Target` port: machines, the network before them, and the truth about both. Every
 * effect is recorded with its time, so that what the engine reports can be held against what was done.
 */

/** What a toplevel holds, as far as anyone asks. */
export type Closure = {
  readonly parts: BootParts;
  readonly kernelRelease: string | null;
  readonly nixosVersion: string | null;
};

/** Something done to a machine on our behalf, at the moment the machine began to do it. */
export type Effect = { readonly at: number; readonly machine: string; readonly run: string } & (
  | {
      readonly kind: 'activate';
      readonly mode: ActivationMode;
      readonly toplevel: string;
      readonly unit: string;
      /** False when it runs and would boot that already. */
      readonly changes: boolean;
    }
  | { readonly kind: 'reboot'; readonly bootId: string }
  /** The word that a supervisor took. */
  | { readonly kind: 'settle'; readonly verdict: Verdict; readonly unit: string }
);

export type WorldOptions = {
  readonly machines: readonly SimMachine[];
  readonly closures: ReadonlyMap<string, Closure>;
  readonly now: () => number;
  readonly random: Random;
  readonly network: Network;
  readonly onEffect?: (effect: Effect) => void;
  readonly onHappening?: (machine: SimMachine, due: Due, before: SimMachine) => void;
  /** Lines that an activation or a copy writes; the demo gives them. */
  readonly linesOf?: (machine: string, act: 'copy' | ActivationMode, toplevel: string) => readonly string[];
  /** Reads one check of a machine that answers; null leaves it to the machine's services. */
  readonly readCheck?: (machine: SimMachine, check: HealthCheck, now: number) => Reading | null;
};

export type World = {
  /** The hands of one process: what sleeps on its clock dies with it. */
  targetOn(clock: Clock & { readonly after?: After }): Target;
  /** The truth about a machine, now. */
  look(name: string): SimMachine;
  /** Somebody sees to the machine: nothing ails it any more, and it is switched on where it was off. */
  heal(name: string): void;
  readonly effects: readonly Effect[];
  /** What the last health reading of a machine saw, and when. */
  lastReading(name: string): HealthSeen | null;
  /** When somebody last saw what the machine runs. */
  lastLookAt(name: string): number | null;
  /** How many round trips to it were begun. */
  tripsTo(name: string): number;
};

/** A machine, and what is kept about it. */
type Place = {
  machine: SimMachine;
  trips: number;
  reading: HealthSeen | null;
  lookedAt: number | null;
};

/** A call, because the compiler takes a property that was false once for false ever after. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

export const createWorld = (options: WorldOptions): World => {
  const { random, network } = options;
  const places = new Map<string, Place>(
    options.machines.map((machine) => [machine.name, { machine, trips: 0, reading: null, lookedAt: null }]),
  );
  const effects: Effect[] = [];
  const placeOf = (name: string): Place => {
    const place = places.get(name);
    if (place === undefined) throw new TypeError(`the simulated world has no machine "${name}"`);
    return place;
  };
  const lookAt = (place: Place): SimMachine => {
    // Asked many times more often than anything happens.
    const due = place.machine.due[0];
    if (due === undefined) return place.machine;
    const now = options.now();
    if (due.at <= now) place.machine = advance(place.machine, now, options.onHappening);
    return place.machine;
  };
  const look = (name: string): SimMachine => lookAt(placeOf(name));
  const setOut = (name: string): { readonly trip: number; readonly faults: readonly Fault[] } => {
    const place = placeOf(name);
    place.trips += 1;
    return { trip: place.trips, faults: lookAt(place).faults };
  };
  const change = (machine: SimMachine): void => {
    placeOf(machine.name).machine = machine;
  };
  const forgetUnit = (name: string, unit: string): void => {
    const truth = look(name);
    const units = new Map(truth.units);
    units.delete(unit);
    change({ ...truth, units });
  };
  const effect = (done: Effect): void => {
    effects.push(done);
    options.onEffect?.(done);
  };

  const link = createLink(network, random, { now: options.now, look });

  const targetOn: World['targetOn'] = (clock) => {
    const ask = askOver({
      after: clock.after ?? afterOn(clock),
      now: options.now,
      random,
      network,
      link,
      setOut,
      crash: (name) => change(withDue(look(name), { at: options.now(), kind: 'crash' })),
      deployed: (name, trip) => change(thenForeign(look(name), trip, options.now())),
    });

    const reach = reachBy(ask);

    /** Sleeps through `ms`, telling the lines on the way. */
    const lasting = async (
      ms: number,
      lines: readonly string[],
      onProgress: ((line: string) => void) | undefined,
      signal: AbortSignal | undefined,
    ): Promise<void> => {
      const pauseMs = ms / (lines.length + 1);
      for (const line of lines) {
        await clock.sleep(pauseMs, signal);
        if (isAborted(signal)) return;
        onProgress?.(line);
      }
      await clock.sleep(pauseMs, signal);
    };

    const health = (
      machine: Machine,
      given: { readonly deadlineMs: number; readonly signal?: AbortSignal },
    ): Promise<HealthReport> =>
      ask(machine, given.deadlineMs, given, (problem, there) => {
        const place = placeOf(there);
        const truth = lookAt(place);
        if (problem === null) place.lookedAt = options.now();
        place.reading = seenOf(truth, problem === null, options.now());
        return reportFor(machine, truth, problem, options.now(), options);
      });

    const noRoot = (name: string): string | null => rootProblemOf(look(name), options.now() - link.startedAt);
    const hands = { clock, now: options.now, look, change, effect, forgetUnit, ask, reach, link, noRoot };

    return {
      lease: leaseOver(hands),
      observe: (machine, given) =>
        ask(machine, given.deadlineMs, given, (problem, there) => {
          const place = placeOf(there);
          if (problem === null) place.lookedAt = options.now();
          return observationOf(machine, lookAt(place), problem, options.now(), options.closures);
        }),
      preflight: (machine, given) =>
        ask(machine, given.deadlineMs, given, (problem, there) =>
          preflightFactsOf(machine, look(there), problem, options.now(), noRoot(there)),
        ),
      health,
      generations: (machine, given) =>
        ask(machine, given.deadlineMs, given, (problem, there) =>
          generationsOf(machine, look(there), problem, options.closures),
        ),
      copy: copyOver({ ...hands, lasting, linesOf: options.linesOf }),
      activate: activateOver({ ...hands, lasting, linesOf: options.linesOf }),
      settle: settleOver(hands),
      triggerReboot: triggerOver(hands),
    };
  };

  return {
    targetOn,
    look,
    heal: (name) => change(healed(look(name), options.now())),
    effects,
    lastReading: (name) => placeOf(name).reading,
    lastLookAt: (name) => placeOf(name).lookedAt,
    tripsTo: (name) => placeOf(name).trips,
  };
};
