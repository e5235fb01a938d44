import { z } from 'zod';
import type { LabOptions } from '../cli/lab.ts';
import { fail, ok, type Result } from '../failure.ts';
import type { RunWork } from '../flow/runs.ts';
import { startDetached } from '../process/detached.ts';
import { FailureRecord, type RunId } from '../run/event.ts';

/** What an engine is told on its stdin: one run, new or to be resumed, and how its flake is opened. */
export type EngineOrder = {
  readonly run: RunId;
  readonly via: 'cli' | 'tui';
  readonly work: RunWork;
  readonly options: LabOptions;
  readonly cwd: string;
};

/** The one line an engine says: that its run has begun, or why it could not. */
export const EngineAnswer = z.union([
  z.object({ begun: z.literal(true) }),
  z.object({ failure: FailureRecord }),
]);

/** For an answer, or a sign of life. Opening a journal and a lock takes milliseconds; under heavy load it gets its time. */
const answerDeadlineMs = 60_000;

/** Starts the engine of one run and returns once the run has begun; the engine then goes on by itself. */
export const startEngine = async (
  argv: readonly string[],
  order: EngineOrder,
  logPath: string,
): Promise<Result<void>> => {
  const line = await startDetached(argv, {
    stdin: JSON.stringify(order),
    logPath,
    deadlineMs: answerDeadlineMs,
  });
  const broken = (why: string): Result<void> =>
    fail({
      kind: 'engine',
      machine: null,
      phase: 'start',
      message: `the engine of the run could not be started: ${why}`,
      remedy: `look at ${logPath}`,
    });
  if (!line.ok) return broken(line.failure);
  const answer = (() => {
    try {
      return EngineAnswer.safeParse(JSON.parse(line.value)).data ?? null;
    } catch {
      return null;
    }
  })();
  if (answer === null) return broken('it said nothing that can be understood');
  return 'begun' in answer ? ok(undefined) : fail(answer.failure);
};
