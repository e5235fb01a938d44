import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Benchmark, inTurns, measured, millisecondsOf, ratioRow } from './harness.ts';

/** How soon `lab` answers what needs no flake, against the runtime it stands on. */

const root = fileURLToPath(new URL('..', import.meta.url));
const node = process.execPath;
const bundle = `${root}dist/main.js`;
const script = `${root}bin/lab`;
const targetRatio = 2;
const deadlineMs = 120_000;

const start = (file: string, ...words: readonly string[]): void => {
  const { status, error, stderr } = spawnSync(file, words, { encoding: 'utf8', timeout: deadlineMs });
  if (status !== 0)
    throw new Error(`${file} ${words.join(' ')}: ${error?.message ?? stderr.slice(0, 2_000)}`);
};
const timed =
  (file: string, ...words: readonly string[]) =>
  (): Promise<number> =>
    millisecondsOf(() => start(file, ...words));

export const startup: Benchmark = {
  name: 'startup',
  about: '`lab --version` and `lab --help` against `node -e 0`',
  rounds: 21,
  run: async (rounds, say) => {
    // Builds the bundle where the sources are newer.
    start(script, '--version');
    const ms = await inTurns(
      rounds,
      {
        node: timed(node, '-e', '0'),
        version: timed(node, bundle, '--version'),
        help: timed(node, bundle, '--help'),
        scriptVersion: timed(script, '--version'),
        scriptHelp: timed(script, '--help'),
      },
      { say },
    );
    const row = (what: string, values: readonly number[]) =>
      ratioRow(what, values, 'node -e 0', ms.node, targetRatio);
    return measured(
      [
        row('dist/main.js --version', ms.version),
        row('dist/main.js --help', ms.help),
        row('bin/lab --version', ms.scriptVersion),
        row('bin/lab --help', ms.scriptHelp),
      ],
      ['bin/lab is the way in of a checkout: it also looks whether the bundle is older than the sources'],
    );
  },
};
