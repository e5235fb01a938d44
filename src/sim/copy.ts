import type { Machine } from '../fleet/machine.ts';
import type { SshError, Target } from '../ports.ts';
import type { SimMachine } from './machine.ts';
import type { WorldOptions } from './world.ts';

type Given = { readonly signal?: AbortSignal };

/** What of the world a copy needs. */
type Surroundings = {
  readonly look: (name: string) => SimMachine;
  readonly reach: (machine: Machine, deadlineMs: number, given: Given) => Promise<SshError | null>;
  /** Sleeps through `ms`, telling the lines on the way. */
  readonly lasting: (
    ms: number,
    lines: readonly string[],
    onProgress: ((line: string) => void) | undefined,
    signal: AbortSignal | undefined,
  ) => Promise<void>;
  /** Whether the connection is lost in the middle. */
  readonly cut: (machine: Machine, act: 'copy') => boolean;
  readonly linesOf: WorldOptions['linesOf'];
};

/** `Target.copy` over the simulated world. */
export const copyOver =
  ({ look, reach, lasting, cut, linesOf }: Surroundings): Target['copy'] =>
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
    if (problem !== null) return failure(problem.message);
    await lasting(truth.nature.copyMs, linesOf?.(machine.name, 'copy', toplevel) ?? [], onProgress, signal);
    if (signal?.aborted === true) return failure('given up', 'cancelled');
    if (cut(machine, 'copy')) return failure('the connection was lost');
    const lost = await reach(machine, deadlineMs, given);
    if (lost !== null) return failure(lost.message);
    const full = look(machine.name).faults.some(
      (fault) => fault.kind === 'disk-full' && fault.path === 'during-copy',
    );
    return full ? failure('No space left on device', 'disk-full') : { ok: true, value: undefined };
  };
