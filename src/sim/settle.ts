import type { Fenced, Target } from '../ports.ts';
import { faultOf } from './fault.ts';
import type { Hands } from './hands.ts';
import { fence, isFenced } from './lease.ts';
import type { SimMachine } from './machine.ts';
import { rootPatience } from './root.ts';
import { tellSupervisor } from './supervisor.ts';

/** How long one word to a supervisor waits for what comes of it, and the pause before it is said again. */
const settleWaitMs = 10_000;
const reconnectPauseMs = 3_000;
const commandDeadlineMs = 30_000;

/** `Target.settle` over the simulated world, as the real adapter does it: said again until the machine has acted. */
export const settleOver =
  ({ clock, now, look, change, effect, forgetUnit, reach, link, noRoot }: Hands): Target['settle'] =>
  async (machine, { claim, unit, verdict, deadlineMs }, given) => {
    const until = now() + deadlineMs;
    let why = 'nobody waits for it any more';
    const isInVain = rootPatience(now);
    while (given.signal?.aborted !== true) {
      let lost = false;
      let told: SimMachine | Fenced | null = null;
      let refused: string | null = null;
      const say = (there: string): void => {
        refused = noRoot(there);
        if (refused !== null) return;
        const found = look(there);
        const fault = verdict === 'confirm' ? faultOf(found.faults, 'cut-at-confirm') : null;
        lost = fault !== null && link.cut(machine.name, fault.forMs);
        if (lost && fault?.arrived === false) return;
        const before = fence(found, claim, machine.name, now());
        if (isFenced(before)) {
          told = before;
          return;
        }
        told = tellSupervisor(before, unit, verdict, now());
        change(told);
        if (told !== before)
          effect({ at: now(), machine: there, run: claim.run, kind: 'settle', verdict, unit });
      };
      const commandMs = Math.max(1, Math.min(commandDeadlineMs, until - now()));
      const unheard = await reach(machine, commandMs, given, say);
      const problem = lost ? link.problem(machine) : unheard;
      const heard = told as SimMachine | Fenced | null;
      const noRootThere = refused as string | null;
      if (isInVain(problem === null && noRootThere !== null))
        return { kind: 'unknown', message: noRootThere ?? why };
      if (problem === null && heard !== null) {
        if (isFenced(heard)) return heard;
        const watch = heard.units.get(unit)?.watch ?? null;
        if (watch === null) return { kind: 'gone' };
        if (watch.end !== null) {
          forgetUnit(heard.name, unit);
          return watch.end;
        }
        why = `${unit} has not ended`;
        const acts = heard.due.find(
          (due) => (due.kind === 'confirmed' || due.kind === 'returned') && due.unit === unit,
        );
        // The command itself waits for what comes of its word, for a while.
        if (acts !== undefined) {
          await clock.sleep(Math.min(acts.at - now(), settleWaitMs), given.signal);
          continue;
        }
      } else {
        why = problem?.message ?? noRootThere ?? why;
        if (problem?.retryable === false) break;
      }
      if (now() >= until) break;
      await clock.sleep(Math.max(0, Math.min(reconnectPauseMs, until - now())), given.signal);
    }
    return { kind: 'unknown', message: why };
  };
