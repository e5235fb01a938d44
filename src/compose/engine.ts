import { rmSync, statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { type Failure, ok, type Result } from '../failure.ts';
import { type ConductDeps, conduct, type Hosting } from '../flow/conduct.ts';
import { resume } from '../flow/resume.ts';
import { Override, overridesMax } from '../plan/override.ts';
import { Goal } from '../plan/plan.ts';
import { signOfLife } from '../process/detached.ts';
import { standIn } from '../process/folder.ts';
import { RunId, SteerAsk } from '../run/event.ts';
import { exitCodeOfFailure, exitCodeOfRun, exitCodes } from '../run/report.ts';
import type { RunState } from '../run/state.ts';
import { openLab } from './lab.ts';
import { dropLastWords, reserveLastWords, writeLastWords } from './last-words.ts';
import type { EngineOrder } from './start-engine.ts';
import { engineLogOf, lastWordsOf, type Surroundings } from './surroundings.ts';

/** The process that executes one run. It says one line, that the run has begun, and then speaks through the journal. */

const pair = z.object({ name: z.string(), url: z.string() });
const Order = z.object({
  run: RunId,
  via: z.enum(['cli', 'tui']),
  cwd: z.string(),
  options: z.object({
    flake: z.string(),
    overrideInputs: z.array(pair),
    nixOptions: z.array(z.object({ name: z.string(), value: z.string() })),
    sshConfig: z.string().nullable(),
    refresh: z.boolean(),
  }),
  work: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('new'),
      request: z.object({
        goal: Goal,
        selectors: z.array(z.string()),
        consent: z.discriminatedUnion('kind', [
          z.object({ kind: z.literal('ask') }),
          z.object({ kind: z.literal('given'), confirmed: z.array(z.string()) }),
        ]),
        overrides: z.array(Override).max(overridesMax).exactOptional(),
      }),
    }),
    z.object({ kind: z.literal('resume'), steer: SteerAsk.exactOptional() }),
  ]),
}) satisfies z.ZodType<EngineOrder>;

/** Before a run takes the place of one that died its flake is evaluated, which may take minutes. */
const signEveryMs = 10_000;

export const runEngine = async (around: Omit<Surroundings, 'cwd'>): Promise<number> => {
  const order = Order.parse(JSON.parse(await text(process.stdin)));
  const signs = setInterval(() => process.stdout.write(`${signOfLife}\n`), signEveryMs);
  let told = false;
  const tell = (answer: { readonly begun: true } | { readonly failure: Failure }): void => {
    clearInterval(signs);
    if (!told) process.stdout.write(`${JSON.stringify(answer)}\n`);
    told = true;
  };
  // A run goes on without its flake: all that it does is in its plan.
  standIn(order.cwd);
  const opened = await openLab(order.options, { ...around, cwd: order.cwd });
  if (!opened.ok) {
    tell({ failure: opened.failure });
    return exitCodes.usage;
  }
  const lab = opened.value;
  const lastWords = lastWordsOf(around.env, order.run);
  let reserved = false;
  let release = (): void => {};
  let gaveUp = false;
  try {
    const plain = lab.conductDeps(order.via);
    if (!plain.ok) {
      tell({ failure: plain.failure });
      return exitCodeOfFailure(plain.failure);
    }
    const deps: ConductDeps = {
      ...plain.value,
      lock: (run) => {
        const locked = plain.value.lock(run);
        if (!locked.ok) return locked;
        // Under the lock: what another engine of this run has to say stays its own.
        const room = reserveLastWords(lastWords);
        if (!room.ok) {
          locked.value.release();
          return room;
        }
        reserved = true;
        // Who sees the lock free asks at once for the last words: it is given back after them.
        release = locked.value.release;
        return ok({ ...locked.value, release: () => {} });
      },
    };
    const hosting: Hosting = { onEvent: () => tell({ begun: true }), ...around.signals };
    const result: Result<RunState> =
      order.work.kind === 'new'
        ? await conduct(deps, order.run, order.work.request, hosting)
        : await resume(deps, order.run, hosting, order.work.steer ?? null);
    if (!result.ok) {
      gaveUp = told;
      if (gaveUp) writeLastWords(lastWords, result.failure);
      tell({ failure: result.failure });
      process.stderr.write(`${result.failure.message}\n${result.failure.remedy}\n`);
      return exitCodeOfFailure(result.failure);
    }
    const { ended } = result.value;
    return ended === null ? exitCodes.failed : exitCodeOfRun(ended.result, ended.failure);
  } finally {
    clearInterval(signs);
    if (reserved && !gaveUp) dropLastWords(lastWords);
    release();
    await lab.close();
    const log = engineLogOf(around.env, order.run);
    if (statSync(log, { throwIfNoEntry: false })?.size === 0) rmSync(log, { force: true });
  }
};
