import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Mutant, mutants } from '../test/simulation/mutants.ts';
import { mutated } from '../test/simulation/mutate.ts';

/**
 * Breaks the engine on purpose, one mutant after the other in a copy of the project, and says after how many seeds
 * the simulation finds each: `npm run mutants [-- part of a name]`.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const seedsMax = 6_000;
const pairsMax = 2_000;
const deadlineMs = 180_000;
const storiesDeadlineMs = 900_000;

/** What is tried on a mutant until something breaks: seeds, then every death of the engine, then two orchestrators. */
const trials = [
  ['--runs', String(seedsMax), '--first'],
  ['--crashes'],
  ['--both', '--runs', String(pairsMax), '--first'],
] as const;

const tried = (copy: string, trial: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(copy, 'scripts/sim.ts'), ...trial],
      { timeout: deadlineMs, maxBuffer: 16_000_000 },
      (error, stdout, stderr) =>
        resolve(error?.killed === true ? 'seed 0: it never ended' : `${stdout}${stderr}`),
    );
  });

/** At last the stories, for what chance brings about once in many thousand seeds. */
const stories = [
  'run',
  '--project',
  'unit',
  'test/simulation',
  // The first tells whether the mutants fit; seeds were tried already.
  ...['mutants', 'swarm', 'fresh-swarm'].flatMap((name) => ['--exclude', `test/simulation/${name}.test.ts`]),
  '--bail',
  '1',
  '--reporter',
  'json',
  '--outputFile',
  'stories.json',
];
const Stories = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(
        z.object({ status: z.string(), title: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

const noneFails = 'no story fails';

/** The first story that a mutant makes fail, told as a seed is. */
const toldBy = async (copy: string): Promise<string> => {
  const output = join(copy, 'stories.json');
  await rm(output, { force: true });
  const ran = await new Promise<string | null>((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'node_modules/vitest/vitest.mjs'), ...stories],
      { cwd: copy, timeout: storiesDeadlineMs, maxBuffer: 16_000_000 },
      (error, stdout, stderr) => resolve(error?.killed === true ? null : `${stdout}${stderr}`),
    );
  });
  if (ran === null) return 'the stories never ended';
  const text = await readFile(output, 'utf8').catch(() => '');
  if (text === '') return `no stories were told: ${ran.slice(0, 2_000)}`;
  for (const { name, assertionResults } of Stories.parse(JSON.parse(text)).testResults)
    for (const { status, title, failureMessages } of assertionResults)
      if (status === 'failed')
        return `story ${basename(name)}: ${title}: ${(failureMessages[0] ?? '').split('\n')[0]}`;
  return noneFails;
};

let sound: Promise<string> | null = null;
/** What the stories tell of the engine as it is: one that fails without a mutant too has found none. */
const toldSound = (copy: string): Promise<string> => {
  sound ??= toldBy(copy);
  return sound;
};

const tell = (line: string): void => void process.stdout.write(`${line}\n`);

/** A mutant that cannot run was not found by a rule. */
const cannotRun = /^(?:ReferenceError|SyntaxError)|^TypeError: (?:Cannot|.* is not)/u;

const tryOne = async (copy: string, mutant: Mutant): Promise<boolean> => {
  const { name, file } = mutant;
  const path = join(copy, file);
  const whole = await readFile(path, 'utf8');
  const broken = mutated(whole, mutant);
  if (broken === null) {
    tell(
      `✗ ${name}: its text no longer stands once in ${file}; say in test/simulation/mutants.ts where it went`,
    );
    return false;
  }
  await writeFile(path, broken);
  let last = '';
  let found: RegExpExecArray | null = null;
  for (const trial of [...trials.map((args) => () => tried(copy, args)), () => toldBy(copy)]) {
    last = await trial();
    found = /^((?:seed|case|story) \S+): (.*)$/mu.exec(last);
    if (found !== null) break;
  }
  await writeFile(path, whole);
  if (found?.[1]?.startsWith('story ') === true && (await toldSound(copy)) !== noneFails) {
    tell(`✗ ${name}: the stories fail without it too: ${await toldSound(copy)}`);
    return false;
  }
  const [, where, why = ''] = found ?? [];
  if (cannotRun.test(why)) {
    tell(`✗ ${name}: it cannot run, so no rule has found it: ${why}`);
    return false;
  }
  if (found !== null) {
    tell(`✓ ${name}: ${where}, ${why}`);
    return true;
  }
  tell(`✗ ${name}: not found\n${/ runs \(|no story/u.test(last) ? '' : last}`);
  return false;
};

const wanted = process.argv[2] ?? '';
const copy = await mkdtemp(join(tmpdir(), 'lab-mutants-'));
let survivors = 0;
try {
  for (const part of ['src', 'test', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
    await cp(join(root, part), join(copy, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const chosen = mutants.filter(({ name }) => name.includes(wanted));
  if (chosen.length === 0) survivors = 1;
  for (const mutant of chosen) if (!(await tryOne(copy, mutant))) survivors += 1;
  tell(`${Math.max(0, chosen.length - survivors)} of ${chosen.length} found`);
} finally {
  await rm(copy, { recursive: true, force: true });
}
process.exitCode = survivors === 0 ? 0 : 1;
