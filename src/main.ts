import { existsSync, readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cli } from './cli/lab.ts';
import { systemClock, wallClock } from './clock.ts';
import { startedIn } from './process/folder.ts';
import { leaveGitSurroundings } from './process/git-surroundings.ts';

/**
 * The composition root: the only reader of argv and environment, the only one that sets the exit code. What a command
 * needs is loaded when it needs it, so that `--version` answers at once and no plain command loads the screen.
 */

enableCompileCache();

const here = dirname(fileURLToPath(import.meta.url));
/** The folder of package.json and nix/: one above `src/` in a checkout and above `dist/` in a bundle. */
const installation =
  [join(here, '..'), here].find((folder) => existsSync(join(folder, 'nix', 'fleet.nix'))) ?? join(here, '..');
const version = String(JSON.parse(readFileSync(join(installation, 'package.json'), 'utf8')).version);

// Nix asks git about the flake: not as a hook, or `git rebase --exec`, has it ask about another repository.
leaveGitSurroundings(process.env);

const argv = process.argv.slice(2);
/** First word of the command line of an engine; people never type it. */
const engineWord = '--engine';

/** One Ctrl-C can arrive twice: from the terminal, and passed on by a parent such as npm. */
const onePressMs = 400;
const terminated = 'SIGTERM';

/**
 * Nothing that is done depends on whether it can be told: a run goes on when the file that its output goes to has no room
 * left. But who asked for the output must not take what is missing for all of it. Who closed a pipe or a terminal knows.
 */
const outliveStreams = (): void => {
  process.stderr.on('error', () => {});
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || code === 'EIO') return;
    process.stderr.write(`lab: the output could not be written: ${message}\n`);
    process.on('exit', () => {
      if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = 1;
    });
  });
};

/** The screen has its own way with signals while it is open. */
let screenIsOpen = false;
const underScreen = async (open: () => Promise<number>): Promise<number> => {
  screenIsOpen = true;
  try {
    return await open();
  } finally {
    screenIsOpen = false;
  }
};

const signals = (): Pick<Cli, 'stop' | 'abort' | 'hangup'> => {
  const stop = new AbortController();
  const abort = new AbortController();
  let firstAt = 0;
  const onSignal = (name: string) => (): void => {
    if (screenIsOpen) return;
    if (!stop.signal.aborted) {
      firstAt = performance.now();
      stop.abort(name);
      if (name !== terminated)
        process.stderr.write(
          `\nlab: ${name}: nothing is left half done, so this may take a moment; once more ends at once\n`,
        );
    } else if (performance.now() - firstAt > onePressMs && !abort.signal.aborted) {
      process.stderr.write(`\nlab: ${name} again: stopping at once\n`);
      abort.abort(name);
    }
  };
  const hangup = new AbortController();
  process.on('SIGINT', onSignal('Ctrl-C'));
  process.on('SIGTERM', () => {
    // Whoever only watches a run leaves it alone; whoever executes it stops it.
    hangup.abort();
    onSignal(terminated)();
  });
  process.on('SIGHUP', () => hangup.abort());
  outliveStreams();
  return { stop: stop.signal, abort: abort.signal, hangup: hangup.signal };
};

const ask: Cli['ask'] = async (question, signal) => {
  const { createInterface } = await import('node:readline/promises');
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  try {
    // Without this, end of input would leave the question open for ever.
    const closed = new Promise<null>((resolve) => reader.once('close', () => resolve(null)));
    return await Promise.race([reader.question(question, { signal }).catch(() => null), closed]);
  } finally {
    reader.close();
  }
};

const makeCli = (): Cli => {
  const own = signals();
  const script = process.argv[1] ?? '';
  const engineArgv = [process.execPath, ...process.execArgv, script, engineWord];
  const around = {
    env: process.env,
    cwd: startedIn(process.env.PWD),
    version,
    installation,
    engineArgv,
    signals: own,
  };
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    // Asked only when it matters: to look at stdin opens it.
    get interactive() {
      return process.stdin.isTTY === true && process.stdout.isTTY === true;
    },
    ask,
    ...own,
    openLab: async (options, cwd = around.cwd) =>
      (await import('./compose/lab.ts')).openLab(options, { ...around, cwd }),
    openJournal: async () => (await import('./compose/runs.ts')).readRunsIn(around),
    openRuns: async () => (await import('./compose/runs.ts')).openRunsIn(around),
    clock: systemClock,
    wall: wallClock,
    version,
    runInteractive: async (command) => (await import('./process/interactive.ts')).runInteractive(command),
    openScreen: (options, screen) =>
      underScreen(async () => (await import('./compose/screen.ts')).openScreen(options, screen, around)),
    openDemo: (options) =>
      underScreen(async () => (await import('./compose/screen.ts')).openDemo(options, around)),
    openRealDemo: () => underScreen(async () => (await import('./compose/screen.ts')).openRealDemo(around)),
    tellConfig: async (what) =>
      (await import('./compose/tell-config.ts')).tellConfig(what, process.env, {
        out: (text) => void process.stdout.write(text),
        err: (text) => void process.stderr.write(text),
      }),
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
};

/** Without a command `lab` opens the screen: `lab`, `lab --flake DIR`. */
const opensScreen =
  argv[0] === undefined ||
  (argv[0].startsWith('-') && !['-h', '--help', '-V', '--version'].includes(argv[0]));

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) process.stdout.write(`${version}\n`);
else if (argv[0] === engineWord) {
  const { runEngine } = await import('./compose/engine.ts');
  process.exitCode = await runEngine({
    env: process.env,
    version,
    installation,
    engineArgv: [],
    signals: signals(),
  });
} else {
  const { runCommandLine } = await import('./cli/program.ts');
  await runCommandLine(makeCli(), opensScreen ? ['tui', ...argv] : argv);
}
