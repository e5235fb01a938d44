import type { HealthCheck, Machine } from '../fleet/machine.ts';
import type { ActivationMode, BootParts, Clock, HealthReport, SshError, Target, Verdict } from '../ports.ts';
import { beginActivation } from './activation.ts';
import { advance, beginReboot } from './advance.ts';
import { copyOver } from './copy.ts';
import { faultOf } from './fault.ts';
import { createLink, type Network, sshError } from './link.ts';
import {
  generationsOf,
  type HealthSeen,
  observationOf,
  preflightFactsOf,
  type Reading,
  reportFor,
  seenOf,
} from './look.ts';
import type { Due, SimMachine } from './machine.ts';
import type { Random } from './random.ts';
import { settleOver } from './settle.ts';
import { awaitWord } from './supervisor.ts';

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
export type Effect = { readonly at: number; readonly machine: string } & (
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
  readonly onHappening?: (machine: SimMachine, due: Due) => void;
  /** Lines that an activation or a copy writes; the demo gives them. */
  readonly linesOf?: (machine: string, act: 'copy' | ActivationMode, toplevel: string) => readonly string[];
  /** Reads one check of a machine that answers; null leaves it to the machine's services. */
  readonly readCheck?: (machine: SimMachine, check: HealthCheck, now: number) => Reading | null;
};

export type World = {
  /** The hands of one process: what sleeps on its clock dies with it. */
  targetOn(clock: Clock): Target;
  /** The truth about a machine, now. */
  look(name: string): SimMachine;
  readonly effects: readonly Effect[];
  /** What the last health reading of a machine saw, and when. */
  lastReading(name: string): HealthSeen | null;
  /** When the machine last answered anything. */
  lastAnswerAt(name: string): number | null;
};

type Options = { readonly signal?: AbortSignal };

/** A call, because the compiler takes a property that was false once for false ever after. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

/** Between two tries to reach a machine in the middle of an activation, as long as the real adapter waits. */
const reconnect = { tries: 5, pauseMs: 3_000 } as const;

