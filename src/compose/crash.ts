import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { systemClock } from '../clock.ts';
import type { Session } from '../flow/session.ts';
import { type Surroundings, stateDirectoryOf } from './surroundings.ts';

/** A screen that broke: a report for whoever mends it, and a way back in. The run, in its own process, goes on. */

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** What was on the screen and under way; nothing of what machines said. */
const reportText = (error: unknown, session: Session, around: Surroundings): string => {
  const { phase, run, demo, evaluation, observations } = session.snapshot();
  return [
    `lab ${around.version}, Node ${process.version}, ${process.platform}, TERM ${around.env.TERM ?? 'not set'}`,
    `at ${new Date(systemClock.now()).toISOString()}, ${process.stdout.columns} x ${process.stdout.rows}`,
    `phase ${phase.kind}, run ${run?.run ?? 'none'}, demo ${demo}`,
    `machines ${evaluation.value?.fleet.machines.length ?? 'not evaluated'}, observed ${observations.size}`,
    '',
    textOf(error),
    '',
  ].join('\n');
};

/** Writes the report and gives its path, or why there is none. */
const writeReport = (text: string, env: Surroundings['env']): string => {
  const folder = join(stateDirectoryOf(env), 'reports');
  const name = `screen-${new Date(systemClock.now()).toISOString().replace(/[:.]/gu, '-')}.txt`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return `The report is in ${join(folder, name)}`;
  } catch (error) {
    return `No report could be written: ${error instanceof Error ? error.message : String(error)}`;
  }
};

/** Tells of it on the plain terminal, and asks whether to open the screen again. */
export const tellCrash = async (
  error: unknown,
  session: Session,
  around: Surroundings,
): Promise<'again' | 'leave'> => {
  const where = writeReport(reportText(error, session, around), around.env);
  const running = session.snapshot().phase.kind === 'running';
  const [first = ''] = textOf(error).split('\n');
  process.stderr.write(
    [
      '',
      'lab: the screen broke, which is a defect of lab.',
      `  ${first}`,
      `  ${where}`,
      ...(running
        ? [
            session.snapshot().demo
              ? '  The run of the demo goes on as long as this process does.'
              : '  The run goes on in its own process; `lab attach` shows it, too.',
          ]
        : []),
      '',
    ].join('\n'),
  );
  if (process.stdin.isTTY !== true) return 'leave';
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = new Promise<string>((resolve) => reader.once('close', () => resolve('q')));
    const answer = await Promise.race([
      reader.question('Enter opens the screen again, q and Enter leaves: ').catch(() => 'q'),
      closed,
    ]);
    return answer.trim().toLowerCase().startsWith('q') ? 'leave' : 'again';
  } finally {
    reader.close();
  }
};
