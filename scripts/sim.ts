import { parseArgs } from 'node:util';
import { caseNamed, crashFaults, crashScenario } from '../test/simulation/crash-scenarios.ts';
import { randomScenario } from '../test/simulation/random-scenario.ts';
import { describeScenario, type Scenario } from '../test/simulation/scenario.ts';
import { simulate } from '../test/simulation/simulate.ts';

/**
 * The long haul, and the replay of one seed:
 *   npm run sim -- --seed 42         one run with everything that happens in it
 *   npm run sim -- --crash CASE      one death of the engine, named as the tests name it
 *   npm run sim -- --runs 1000000    that many seeds, from --from on (default: 1)
 * `--machines N` gives every fleet that size; otherwise the seed says.
 */

const usage = 'npm run sim -- [--seed N | --crash CASE | --runs N [--from N]] [--machines N]';

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
const replay = async (name: string, scenario: Scenario): Promise<boolean> => {
  process.stdout.write(`${name}\n${describeScenario(scenario).join('\n')}\n\n`);
  const lines: { at: number; line: string }[] = [];
  let broken: unknown = null;
  try {
    await simulate(scenario, { tell: (at, line) => lines.push({ at, line }) });
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

const haul = async (from: number, runs: number, size: number | undefined): Promise<boolean> => {
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
        const { state } = await simulate(randomScenario(seed, size));
        count(state.ended?.result ?? 'none');
      } catch (error) {
        process.stdout.write(
          `seed ${seed}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}\n  npm run sim -- --seed ${seed}${size === undefined ? '' : ` --machines ${size}`}\n`,
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

const { seed, crash, runs, from, machines } = readArguments();
const size = machines === undefined ? undefined : wholeNumber('machines', machines);
const good =
  seed !== undefined
    ? await replay(`seed ${seed}`, randomScenario(wholeNumber('seed', seed), size))
    : crash !== undefined
      ? await replay(`crash ${crash}`, scenarioOfCrash(crash))
      : await haul(wholeNumber('from', from ?? '1'), wholeNumber('runs', runs ?? '2000'), size);
process.exitCode = good ? 0 : 1;
