import type { SshError, Target } from '../ports.ts';
import { faultOf } from './fault.ts';
import type { Hands, Lasting } from './hands.ts';
import type { WorldOptions } from './world.ts';

/** What of the world a copy needs. */
type Surroundings = Pick<Hands, 'look' | 'reach' | 'link' | 'change'> & {
  readonly lasting: Lasting;
  readonly linesOf: WorldOptions['linesOf'];
};

/** `Target.copy` over the simulated world. */
export const copyOver =
  ({ look, reach, link, change, lasting, linesOf }: Surroundings): Target['copy'] =>
  async (machine, toplevel, { deadlineMs, signal, onProgress }) => {
    const given = signal === undefined ? {} : { signal };
    const truth = look(machine.name);
    const failure = (message: string, kind = 'unreachable') =>
      ({
        ok: false,
        failure: {
          kind,
          machine: machine.name,
          phase: 'copy',
          message,
          remedy: 'see whether it is reachable and has room, then run again',
        },
      }) as const;
    const problem = await reach(machine, deadlineMs, given);
    const kindOf = ({ dispatched }: SshError): string => (dispatched ? 'timeout' : 'unreachable');
    if (problem !== null) return failure(problem.message, kindOf(problem));
    const lastsMs = truth.nature.copyMs + (faultOf(truth.faults, 'slow-copy')?.ms ?? 0);
    await lasting(
      Math.min(lastsMs, deadlineMs),
      linesOf?.(machine.name, 'copy', toplevel) ?? [],
      onProgress,
      signal,
    );
    if (signal?.aborted === true) return failure('given up', 'cancelled');
    if (lastsMs > deadlineMs) return failure(`not there within ${deadlineMs / 1_000} s`, 'timeout');
    const fault = truth.faults.find((one) => one.kind === 'cut-during' && one.act === 'copy');
    if (fault?.kind === 'cut-during' && link.cut(machine.name, fault.forMs))
      return failure('the connection was lost');
    let arrivedAt = machine.name;
    const lost = await reach(machine, deadlineMs, given, (there) => {
      arrivedAt = there;
    });
    if (lost !== null) return failure(lost.message, kindOf(lost));
    const full = look(arrivedAt).faults.some(
      (fault) => fault.kind === 'disk-full' && fault.path === 'during-copy',
    );
    if (full) return failure('No space left on device', 'disk-full');
    // What came to another machine does no harm there, and is missing here.
    if (arrivedAt === machine.name) change({ ...look(arrivedAt), copies: look(arrivedAt).copies + 1 });
    return { ok: true, value: undefined };
  };
