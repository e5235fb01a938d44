import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { cache } from './cache.ts';
import { evaluation } from './evaluation.ts';
import { type Benchmark, isOver, missing, type Outcome } from './harness.ts';
import { planning } from './planning.ts';
import { screen } from './screen.ts';
import { dataOf, linesOf } from './show.ts';
import { simulation } from './simulation.ts';
import { startup } from './startup.ts';
import { sweep } from './sweep.ts';

/**
 * `npm run bench`. Exit status: 0 measured, whatever came out · 1 with `--check`, something is over its target ·
 * 2 usage · 3 a benchmark could not be run.
 */

const benchmarks: readonly Benchmark[] = [startup, planning, simulation, cache, evaluation, sweep, screen];
const roundsMax = 1_000;

const usage = `npm run bench -- [--only NAME]… [--rounds N] [--json] [--check]
  NAME: ${benchmarks.map(({ name }) => name).join(', ')}
`;
const refuse = (why: string): never => {
  process.stderr.write(`${why}\n${usage}`);
  process.exit(2);
};

const readArguments = () => {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string' },
        json: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
      strict: true,
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
};

const { only, rounds: roundsGiven, json, check, help } = readArguments();
if (help) {
  process.stdout.write(usage);
  process.exit(0);
}
const unknown = only.find((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown !== undefined) refuse(`--only: there is no benchmark "${unknown}"`);
if (roundsGiven !== undefined && !(/^[1-9]\d{0,3}$/u.test(roundsGiven) && Number(roundsGiven) <= roundsMax))
  refuse(`--rounds: a number from 1 to ${roundsMax}, not "${roundsGiven}"`);

/** One line of progress on a terminal, nothing elsewhere. */
const say = (progress: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${progress}`);
};

const attempt = async (benchmark: Benchmark, rounds: number): Promise<Outcome> => {
  try {
    return await benchmark.run(rounds, (progress) => say(`${benchmark.name}: ${progress}`));
  } catch (error) {
    return missing(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    say('');
  }
};

const cores = cpus();
const place = `${cores.length} × ${cores[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`;
/** Processes that wanted to run in the last minute. What is measured here while others work says little. */
const loadBefore = loadavg()[0] ?? 0;
const busy = loadBefore > cores.length / 2;
if (!json)
  process.stdout.write(
    `${place}; load before ${loadBefore.toFixed(1)}${busy ? ': OTHERS ARE AT WORK HERE, the spread tells how much' : ''}\n`,
  );

const data: object[] = [];
let failures = 0;
let over = 0;
for (const benchmark of benchmarks) {
  if (only.length > 0 && !only.includes(benchmark.name)) continue;
  const rounds = roundsGiven === undefined ? benchmark.rounds : Number(roundsGiven);
  const outcome = await attempt(benchmark, rounds);
  if (outcome.kind === 'missing') failures += 1;
  else over += outcome.report.rows.filter((row) => isOver(row) === true).length;
  if (json) data.push(dataOf(benchmark, rounds, outcome));
  else process.stdout.write(`\n${linesOf(benchmark, rounds, outcome).join('\n')}\n`);
}

const at = new Date().toISOString();
if (json)
  process.stdout.write(
    `${JSON.stringify({ schema: 'lab/bench/1', at, place, loadBefore, benchmarks: data }, null, 2)}\n`,
  );
else process.stdout.write(`\n${over} over target, ${failures} could not be run\n`);
process.exitCode = failures > 0 ? 3 : check && over > 0 ? 1 : 0;
