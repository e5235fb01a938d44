import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type Benchmark, inTurns, measured, median, msRow, ratioRow } from './harness.ts';

/** Simulated runs: the production planner, loop and gates over a simulated fleet, with every rule checked. */

const machines = 6;
const runs = 1_000;
/** 1,000 runs a second and core. */
const targetMs = 1_000;
const deadlineMs = 120_000;
/**
 * As `npm run sim` starts. Simulations leave much young garbage; and a run is a little of very much code, which V8 compiles in
 * half the time, and no slower, where it copies less of it into each place that calls it; sooner for good, where it
 * does not wait for three thousand calls of what a run calls once; and once, without the compiler in between. There are a
 * dozen kinds of steps: by default V8 looks a property up anew once it has seen more than four shapes.
 */
const tuned = [
  '--min-semi-space-size=32',
  '--max-semi-space-size=64',
  '--max-inlined-bytecode-size=150',
  '--max-inlined-bytecode-size-cumulative=300',
  '--invocation-count-for-turbofan=1000',
  '--max-valid-polymorphic-map-count=16',
  '--no-maglev',
];
const script = fileURLToPath(new URL('simulation-round.ts', import.meta.url));
const Round = z.object({ runsMs: z.number(), roundTripMs: z.number(), bytes: z.number() });

export const simulation: Benchmark = {
  name: 'simulation',
  about: `${runs} simulated runs of fleets of ${machines} machines`,
  rounds: 5,
  run: async (rounds, say) => {
    const round = async () =>
      Round.parse(
        JSON.parse(
          (
            await promisify(execFile)(process.execPath, [...tuned, script, String(machines), String(runs)], {
              timeout: deadlineMs,
            })
          ).stdout,
        ),
      );
    const { all } = await inTurns(rounds, { all: round }, { say, warmUp: false });
    const [runsMs, tripMs] = [all.map((one) => one.runsMs), all.map((one) => one.roundTripMs)];
    return measured(
      [
        msRow(`${runs} runs, processor time`, runsMs, targetMs),
        ratioRow(`${runs} runs`, runsMs, 'JSON round trip of as many journals', tripMs, null),
      ],
      [
        `${Math.round(runs / (median(runsMs) / 1_000))} runs per second and core`,
        `these journals are ${Math.round((all[0]?.bytes ?? 0) / 1024 / 1024)} MiB of JSON`,
        `each round is a process of its own with one worker, warmed by ${15 * runs} runs of other seeds`,
      ],
    );
  },
};
