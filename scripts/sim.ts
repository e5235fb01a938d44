import { parseArgs } from 'node:util';
import { randomScenario } from '../test/simulation/random-scenario.ts';
import { describeScenario } from '../test/simulation/scenario.ts';
import { simulate } from '../test/simulation/simulate.ts';

/**
 * The long haul, and the replay of one seed:
 *   npm run sim -- --seed 42         one run with everything that happens in it
 *   npm run sim -- --runs 1000000    that many seeds, from --from on (default: 1)
 */

const usage = 'npm run sim -- [--seed N] [--runs N] [--from N]';

const wholeNumber = (name: string, text: string): number => {
  if (!/^\d{1,15}$/u.test(text)) {
    process.stderr.write(`--${name}: a whole number, not "${text}"\n${usage}\n`);
    process.exit(2);
  }
  return Number(text);
};

const readArguments = () => {
  try {
    const { values } = parseArgs({
      options: { seed: { type: 'string' }, runs: { type: 'string' }, from: { type: 'string' } },
      strict: true,
    });
    return values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`);
    process.exit(2);
  }
};

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(3).padStart(11)} s`;

/** One run with its trace. Effects and what befalls machines stand between the events, each at its time. */
const replaySeed = async (seed: number): Promise<boolean> => {
  const scenario = randomScenario(seed);
  process.stdout.write(`seed ${seed}\n${describeScenario(scenario).join('\n')}\n\n`);
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

const haul = async (from: number, runs: number): Promise<boolean> => {
  const begun = performance.now();
  const results = new Map<string, number>();
  for (let seed = from; seed < from + runs; seed += 1) {
    try {
      const { state } = await simulate(randomScenario(seed));
      const result = state.ended?.result ?? 'none';
      results.set(result, (results.get(result) ?? 0) + 1);
    } catch (error) {
      process.stdout.write(
        `seed ${seed}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}\n  npm run sim -- --seed ${seed}\n`,
      );
      results.set('BROKEN', (results.get('BROKEN') ?? 0) + 1);
      if ((results.get('BROKEN') ?? 0) >= 20) break;
    }
  }
  const tookMs = performance.now() - begun;
  const total = [...results.values()].reduce((sum, count) => sum + count, 0);
  const summary = [...results].map(([result, count]) => `${count} ${result}`).join(', ');
  process.stdout.write(
    `${total} runs (${summary}) in ${(tookMs / 1_000).toFixed(1)} s: ${Math.round((total / tookMs) * 1_000)} runs/s\n`,
  );
  return !results.has('BROKEN');
};

const { seed, runs, from } = readArguments();
const good =
  seed !== undefined
    ? await replaySeed(wholeNumber('seed', seed))
    : await haul(wholeNumber('from', from ?? '1'), wholeNumber('runs', runs ?? '2000'));
process.exitCode = good ? 0 : 1;