export const createWorld = (options: WorldOptions): World => {
  const { random, network } = options;
  const machines = new Map(options.machines.map((machine) => [machine.name, machine]));
  const readings = new Map<string, HealthSeen>();
  const answers = new Map<string, number>();
  const effects: Effect[] = [];

  const look = (name: string): SimMachine => {
    const known = machines.get(name);
    if (known === undefined) throw new TypeError(`the simulated world has no machine "${name}"`);
    const next = advance(known, options.now(), (due, after) => options.onHappening?.(after, due));
    if (next !== known) machines.set(name, next);
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

  const targetOn = (clock: Clock): Target => {
    const cancelled = (machine: Machine): SshError =>
      sshError(machine, 'cancelled', 'given up', { retryable: false });

    /** One round trip: null when it arrived, else why it did not. What follows in the same turn happens on the machine. */
    const reach = async (
      machine: Machine,
      deadlineMs: number,
      { signal }: Options,
    ): Promise<SshError | null> => {
      const slowMs = faultOf(look(machine.name).faults, 'slow-link')?.ms ?? 0;
      const tripMs = random.between(...network.latencyMs) + slowMs;
      await clock.sleep(Math.min(tripMs, deadlineMs), signal);
      if (isAborted(signal)) return cancelled(machine);
      if (tripMs > deadlineMs)
        return sshError(machine, 'timeout', `${machine.name} took longer than ${deadlineMs / 1_000} s`);
      const problem = link.problem(machine);
      if (problem === null) answers.set(machine.name, options.now());
      if (problem?.kind !== 'timeout') return problem;
      await clock.sleep(Math.min(network.silenceMs, deadlineMs) - tripMs, signal);
      return isAborted(signal) ? cancelled(machine) : problem;
    };

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

    const cut = (machine: Machine, act: 'copy' | 'activate'): boolean => {
      const fault = look(machine.name).faults.find(
        (candidate) => candidate.kind === 'cut-during' && candidate.act === act,
      );
      return fault?.kind === 'cut-during' && link.cut(machine.name, fault.forMs);
    };

    const health = async (
      machine: Machine,
      { deadlineMs, signal }: { deadlineMs: number; signal?: AbortSignal },
    ): Promise<HealthReport> => {
      const problem = await reach(machine, deadlineMs, signal === undefined ? {} : { signal });
      const truth = look(machine.name);
      readings.set(machine.name, seenOf(truth, problem === null, options.now()));
      return reportFor(machine, truth, problem, options.now(), options);
    };

    const activate: Target['activate'] = async (machine, request, { signal, onProgress }) => {
      const until = options.now() + request.deadlineMs;
      const given = signal === undefined ? {} : { signal };
      let problem: SshError | null = null;
      for (let attempt = 1; attempt <= reconnect.tries; attempt += 1) {
        if (attempt > 1) await clock.sleep(reconnect.pauseMs, signal);
        problem = await reach(machine, request.deadlineMs, given);
        if (problem === null || !problem.retryable) break;
      }
      if (problem !== null)
        return {
          kind: 'refused',
          code: null,
          message: `the activation was not started on ${machine.name}: ${problem.message}`,
          log: [],
        };
      const found = look(machine.name);
      const left = found.units.get(request.unit);
      const units = new Map(found.units);
      // One that returned because nobody confirmed it makes room for another attempt.
      if (left?.watch?.verdict === 'expired' && left.watch.end !== null) units.delete(request.unit);
      const before = awaitWord({ ...found, units }, request.unit, options.now());
      change(before);
      if (!before.units.has(request.unit)) {
        const { toplevel, mode, unit } = request;
        change(beginActivation(before, request, options.now()));
        const changes =
          (mode !== 'boot' && before.current !== toplevel) ||
          (mode !== 'test' && request.supervision === undefined && before.profile !== toplevel);
        effect({ at: options.now(), machine: machine.name, kind: 'activate', mode, toplevel, unit, changes });
      }
      cut(machine, 'activate');
      const lines = options.linesOf?.(machine.name, request.mode, request.toplevel) ?? [];
      for (let first = true; ; first = false) {
        const ends = look(machine.name).due.find(
          (due) => (due.kind === 'unit-ended' || due.kind === 'returned') && due.unit === request.unit,
        )?.at;
        const leftMs = Math.max(0, Math.min(ends ?? 0, until) - options.now());
        await lasting(leftMs, first ? lines : [], onProgress, signal);
        if (isAborted(signal)) return { kind: 'unknown', message: 'nobody waits for it any more' };
        const lost = await reach(machine, request.deadlineMs, given);
        if (options.now() >= until) return { kind: 'unknown', message: 'no end within its deadline' };
        if (lost !== null) {
          if (!lost.retryable) return { kind: 'unknown', message: lost.message };
          await clock.sleep(reconnect.pauseMs, signal);
          continue;
        }
        const truth = look(machine.name);
        const unit = truth.units.get(request.unit);
        if (unit === undefined)
          return { kind: 'unknown', message: `${request.unit} is gone: the machine has rebooted` };
        if (unit.outcome === null) continue;
        if (unit.watch !== null) {
          change(awaitWord(truth, request.unit, options.now()));
          const taken = unit.outcome.kind !== 'refused' && unit.watch.end?.kind === 'restored';
          return taken
            ? { kind: 'refused', code: null, message: 'it was live, and was returned since', log: [] }
            : unit.outcome;
        }
        forgetUnit(machine.name, request.unit);
        return unit.outcome;
      }
    };

    const settle = settleOver({ clock, now: options.now, look, change, effect, forgetUnit, reach, link });

    const triggerReboot: Target['triggerReboot'] = async (machine, request, given) => {
      const problem = await reach(machine, request.deadlineMs, given);
      if (problem !== null) return { kind: 'refused', message: problem.message };
      const truth = look(machine.name);
      if (truth.bootId !== request.bootId) return { kind: 'already-rebooted', bootId: truth.bootId };
      if (faultOf(truth.faults, 'reboot-refused') !== null)
        return { kind: 'refused', message: 'Access denied' };
      const lost = truth.boots === 0 ? faultOf(truth.faults, 'cut-at-trigger') : null;
      if (lost?.arrived !== false && !truth.rebooting) {
        change(beginReboot(truth, options.now()));
        effect({ at: options.now(), machine: machine.name, kind: 'reboot', bootId: request.bootId });
      }
      return lost === null
        ? { kind: 'triggered' }
        : { kind: 'probably-triggered', message: 'the connection ended before it answered' };
    };

    return {
      observe: async (machine, given) => {
        const problem = await reach(machine, given.deadlineMs, given);
        return observationOf(machine, look(machine.name), problem, options.now(), options.closures);
      },
      preflight: async (machine, given) => {
        const problem = await reach(machine, given.deadlineMs, given);
        return preflightFactsOf(machine, look(machine.name), problem, options.now());
      },
      health,
      generations: async (machine, given) => {
        const problem = await reach(machine, given.deadlineMs, given);
        return generationsOf(machine, look(machine.name), problem, options.closures);
      },
      copy: copyOver({ look, reach, lasting, cut, linesOf: options.linesOf }),
      activate,
      settle,
      triggerReboot,
    };
  };

  return {
    targetOn,
    look,
    effects,
    lastReading: (name) => readings.get(name) ?? null,
    lastAnswerAt: (name) => answers.get(name) ?? null,
  };
};
