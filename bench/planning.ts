import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type Benchmark, inTurns, measured, msRow, ratioRow } from './harness.ts';

/** Planning a fleet: problems, order, waves and the whole plan with its steps, from what was evaluated and observed. */

const machines = 1_000;
const targetMs = 50;
const deadlineMs = 60_000;
const script = fileURLToPath(new URL('planning-round.ts', import.meta.url));
const Round = z.object({
  firstMs: z.number(),
  firstCpuMs: z.number(),
  firstRoundTripMs: z.number(),
  warmMs: z.number(),
  warmRoundTripMs: z.number(),
  bytes: z.number(),
});

export const planning: Benchmark = {
  name: 'planning',
  about: `validate, order, waves and plan of ${machines} machines`,
  rounds: 9,
  run: async (rounds, say) => {
    const round = async () =>
      Round.parse(
        JSON.parse(
          (
            await promisify(execFile)(process.execPath, ['--expose-gc', script, String(machines)], {
              timeout: deadlineMs,
            })
          ).stdout,
        ),
      );
    const { all } = await inTurns(rounds, { all: round }, { say });
    const of = (key: keyof z.infer<typeof Round>): readonly number[] => all.map((one) => one[key]);
    const trip = 'JSON round trip';
    return measured(
      [
        msRow('first plan of a process', of('firstMs'), targetMs),
        msRow('… of which on the processor', of('firstCpuMs'), null),
        msRow('once warm', of('warmMs'), targetMs),
        ratioRow('first plan of a process', of('firstMs'), trip, of('firstRoundTripMs'), null),
        ratioRow('once warm', of('warmMs'), trip, of('warmRoundTripMs'), null),
      ],
      [
        `the round trip parses and prints the same fleet, ${Math.round((all[0]?.bytes ?? 0) / 1024)} KiB of JSON`,
        'each round is a process of its own, with the compile cache that lab uses too',
      ],
    );
  },
};
