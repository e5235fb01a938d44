import type { ActivateOutcome, ActivateRequest, SshError, Target } from '../ports.ts';
import { beginActivation, isGone, overTheirs } from './activation.ts';
import { faultOf } from './fault.ts';
import type { Hands, Lasting } from './hands.ts';
import { fence, isFenced } from './lease.ts';
import { rootPatience } from './root.ts';
import { awaitWord } from './supervisor.ts';
import type { WorldOptions } from './world.ts';

/** As the real adapter waits: between two tries to reach a machine, and for one command. */
const reconnect = { tries: 5, pauseMs: 3_000 } as const;
const commandDeadlineMs = 30_000;

type Surroundings = Hands & { readonly lasting: Lasting; readonly linesOf: WorldOptions['linesOf'] };

const unknown = (message: string): ActivateOutcome => ({ kind: 'unknown', message });
const neverStarted = (message: string): ActivateOutcome => ({
  kind: 'refused',
  code: null,
  message,
  log: [],
  notStarted: true,
});

/** `Target.activate` over the simulated world: started in a unit of its own, then followed over new connections. */
export const activateOver = (world: Surroundings): Target['activate'] => {
  const { clock, now, look, change, effect, forgetUnit, reach, link, noRoot, lasting, linesOf } = world;

  /** What the start command does on the machine: begins the unit, or finds it there. */
  const begin = (name: string, request: ActivateRequest, asked: string): ActivateOutcome | string | null => {
    if (request.bootId !== undefined && look(name).bootId !== request.bootId)
      return 'it is in another boot than it was looked at in';
    const found = fence(look(name), request.claim, asked, now());
    if (isFenced(found)) return found;
    const left = found.units.get(request.unit);
    const units = new Map(found.units);
    // One that returned, because nobody confirmed it or because it was told to, makes room for another attempt.
    const { verdict, end } = left?.watch ?? { verdict: null, end: null };
    if ((verdict === 'expired' || verdict === 'restore') && end !== null) units.delete(request.unit);
    const before = awaitWord({ ...found, units }, request.unit, now());
    change(before);
    if (before.units.has(request.unit) || faultOf(before.faults, 'starts-nothing') !== null) return null;
    const theirs = overTheirs(before, request);
    if (theirs !== null) return theirs;
    const { toplevel, mode, unit, claim } = request;
    change(beginActivation(before, request, now()));
    const changes =
      !isGone(before, toplevel) &&
      ((mode !== 'boot' && before.current !== toplevel) ||
        (mode !== 'test' && request.supervision === undefined && before.profile !== toplevel));
    effect({ at: now(), machine: name, run: claim.run, kind: 'activate', mode, toplevel, unit, changes });
    return null;
  };

  return async (machine, request, { signal, onProgress }) => {
    const until = now() + request.deadlineMs;
    const given = signal === undefined ? {} : { signal };
    const commandMs = (): number => Math.max(1, Math.min(commandDeadlineMs, until - now()));
    let problem: SshError | null = null;
    let perhapsStarted = false;
    const answers: (ActivateOutcome | string | null)[] = [];
    /** The machine that answered last. */
    let at = machine.name;
    for (let attempt = 1; attempt <= reconnect.tries; attempt += 1) {
      if (attempt > 1) await clock.sleep(reconnect.pauseMs, signal);
      problem = await reach(machine, commandMs(), given, (there) => {
        at = there;
        answers.push(noRoot(there) ?? begin(there, request, machine.name));
      });
      if (problem === null) break;
      perhapsStarted ||= problem.dispatched;
      if (!problem.retryable) break;
    }
    if (problem !== null)
      return perhapsStarted
        ? unknown(`nobody knows whether it was started on ${machine.name}: ${problem.message}`)
        : neverStarted(`the activation was not started on ${machine.name}: ${problem.message}`);
    const answer = answers.at(-1);
    // What keeps it from answering now may be what has begun.
    const notStarted = (why: string): ActivateOutcome => (perhapsStarted ? unknown(why) : neverStarted(why));
    if (typeof answer === 'string')
      return notStarted(`the activation was not started on ${machine.name}: ${answer}`);
    if (answer != null) return answer;
    if (!look(at).units.has(request.unit) && faultOf(look(at).faults, 'starts-nothing') !== null)
      return notStarted(`${machine.name} refused the unit ${request.unit}: Failed to connect to bus`);
    const isInVain = rootPatience(now);
    const cutFor = look(at).faults.find((fault) => fault.kind === 'cut-during' && fault.act === 'activate');
    if (cutFor?.kind === 'cut-during') link.cut(machine.name, cutFor.forMs);
    const lines = linesOf?.(machine.name, request.mode, request.toplevel) ?? [];
    for (let first = true; ; first = false) {
      const ends = look(at).due.find(
        (due) => (due.kind === 'unit-ended' || due.kind === 'returned') && due.unit === request.unit,
      )?.at;
      const leftMs = Math.max(0, Math.min(ends ?? 0, until) - now());
      await lasting(leftMs, first ? lines : [], onProgress, signal);
      if (signal?.aborted === true) return unknown('nobody waits for it any more');
      const lost = await reach(machine, commandMs(), given, (there) => {
        at = there;
      });
      if (now() >= until) return unknown('no end within its deadline');
      if (lost !== null) {
        if (!lost.retryable) return unknown(lost.message);
        await clock.sleep(reconnect.pauseMs, signal);
        continue;
      }
      const refused = noRoot(at);
      if (isInVain(refused !== null)) return unknown(`it goes on unseen: ${refused}`);
      if (refused !== null) {
        await clock.sleep(reconnect.pauseMs, signal);
        continue;
      }
      const truth = look(at);
      const unit = truth.units.get(request.unit);
      if (unit === undefined) return unknown(`${request.unit} is gone: the machine has rebooted`);
      if (unit.outcome === null) continue;
      const neverBegan = unit.outcome.kind === 'refused' && unit.outcome.missing === true;
      if (unit.watch !== null && !neverBegan) {
        change(awaitWord(truth, request.unit, now()));
        const taken =
          unit.outcome.kind !== 'refused' &&
          (unit.watch.end?.kind === 'restored' || unit.watch.end?.kind === 'spared');
        return taken
          ? {
              kind: 'refused',
              code: null,
              message: 'it was live, and was returned since',
              log: [],
              returned: true,
            }
          : unit.outcome;
      }
      forgetUnit(at, request.unit);
      return unit.outcome;
    }
  };
};
