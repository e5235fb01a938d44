import type { HealthCheck, Machine } from '../fleet/machine.ts';
import type { Remote } from '../ports.ts';
import type { RunProcess } from '../process/run.ts';
import { sanitiseLines } from '../text/sanitise.ts';
import { failed, type Probe, passed, seconds, untold } from './reading.ts';
import type { TryOptions } from './within.ts';

/** What became of a command, here or on the machine. */
export type CommandEnd = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
};
/** Runs a command to its end, or says what its failure to end means for the check. */
export type RunCommand = (argv: readonly string[], options: TryOptions) => Promise<CommandEnd | Probe>;

const outputBytesMax = 1024 * 1024;

export const isProbe = (end: CommandEnd | Probe): end is Probe => 'verdict' in end;

/** On the machine, as its ssh user. */
export const runOnTarget =
  (remote: Remote, machine: Machine): RunCommand =>
  async (argv, { deadlineMs, signal }) => {
    const answer = await remote.exec(machine, argv, {
      deadlineMs,
      ...(signal === undefined ? {} : { signal }),
      outputBytesMax,
    });
    if (answer.ok) return answer.value;
    const { kind, phase, message } = answer.failure;
    return kind === 'timeout' && phase === 'exec'
      ? failed(`no end within ${seconds(deadlineMs)}`)
      : untold(message);
  };

/** On the orchestrator, as the user that runs `lab`. */
export const runHere =
  (runProcess: RunProcess): RunCommand =>
  async (argv, { deadlineMs, signal }) => {
    const end = await runProcess(argv, {
      deadlineMs,
      // A check that hangs is tried again and again: nothing of it may stay.
      group: true,
      ...(signal === undefined ? {} : { signal }),
      outputCharsMax: outputBytesMax,
    });
    if (end.cancelled) return untold('cancelled');
    if (end.startError !== null) return untold(end.startError);
    if (end.timedOut) return failed(`no end within ${seconds(deadlineMs)}`);
    return end;
  };

/**
 * The configured command, given to a shell of the place it runs at: the text is the user's own. Exit status 0 passes.
 */
export const probeCommand = async (
  check: Extract<HealthCheck, { type: 'command' }>,
  run: RunCommand,
  options: TryOptions,
): Promise<Probe> => {
  const end = await run(['sh', '-c', check.command], options);
  if (isProbe(end)) return end;
  const said = sanitiseLines(end.stderr, 1)[0] ?? sanitiseLines(end.stdout, 1)[0] ?? '';
  if (end.code === 0) {
    const answer = sanitiseLines(end.stdout, 1)[0] ?? '';
    return passed(answer === '' ? 'exit 0' : `exit 0: ${answer}`);
  }
  const how = end.code === null ? `ended by ${end.signal ?? 'a signal'}` : `exit ${end.code}`;
  return failed(said === '' ? how : `${how}: ${said}`);
};
