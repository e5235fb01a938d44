import { type Failure, fail, type Result } from '../../failure.ts';
import { latestRun } from '../../flow/latest-run.ts';
import { openRun, type Runs } from '../../flow/runs.ts';
import type { SteerAsk } from '../../run/event.ts';
import { doesNothing } from '../../run/left-out.ts';
import { progressOf } from '../../run/progress.ts';
import { exitCodes } from '../../run/report.ts';
import type { RunState } from '../../run/state.ts';
import { namesFor, whyNotSteer } from '../../run/steer.ts';
import type { Cli } from '../lab.ts';
import { watchRun } from './act.ts';
import { chosenRun, runThatLives } from './steer.ts';
import { done, printLines, usage, useRuns } from './with-lab.ts';

/** skip, retry: what is asked of one machine of a run. */

/** The process of a run looks for what is asked of it several times a second. */
const answerWithinMs = 15_000;
const lookEveryMs = 100;

type Answer =
  | { readonly kind: 'steered' | 'ended' | 'none' | 'left' }
  | { readonly kind: 'refused'; readonly why: string };

/** What the run says to what was asked of it, once it has. `left`: nobody waits for it any more. */
const answerOf = async (
  runs: Runs,
  state: RunState,
  { what, machine }: SteerAsk,
  leave: AbortSignal,
): Promise<Answer> => {
  const until = runs.clock.elapsed() + answerWithinMs;
  for (let after = state.lastSeq; ; ) {
    for (const { seq, body } of runs.journal.eventsOf(state.run, after)) {
      after = seq;
      if (body.kind === 'run-ended') return { kind: 'ended' };
      if (body.kind !== 'steered' && body.kind !== 'steer-refused') continue;
      if (body.what !== what || body.machine !== machine || body.by !== runs.who) continue;
      return body.kind === 'steered' ? { kind: 'steered' } : { kind: 'refused', why: body.why };
    }
    if (leave.aborted) return { kind: 'left' };
    if (runs.clock.elapsed() >= until) return { kind: 'none' };
    await runs.clock.sleep(lookEveryMs, leave);
  }
};

/** What becomes of the machine now that the run, which was seen so, has taken what was asked. */
const saysOf = (state: RunState, { what, machine }: SteerAsk): string => {
  if (what === 'retry')
    return `${machine} is tried again when its turn comes: looked at anew first (\`lab attach\` shows it)`;
  const entry = state.plan?.machines.find((each) => each.machine.name === machine);
  const open = entry === undefined ? [] : progressOf(state, entry).open;
  const [cut] = open
    .filter(doesNothing)
    .map(({ kind }) => (kind === 'copy' || kind === 'delay' ? kind : 'look'));
  return `${machine} is left out${cut === undefined ? '' : `: its ${cut} is given up`}; the run goes on without it (\`lab attach\` shows it)`;
};

/** The run that is meant, where it can do what is asked. */
const runFor = (runs: Runs, ask: SteerAsk, id: string | undefined): Result<RunState> => {
  const chosen = chosenRun(runs, id ?? openRun(runs)?.run ?? latestRun(runs.journal) ?? undefined);
  if (!chosen.ok) return chosen;
  const { run, ended } = chosen.value;
  const lives = ended === null ? runThatLives(runs, run) : chosen;
  if (!lives.ok) return lives;
  const no = whyNotSteer(lives.value, ask);
  return no === null
    ? lives
    : usage(`not ${ask.what === 'skip' ? 'skipped' : 'tried again'}: ${no.message}`, no.remedy);
};

/** `with nas` where it is a dependent that is tried again because nas is. */
const along = (name: string, { machine }: SteerAsk): string => (name === machine ? '' : ` with ${machine}`);

const unconfirmed = (names: readonly string[], ask: SteerAsk): Failure => ({
  kind: 'confirmation',
  machine: names[0] ?? null,
  phase: 'confirm',
  message: `${names.map((name) => `${name} is critical: trying it again${along(name, ask)} needs its name`).join('; ')}`,
  remedy: `see to ${names.length === 1 ? 'it' : 'them'} first, then give ${names.map((name) => `--confirm ${name}`).join(' ')}`,
});

/**
 * Has a machine left out of a run, or what failed on it tried again. A run under way answers by itself; one that has
 * ended is taken up again for it, and watched to its end. `confirmed`: critical machines named on the command line.
 */
export const steerMachine = (
  cli: Cli,
  ask: SteerAsk,
  id: string | undefined,
  confirmed: readonly string[],
): Promise<void> =>
  useRuns(cli, async (runs) => {
    let lives = runFor(runs, ask, id);
    if (!lives.ok) return lives;
    const typed = new Set(confirmed);
    const missing = (state: RunState): readonly string[] =>
      namesFor(state, ask).filter((name) => !typed.has(name));
    // Much may have happened while a question stood, so each is followed by another look.
    for (let [name] = missing(lives.value); name !== undefined; [name] = missing(lives.value)) {
      if (!cli.interactive) return fail(unconfirmed(missing(lives.value), ask));
      const answer = await cli.ask(
        `${name} is critical. Type its name to try it again${along(name, ask)}: `,
        cli.stop,
      );
      if (answer?.trim() !== name) {
        printLines(cli, [`not tried again: the name of ${name} was not typed`]);
        cli.setExitCode(exitCodes.interrupted);
        return done;
      }
      typed.add(name);
      lives = runFor(runs, ask, lives.value.run);
      if (!lives.ok) return lives;
    }
    const { run, ended } = lives.value;
    if (ended !== null) {
      const resumed = await runs.resume(run, ask);
      return resumed.ok ? watchRun(cli, runs, run, false, null) : resumed;
    }
    runs.journal.ask(run, ask.what, runs.who, ask.machine);
    const leave = AbortSignal.any([cli.stop, cli.hangup]);
    const answer = await answerOf(runs, lives.value, ask, leave);
    switch (answer.kind) {
      case 'steered':
        printLines(cli, [`run ${run}: ${saysOf(lives.value, ask)}`]);
        return done;
      case 'refused':
        return usage(`run ${run} did not: ${answer.why}`, '`lab attach` shows where it is');
      case 'ended':
        return usage(
          `run ${run} ended before it heard of it`,
          '`lab journal --report` tells of it; ask again',
        );
      case 'none':
        return usage(
          `run ${run} has not answered within ${answerWithinMs / 1_000} s`,
          'it may yet: `lab attach` shows it, and the record keeps its answer',
        );
      case 'left':
        printLines(cli, [
          `run ${run} has not answered yet. What was asked stays in the journal, and the run may still do it: \`lab attach\` shows it`,
        ]);
        cli.setExitCode(exitCodes.interrupted);
        return done;
      default:
        return answer satisfies never;
    }
  });
