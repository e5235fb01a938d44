import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { z } from 'zod';
import {
  type Benchmark,
  inTurns,
  measured,
  millisecondsOf,
  missing,
  type Row,
  ratioRow,
  ratios,
} from './harness.ts';

/** The screen: how soon it is there, how soon it answers a key, what it writes, and what it costs while nothing happens. */

const root = fileURLToPath(new URL('..', import.meta.url));
const deadlineMs = 120_000;
const run = promisify(execFile);
const Round = z.object({
  small: z.number(),
  large: z.number(),
  bytes: z.number(),
  idle: z.number(),
  rss: z.number(),
  logs: z.number(),
});

/** The round as one bundle in production mode, as lab itself is. */
const bundleRound = async (folder: string): Promise<string> => {
  await build({
    absWorkingDir: root,
    stdin: {
      contents: "import { round } from './bench/screen-round.ts'; await round(); process.exit(0);",
      resolveDir: root,
      loader: 'ts',
    },
    outfile: join(folder, 'round.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
    alias: { 'react-devtools-core': join(root, 'scripts/no-devtools.ts') },
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  return join(folder, 'round.mjs');
};

/** On a terminal of its own, by `script`, until the first frame is there; then it is told to quit. */
const firstFrameArgv = (program: string): readonly string[] => ['script', '-qec', program, '/dev/null'];

const number = (what: string, unit: Row['unit'], values: readonly number[], target: number | null): Row => ({
  what,
  against: null,
  unit,
  values,
  target,
  detail: '',
});

export const screen: Benchmark = {
  name: 'screen',
  about: 'the screen: first frame, keys, bytes, rest and memory',
  rounds: 3,
  run: async (rounds, say) => {
    const folder = mkdtempSync(join(tmpdir(), 'lab-bench-screen-'));
    try {
      const env = { ...process.env, TERM: 'xterm-256color', LANG: 'C.UTF-8', FORCE_COLOR: '3' };
      const [program = '', ...args] = firstFrameArgv(`${process.execPath} -e 0`);
      const works = await run(program, args, { env, timeout: deadlineMs }).then(
        () => true,
        () => false,
      );
      if (!works)
        return missing('`script` of util-linux gives the screen a terminal: apt-get install bsdutils');
      await run(process.execPath, [join(root, 'scripts/build.ts')], { timeout: deadlineMs });
      const on = (command: string) => () =>
        millisecondsOf(() => {
          const [file = '', ...words] = firstFrameArgv(command);
          return run(file, words, { env, timeout: deadlineMs });
        });
      const bundle = await bundleRound(folder);
      // Quits as soon as its first frame has been written: the variable is heard by this preload alone.
      const preload = join(folder, 'first-frame.mjs');
      writeFileSync(
        preload,
        [
          'const write = process.stdout.write.bind(process.stdout);',
          'process.stdout.write = (data, ...rest) => {',
          '  const done = write(data, ...rest);',
          "  if (String(data).includes('Machines')) process.exit(0);",
          '  return done;',
          '};',
        ].join('\n'),
      );
      const startup = await inTurns(
        rounds * 3,
        {
          frame: on(`${process.execPath} --import ${preload} ${join(root, 'dist/main.js')} demo`),
          node: on(`${process.execPath} -e 0`),
        },
        { say },
      );
      const { all } = await inTurns(
        rounds,
        {
          all: async () =>
            Round.parse(
              JSON.parse((await run(process.execPath, [bundle], { env, timeout: deadlineMs })).stdout),
            ),
        },
        { say, warmUp: false },
      );
      const of = (key: keyof z.infer<typeof Round>): readonly number[] => all.map((one) => one[key]);
      const large = ratios(of('large'), of('small'));
      return measured(
        [
          ratioRow('first frame of the demo', startup.frame, 'node -e 0', startup.node, 8),
          number('key to frame, 50 machines', 'ms', of('small'), 20),
          number('key to frame, 5,000 machines', 'ms', of('large'), 20),
          { ...number('5,000 machines against 50', '×', large, 1.3), against: '50 machines' },
          number('key to frame, 10,000 log lines a second', 'ms', of('logs'), 20),
          number('written when few cells change', 'B', of('bytes'), 1_024),
          number(
            'processor while nothing happens',
            '%',
            of('idle').map((share) => share * 100),
            1,
          ),
          number('memory with 1,000 machines', 'MB', of('rss'), 150),
        ],
        [
          'first frame: on a terminal of its own by `script`, both sides; the process is ended by its first frame',
          'the rest: 120 × 40, bundled in production mode, against a terminal that only counts; middle of 40 keys',
        ],
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
