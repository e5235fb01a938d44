import { parseArgs } from 'node:util';
import { caseNamed, crashFaults, crashScenario } from '../test/simulation/crash-scenarios.ts';
import { randomScenario } from '../test/simulation/random-scenario.ts';
import { describeScenario, type Scenario } from '../test/simulation/scenario.ts';
import { type SimulateOptions, simulate } from '../test/simulation/simulate.ts';
import { simulateTwo } from '../test/simulation/two-orchestrators.ts';
import { describeTwo, randomTwo } from '../test/simulation/two-scenarios.ts';

/**
 * The long haul, and the replay of one seed:
 *   npm run sim -- --seed 42         one run with everything that happens in it
 *   npm run sim -- --crash CASE      one death of the engine, named as the tests name it
 *   npm run sim -- --runs 1000000    that many seeds, from --from on (default: 1)
 *   npm run sim -- --two 42          two orchestrators over one fleet, with everything that happens
 * `--both` makes a haul of runs of two orchestrators; `--machines N` gives every fleet that size; otherwise the seed says.
 */

const usage =
  'npm run sim -- [--seed N | --two N | --crash CASE | --runs N [--from N] [--both]] [--machines N]';

// `| head` is a fine way to read a trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const refuse = (why: string): never => {
  process.stderr.write(`${why}\n${usage}\n`);
  process.exit(2);
};

const wholeNumber = (name: string, text: string): number =>
  /^\d{1,15}$/u.test(text) ? Number(text) : refuse(`--${name}: a whole number, not "${text}"`);

const readArguments = () => {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string' },
        crash: { type: 'string' },
        two: { type: 'string' },
        both: { type: 'boolean', default: false },
        runs: { type: 'string' },
        from: { type: 'string' },
        machines: { type: 'string' },
      },
      strict: true,
    });
    return values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
};

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(3).padStart(11)} s`;

/** One run with its trace. Effects and what befalls machines stand between the events, each at its time. */
const replay = async (
  name: string,
  described: readonly string[],
  run: (options: SimulateOptions) => Promise<unknown>,
): Promise<boolean> => {
  process.stdout.write(`${name}\n${described.join('\n')}\n\n`);
  const lines: { at: number; line: string }[] = [];
  let broken: unknown = null;
  try {
    await run({ tell: (at, line) => lines.push({ at, line }) });
  } catch (error) {
    broken = error;
  }
  const from = lines[0]?.at ?? 0;
  // What befalls a machine is told when somebody looks; its own time says where it belongs.
  for (const { at, line } of lines.sort((a, b) => a.at - b.at))
    process.stdout.write(`${seconds(at - from)}  ${line}\n`);
  if (broken === null) return true;
  process.stdout.write(`\n${broken instanceof Error ? (broken.stack ?? broken.message) : String(broken)}\n`);
  return false;
};

/** Simulations that share the turns of the event loop: one alone would wait for most of them. */
const abreast = 16;
/** Broken seeds after which the haul gives up. */
const brokenMax = 20;

/** One run of a seed: how it ended. */
const one = async (seed: number, size: number | undefined): Promise<string> =>
  (await simulate(randomScenario(seed, size))).state.ended?.result ?? 'none';
const two = async (seed: number): Promise<string> => {
  const { first, second } = await simulateTwo(randomTwo(seed));
  return [first, second].map(({ state }) => state.ended?.result ?? 'none').join(' and ');
};

const haul = async (
  from: number,
  runs: number,
  size: number | undefined,
  both: boolean,
): Promise<boolean> => {
  const begun = performance.now();
  const cpuBegun = process.cpuUsage();
  const results = new Map<string, number>();
  const count = (result: string): number => {
    const now = (results.get(result) ?? 0) + 1;
    results.set(result, now);
    return now;
  };
  let next = from;
  let broken = 0;
  const lane = async (): Promise<void> => {
    while (next < from + runs && broken < brokenMax) {
      const seed = next++;
      try {
        count(await (both ? two(seed) : one(seed, size)));
      } catch (error) {
        process.stdout.write(
          `seed ${seed}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}\n  npm run sim -- --${both ? 'two' : 'seed'} ${seed}${size === undefined ? '' : ` --machines ${size}`}\n`,
        );
        broken = count('BROKEN');
      }
    }
  };
  await Promise.all(Array.from({ length: abreast }, lane));
  const { user, system } = process.cpuUsage(cpuBegun);
  const total = [...results.values()].reduce((sum, number) => sum + number, 0);
  const summary = [...results].map(([result, number]) => `${number} ${result}`).join(', ');
  process.stdout.write(
    `${total} runs (${summary}) in ${((performance.now() - begun) / 1_000).toFixed(1)} s: ${Math.round((total / (user + system)) * 1e6)} runs per second and core\n`,
  );
  return broken === 0;
};

const scenarioOfCrash = (name: string): Scenario => {
  const tried = caseNamed(name);
  if (tried === null || (tried.fault ?? 0) >= crashFaults.length)
    return refuse(`--crash: a case such as app/3/after/17/500, not "${name}"`);
  return crashScenario(tried);
};

const { seed, crash, two: pair, both, runs, from, machines } = readArguments();
const size = machines === undefined ? undefined : wholeNumber('machines', machines);
const whole = (name: string, scenario: Scenario): Promise<boolean> =>
  replay(name, describeScenario(scenario), (options) => simulate(scenario, options));
const good =
  seed !== undefined
    ? await whole(`seed ${seed}`, randomScenario(wholeNumber('seed', seed), size))
    : crash !== undefined
      ? await whole(`crash ${crash}`, scenarioOfCrash(crash))
      : pair !== undefined
        ? await replay(`two ${pair}`, describeTwo(randomTwo(wholeNumber('two', pair))), (options) =>
            simulateTwo(randomTwo(wholeNumber('two', pair)), options),
          )
        : await haul(wholeNumber('from', from ?? '1'), wholeNumber('runs', runs ?? '2000'), size, both);
process.exitCode = good ? 0 : 1;
