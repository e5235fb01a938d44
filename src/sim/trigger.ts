import type { Target, TriggerOutcome } from '../ports.ts';
import { beginReboot } from './advance.ts';
import { faultOf } from './fault.ts';
import type { Hands } from './hands.ts';
import { fence, isFenced } from './lease.ts';

/** `Target.triggerReboot` over the simulated world: comparison of the boot id and trigger are one command. */
export const triggerOver =
  ({ now, look, change, effect, reach, noRoot }: Hands): Target['triggerReboot'] =>
  async (machine, request, given) => {
    const trigger = (there: string): TriggerOutcome => {
      const noRootThere = noRoot(there);
      if (noRootThere !== null) return { kind: 'refused', message: noRootThere };
      const truth = fence(look(there), request.claim, machine.name, now());
      if (isFenced(truth)) return truth;
      change(truth);
      if (truth.bootId !== request.bootId) return { kind: 'already-rebooted', bootId: truth.bootId };
      const refused = { kind: 'refused', message: 'Access denied' } as const;
      if (faultOf(truth.faults, 'reboot-refused') !== null || !truth.systemd) return refused;
      const lost = truth.boots === 0 ? faultOf(truth.faults, 'cut-at-trigger') : null;
      const says = faultOf(truth.faults, 'trigger-lies')?.says;
      if (lost?.arrived !== false && says !== 'triggered' && !truth.rebooting) {
        change(beginReboot(truth, now()));
        const { claim, bootId } = request;
        effect({ at: now(), machine: there, run: claim.run, kind: 'reboot', bootId });
      }
      if (lost !== null)
        return { kind: 'probably-triggered', message: 'the connection ended before it answered' };
      return says === 'refused' ? refused : { kind: 'triggered' };
    };
    let outcome: TriggerOutcome | null = null;
    const problem = await reach(machine, request.deadlineMs, given, (there) => {
      outcome = trigger(there);
    });
    if (problem === null && outcome !== null) return outcome;
    return problem?.dispatched === true
      ? { kind: 'probably-triggered', message: problem.message }
      : { kind: 'refused', message: problem?.message ?? 'it did not answer', unreached: true };
  };
