import type { HealthCheck, Machine } from '../fleet/machine.ts';
import type { ActivationMode, BootParts, Clock, HealthReport, Target, Verdict } from '../ports.ts';
import { activateOver } from './activate.ts';
import { advance, healed, thenForeign } from './advance.ts';
import { copyOver } from './copy.ts';
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

/** A call, because the compiler takes a property that was false once for false ever after. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

export const createWorld = (options: WorldOptions): World => {
  const { random, network } = options;
  const machines = new Map(options.machines.map((machine) => [machine.name, machine]));
  const readings = new Map<string, HealthSeen>();
  const looks = new Map<string, number>();
  const effects: Effect[] = [];
  const trips = new Map<string, number>();
  const nextTrip = (name: string): number => {
    const trip = (trips.get(name) ?? 0) + 1;
    trips.set(name, trip);
    return trip;
  };

  const look = (name: string): SimMachine => {
    const known = machines.get(name);
    if (known === undefined) throw new TypeError(`the simulated world has no machine "${name}"`);
    // Asked many times more often than anything happens.
    const due = known.due[0];
    if (due === undefined) return known;
    const now = options.now();
    if (due.at > now) return known;
    const next = advance(known, now, options.onHappening);
    machines.set(name, next);
    return next;
  };
  const change = (machine: SimMachine): void => void machines.set(machine.name, machine);
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
      look,
      nextTrip,
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
        const truth = look(there);
        if (problem === null) looks.set(there, options.now());
        readings.set(there, seenOf(truth, problem === null, options.now()));
        return reportFor(machine, truth, problem, options.now(), options);
      });

    const noRoot = (name: string): string | null => rootProblemOf(look(name), options.now() - link.startedAt);
    const hands = { clock, now: options.now, look, change, effect, forgetUnit, ask, reach, link, noRoot };

    return {
      lease: leaseOver(hands),
      observe: (machine, given) =>
        ask(machine, given.deadlineMs, given, (problem, there) => {
          if (problem === null) looks.set(there, options.now());
          return observationOf(machine, look(there), problem, options.now(), options.closures);
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
    lastReading: (name) => readings.get(name) ?? null,
    lastLookAt: (name) => looks.get(name) ?? null,
    tripsTo: (name) => trips.get(name) ?? 0,
  };
};
