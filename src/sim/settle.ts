import type { Machine } from '../fleet/machine.ts';
import type { Clock, SshError, Target } from '../ports.ts';
import { faultOf } from './fault.ts';
import type { Link } from './link.ts';
import type { SimMachine } from './machine.ts';
import { tellSupervisor } from './supervisor.ts';
import type { Effect } from './world.ts';

/** How long one word to a supervisor waits for what comes of it, and the pause before it is said again. */
const settleWaitMs = 10_000;
const reconnectPauseMs = 3_000;

/** What of the world a word to a supervisor needs. */
type Surroundings = {
  readonly clock: Clock;
  readonly now: () => number;
  readonly look: (name: string) => SimMachine;
  readonly change: (machine: SimMachine) => void;
  readonly effect: (done: Effect) => void;
  readonly forgetUnit: (name: string, unit: string) => void;
  readonly reach: (
    machine: Machine,
    deadlineMs: number,
    given: { readonly signal?: AbortSignal },
  ) => Promise<SshError | null>;
  readonly link: Link;
};

/** `Target.settle` over the simulated world, as the real adapter does it: said again until the machine has acted. */
export const settleOver =
  ({ clock, now, look, change, effect, forgetUnit, reach, link }: Surroundings): Target['settle'] =>
  async (machine, { unit, verdict, deadlineMs }, given) => {
    const until = now() + deadlineMs;
    let why = 'nobody waits for it any more';
    while (given.signal?.aborted !== true) {
      let problem = await reach(machine, Math.max(1, until - now()), given);
      const fault = verdict === 'confirm' ? faultOf(look(machine.name).faults, 'cut-at-confirm') : null;
      const lost = problem === null && fault !== null && link.cut(machine.name, fault.forMs);
      if (lost && !fault.arrived) problem = link.problem(machine);
      if (problem === null) {
        const before = look(machine.name);
        const told = tellSupervisor(before, unit, verdict, now());
        change(told);
        if (told !== before) effect({ at: now(), machine: machine.name, kind: 'settle', verdict, unit });
        const watch = told.units.get(unit)?.watch ?? null;
        if (lost) continue;
        if (watch === null) return { kind: 'gone' };
        if (watch.end !== null) {
          forgetUnit(machine.name, unit);
          return watch.end;
        }
        why = `${unit} has not ended`;
        const acts = told.due.find(
          (due) => (due.kind === 'confirmed' || due.kind === 'returned') && due.unit === unit,
        );
        // The command itself waits for what comes of its word, for a while.
        if (acts !== undefined) {
          await clock.sleep(Math.min(acts.at - now(), settleWaitMs), given.signal);
          continue;
        }
      } else {
        why = problem.message;
        if (!problem.retryable) break;
      }
      if (now() >= until) break;
      await clock.sleep(Math.max(0, Math.min(reconnectPauseMs, until - now())), given.signal);
    }
    return { kind: 'unknown', message: why };
  };
