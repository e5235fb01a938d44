import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LabOptions } from '../cli/lab.ts';
import type { Session } from '../flow/session.ts';
import { runInteractive } from '../process/interactive.ts';
import { exitCodes } from '../run/report.ts';
import type { DemoTrouble } from '../sim/demo-trouble.ts';
import { prepareColour, wantsAscii } from '../tui/prepare-colour.ts';
import { spareMemory } from '../tui/spare-memory.ts';
import type { Settings } from '../tui/state/settings.ts';
import { terminalProblem } from '../tui/terminal-problem.ts';
import { openConfig } from './config-file.ts';
import { tellCrash } from './crash.ts';
import { demoSession } from './demo.ts';
import { type Surroundings, stateDirectoryOf } from './surroundings.ts';
import { openTypedLines } from './typed-lines.ts';

/** The screen's part of the composition root: it joins a session to the terminal. */

const hangUpExit = 128 + 1;
const terminateExit = 128 + 15;

/** Ctrl-Z: the shell's job control stops us for real, and SIGCONT brings us back. */
const suspendProcess = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGCONT', () => resolve());
    process.kill(0, 'SIGTSTP');
  });

const readLines = async (session: Session, readonly: boolean, settings: Settings): Promise<number> => {
  const { runReader } = await import('../tui/run-reader.ts');
  await runReader(session, {
    readonly,
    settings,
    input: process.stdin,
    output: process.stdout,
    runInteractive,
  });
  await session.close();
  return exitCodes.done;
};

const showScreen = async (
  session: Session,
  { readonly, reader }: ScreenChoice,
  around: Surroundings,
): Promise<number> => {
  const { env } = around;
  const config = openConfig(env, session.snapshot().flake);
  if (reader) return readLines(session, readonly, config.settings);
  spareMemory();
  const { runTui } = await import('../tui/run-tui.tsx');
  for (;;) {
    const exit = await runTui(session, {
      ascii: wantsAscii({ ...env }),
      colour,
      stdin: process.stdin,
      stdout: process.stdout,
      readonly,
      insideTmux: (env.TMUX ?? '') !== '',
      settings: config.settings,
      // The demo leaves nothing behind.
      ...(session.snapshot().demo ? {} : { typed: openTypedLines(stateDirectoryOf(env), !readonly) }),
      firstWords: config.problem,
      watchSettings: config.watch,
      runInteractive,
      suspendProcess,
    });
    switch (exit.kind) {
      case 'quit':
        await session.close();
        return exitCodes.done;
      case 'signal':
        await session.close();
        return exit.signal === 'SIGHUP' ? hangUpExit : terminateExit;
      case 'crashed':
        if ((await tellCrash(exit.error, session, around)) === 'again') continue;
        await session.close();
        return exitCodes.failed;
      default:
        return exit satisfies never;
    }
  }
};

let colour: ReturnType<typeof prepareColour> = 'none';

/** `reader`: lines instead of a screen. */
export type ScreenChoice = { readonly readonly: boolean; readonly reader: boolean };

/** Says why there can be no screen here, or prepares colour for it. Ink must not be loaded before. */
const readyFor = (around: Surroundings, reader: boolean): number | null => {
  if (reader) return null;
  const problem = terminalProblem({ ...around.env }, process.stdin, process.stdout);
  if (problem !== null) {
    process.stderr.write(`lab: ${problem}\n`);
    return exitCodes.usage;
  }
  // Written into the real environment: Ink's colour library reads it when it is loaded.
  colour = prepareColour(around.env);
  return null;
};

export const openScreen = async (
  options: LabOptions,
  screen: ScreenChoice,
  around: Surroundings,
): Promise<number> => {
  const reader = screen.reader || openConfig(around.env, options.flake).screenReader;
  const refused = readyFor(around, reader);
  if (refused !== null) return refused;
  // Not for the demo: ssh and Nix are most of what there is to load.
  const { openLab } = await import('./lab.ts');
  const opened = await openLab(options, around);
  if (!opened.ok) {
    process.stderr.write(`lab: ${opened.failure.message}\n  → ${opened.failure.remedy}\n`);
    return exitCodes.usage;
  }
  try {
    const session = opened.value.session();
    if (session.ok) return await showScreen(session.value, { ...screen, reader }, around);
    process.stderr.write(`lab: ${session.failure.message}\n  → ${session.failure.remedy}\n`);
    return exitCodes.failed;
  } finally {
    await opened.value.close();
  }
};

/** The demo on real test hosts: they are part of a checkout only, and need root and namespaces, which they check. */
export const openRealDemo = async (around: Surroundings): Promise<number> => {
  const fleet = join(around.installation, 'test', 'fleet', 'cli.ts');
  if (!existsSync(fleet)) {
    process.stderr.write(
      'lab: the real test hosts are part of a checkout of lab only\n  → use plain `lab demo`\n',
    );
    return exitCodes.usage;
  }
  return runInteractive([process.execPath, fleet, 'demo']);
};

export const openDemo = async (
  options: {
    readonly seed: number;
    readonly speed: number;
    readonly trouble: DemoTrouble | null;
    readonly readonly: boolean;
    readonly reader: boolean;
  },
  around: Surroundings,
): Promise<number> => {
  const refused = readyFor(around, options.reader);
  if (refused !== null) return refused;
  const demo = demoSession(options, around);
  try {
    return await showScreen(demo.session, { readonly: options.readonly, reader: options.reader }, around);
  } finally {
    demo.leave();
  }
};
