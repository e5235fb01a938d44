import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { caseNamed, crashFaults, crashScenario } from '../test/simulation/crash-scenarios.ts';
import { firstBrokenCase } from '../test/simulation/every-case.ts';
import { whyBroken } from '../test/simulation/haul.ts';
import { randomScenario } from '../test/simulation/random-scenario.ts';
import { describeScenario, type Scenario } from '../test/simulation/scenario.ts';
import { shrink } from '../test/simulation/shrink.ts';
import { type SimulateOptions, simulate } from '../test/simulation/simulate.ts';
import { tripNamed } from '../test/simulation/trip-scenarios.ts';
import { simulateTwo } from '../test/simulation/two-orchestrators.ts';
import { describeTwo, randomTwo } from '../test/simulation/two-scenarios.ts';
import { haulAll } from './sim-haul.ts';

/** The long haul, and the replay of one seed: `npm run sim -- --help`. */

const usage =
  'npm run sim -- [--seed N [--whole] | --two N | --crash CASE | --crashes | --runs N [--from N] [--both] [--workers N|all] [--first]] [--machines N]';

/** Broken seeds after which the haul gives up. */
const brokenMax = 20;
const defaults = { from: 1, runs: 2_000, workers: 1 } as const;

const help = `${usage}

One run, with everything that happens in it:
  --seed N       of this seed; one that breaks a rule is first shrunk to what it takes to break it
  --whole        shrink nothing
  --two N        two orchestrators over one fleet
  --crash CASE   one death of the engine, named as the tests name it

Many runs, of which only those that break a rule are told:
  --crashes      every death of the engine under every fault, and every round trip going wrong, over one small fleet
  --runs N       so many seeds (default: ${defaults.runs})
  --from N       the first of them (default: ${defaults.from}, and the tests try the first 1500 each time): the same seeds
                 give the same runs, so only a number that nobody has begun with yet tries anything new
  --both         two orchestrators over one fleet in each
  --workers N    on so many threads, or "all" (default: ${defaults.workers})
  --first        end at the first that breaks a rule (default: after ${brokenMax})

  --machines N   every fleet of this size (default: the seed says)
  --help         this

Exit code: 0 where no rule was broken, 1 where one was, 2 for words that make no sense.

Examples:
  npm run sim -- --seed 7
  npm run sim -- --crash app/3/after/17/500
  npm run sim -- --runs 1000000 --from 50000000 --workers all
  npm run sim -- --both --runs 20000 --from 300000 --first
`;

// `| head` is a fine way to read a trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const refuse = (why: string): never => {
  process.stderr.write(`${why}\n${usage}\n\`npm run sim -- --help\` tells of each.\n`);
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
        crashes: { type: 'boolean', default: false },
        two: { type: 'string' },
        both: { type: 'boolean', default: false },
        runs: { type: 'string' },
        from: { type: 'string' },
        machines: { type: 'string' },
        workers: { type: 'string' },
        first: { type: 'boolean' },
        whole: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
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

const nameOfSeed = (seed: number, size: number | undefined): string =>
  `--seed ${seed}${size === undefined ? '' : ` --machines ${size}`}`;

/** The same scenario with all taken away that does not matter to how it breaks. */
const shrunk = async (scenario: Scenario): Promise<Scenario> => {
  const breakOf = async (tried: Scenario): Promise<string | null> => {
    try {
      await simulate(tried);
      return null;
    } catch (error) {
      // Names and numbers change as things are taken away.
      return whyBroken(error).replaceAll(/m\d|\d+|\/nix\/store\/\S+/gu, '_');
    }
  };
  const whole = await breakOf(scenario);
  return whole === null ? scenario : shrink(scenario, async (tried) => (await breakOf(tried)) === whole);
};

const scenarioOfCrash = (name: string): Scenario => {
  const trip = tripNamed(name);
  if (trip !== null) return trip;
  const tried = caseNamed(name);
  if (tried === null || (tried.fault ?? 0) >= crashFaults.length)
    return refuse(`--crash: a case such as app/3/after/17/500, not "${name}"`);
  return crashScenario(tried);
};

const { seed, crash, crashes, two, both, runs, from, machines, workers, first, whole, ...asked } =
  readArguments();
if (asked.help === true) {
  process.stdout.write(help);
  process.exit(0);
}
if ([seed, crash, two, runs, crashes ? '' : undefined].filter((given) => given !== undefined).length > 1)
  refuse('one of --seed, --two, --crash, --crashes and --runs at a time');
if (runs !== undefined && Number(runs) === 0) refuse('--runs: 0 would show nothing');
const size = machines === undefined ? undefined : wholeNumber('machines', machines);
const replayOne = (name: string, scenario: Scenario): Promise<boolean> =>
  replay(name, describeScenario(scenario), (options) => simulate(scenario, options));
const replaySeed = async (number: number): Promise<boolean> => {
  const scenario = randomScenario(number, size);
  return replayOne(`seed ${number}`, whole === true ? scenario : await shrunk(scenario));
};
const replayTwo = (number: number): Promise<boolean> =>
  replay(`two ${number}`, describeTwo(randomTwo(number)), (options) =>
    simulateTwo(randomTwo(number), options),
  );
const tryEveryCase = async (): Promise<boolean> => {
  const broken = await firstBrokenCase();
  const { name, why } = broken ?? {};
  process.stdout.write(
    broken === null ? 'no case breaks a rule\n' : `case ${name}: ${why}\n  npm run sim -- --crash ${name}\n`,
  );
  return broken === null;
};
const good = crashes
  ? await tryEveryCase()
  : seed !== undefined
    ? await replaySeed(wholeNumber('seed', seed))
    : crash !== undefined
      ? await replayOne(`crash ${crash}`, scenarioOfCrash(crash))
      : two !== undefined
        ? await replayTwo(wholeNumber('two', two))
        : await haulAll({
            from: wholeNumber('from', from ?? String(defaults.from)),
            runs: wholeNumber('runs', runs ?? String(defaults.runs)),
            size: size ?? null,
            both,
            workers: Math.max(
              1,
              workers === 'all'
                ? availableParallelism()
                : wholeNumber('workers', workers ?? String(defaults.workers)),
            ),
            brokenMax: first === true ? 1 : brokenMax,
            onBroken: (number, why) =>
              process.stdout.write(
                `seed ${number}: ${why}\n  npm run sim -- ${both ? `--two ${number}` : nameOfSeed(number, size)}\n`,
              ),
          });
process.exitCode = good ? 0 : 1;
