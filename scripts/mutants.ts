import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

const tell = (line: string): void => void process.stdout.write(`${line}\n`);

/** A mutant that cannot run was not found by a rule. */
const cannotRun = /^(?:ReferenceError|SyntaxError)|^TypeError: (?:Cannot|.* is not)/u;

const tryOne = async (copy: string, mutant: Mutant): Promise<boolean> => {
  const { name, file } = mutant;
  const path = join(copy, file);
  const sound = await readFile(path, 'utf8');
  const broken = mutated(sound, mutant);
  if (broken === null) {
    tell(
      `✗ ${name}: its text no longer stands once in ${file}; say in test/simulation/mutants.ts where it went`,
    );
    return false;
  }
  await writeFile(path, broken);
  let last = '';
  let found: RegExpExecArray | null = null;
  for (const trial of trials) {
    last = await tried(copy, trial);
    found = /^((?:seed|case) \S+): (.*)$/mu.exec(last);
    if (found !== null) break;
  }
  await writeFile(path, sound);
  const [, where, why = ''] = found ?? [];
  if (cannotRun.test(why)) {
    tell(`✗ ${name}: it cannot run, so no rule has found it: ${why}`);
    return false;
  }
  if (found !== null) {
    tell(`✓ ${name}: ${where}, ${why}`);
    return true;
  }
  tell(`✗ ${name}: not found\n${/ runs \(|no case/u.test(last) ? '' : last}`);
  return false;
};

const wanted = process.argv[2] ?? '';
const copy = await mkdtemp(join(tmpdir(), 'lab-mutants-'));
let survivors = 0;
try {
  for (const part of ['src', 'test/simulation', 'scripts', 'package.json'])
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
