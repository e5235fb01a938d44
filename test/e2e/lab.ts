import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { type ProcessResult, runProcess } from '../../src/process/run.ts';
import type { EventBody, RunEvent } from '../../src/run/event.ts';
import type { RunReport } from '../../src/run/report.ts';
import { quoteForRemoteShell } from '../../src/ssh/quote.ts';
import { seeDocuments } from '../cli/document-check.ts';
import { type Availability, namespacesAvailable } from '../fleet/availability.ts';
import type { FleetOptions, TestFleet } from '../fleet/fleet.ts';
import { type FlakeMachines, type LabFlake, makeLabFlake } from '../fleet/lab-flake.ts';
import { startInNamespaces } from '../fleet/namespaces.ts';
import { stepsIn } from './story.ts';

/**
 * `lab` as a user has it, the bundle in a process of its own, operating real hosts over a real flake. Nothing of `lab`
 * is called here but its command line; what a host runs is asked of the host, past `lab`.
 */

const labDeadlineMs = 400_000;
/** Longer than any file of stories takes. */
const followDeadlineMs = 1_800_000;
/** How long something that must happen may take to show, on a slow machine with much else to do. */
export const soonMs = 100_000;

/** How long after its end a command's last events may be told. */
const toldWithinMs = 20_000;
const pollMs = 20;

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** Whether the stories of a file can be told here; says loudly why not. `what` is what then stays untested. */
export const storiesPossible = async (what: string): Promise<Availability> => {
  const available = await namespacesAvailable();
  if (!available.ok)
    process.stderr.write(
      `\n*** ${what.toUpperCase()}: NOT TESTED ON REAL HOSTS: ${available.reason}.\n*** The stories of this file count as skipped below.\n\n`,
    );
  return available;
};

/** A command of `lab` that goes on while the test does other things. */
export type UnderWay = {
  readonly ended: Promise<ProcessResult>;
  /** Resolves when something like this has happened in a run since the command was started. */
  until(what: (body: EventBody) => boolean): Promise<void>;
  /** Resolves when a line of stderr contains this. */
  untilSaid(words: string): Promise<void>;
  signal(name: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void;
};

export type Ran<T> = { readonly code: number | null; readonly body: T; readonly stderr: string };

/** What a host says it runs, asked past `lab`. */
export type Runs = {
  readonly booted: string;
  readonly current: string;
  readonly profile: string;
  /** What its boot loader would boot. */
  readonly next: string;
  readonly generation: number;
};

export type LabOnFleet = {
  readonly fleet: TestFleet;
  readonly flake: LabFlake;
  /** Where journal and lock are. */
  readonly stateDirectory: string;
  /** The program and its first words, for those who start it in their own way. */
  readonly program: readonly string[];
  /** Runs `lab WORDS` in the flake's folder to its end. */
  run(words: readonly string[], options?: { readonly env?: Record<string, string> }): Promise<ProcessResult>;
  /** The same at a terminal of its own, where somebody types one line. */
  atTerminal(words: readonly string[], typed: string): Promise<ProcessResult>;
  /** The same with `--json`; fails the test when the output is no JSON. */
  json<T>(words: readonly string[]): Promise<Ran<T>>;
  /** A run of any goal: exit code and report. Fails the test when there is none. */
  report(words: readonly string[]): Promise<Ran<RunReport>>;
  start(words: readonly string[], env?: Readonly<Record<string, string>>): UnderWay;
  /** The same at a terminal of its own, where nobody types anything. */
  startAtTerminal(words: readonly string[]): UnderWay;
  /** Every event of the latest run, as `lab journal` gives them. */
  events(): Promise<readonly RunEvent[]>;
  runs(host: string): Promise<Runs>;
  down(): Promise<void>;
};

/** A copy of the bundle for this fleet: somebody may build anew while the stories are told. */
const installProgram = async (folder: string): Promise<readonly string[]> => {
  const built = await runProcess([join(checkout, 'bin', 'lab'), '--version'], { deadlineMs: labDeadlineMs });
  if (built.code !== 0) throw new Error(`bin/lab does not run: ${built.stderr}`);
  await vi.waitFor(
    async () => {
      // The folder itself may be shared with hosts already, so it stays.
      await mkdir(folder, { recursive: true });
      await rm(join(folder, 'dist'), { recursive: true, force: true });
      for (const part of ['dist', 'nix', 'package.json'])
        await cp(join(checkout, part), join(folder, part), { recursive: true });
      const copy = join(folder, 'dist', 'main.js');
      const runs = await runProcess([process.execPath, copy, 'help'], { deadlineMs: soonMs });
      if (runs.code !== 0) throw new Error(`the copied bundle does not run: ${runs.stderr}`);
    },
    { timeout: soonMs, interval: 500 },
  );
  return [process.execPath, '--disable-warning=ExperimentalWarning', join(folder, 'dist', 'main.js')];
};

const open = async (
  fleet: TestFleet,
  machines: FlakeMachines,
  stateDirectory: string,
): Promise<LabOnFleet> => {
  const [program, flake] = await Promise.all([
    installProgram(join(fleet.directory, 'program')),
    makeLabFlake(fleet, machines),
  ]);
  const surroundings = { cwd: flake.folder, deadlineMs: labDeadlineMs };
  const env = { LAB_STATE_DIR: stateDirectory };

  /** A command that had to be ended from here says nothing that could be believed. */
  const whole = async (words: readonly string[], running: Promise<ProcessResult>): Promise<ProcessResult> => {
    const result = await running;
    if (!result.timedOut) return result;
    throw new Error(`lab ${words.join(' ')} did not end: ${result.stdout.slice(-2_000)}${result.stderr}`);
  };
  const run: LabOnFleet['run'] = (words, options = {}) =>
    whole(words, fleet.run([...program, ...words], { ...surroundings, env: { ...env, ...options.env } }));
  const json = async <T>(words: readonly string[]): Promise<Ran<T>> => {
    const { code, stdout, stderr } = await run([...words, '--json']);
    const body = ((): T => {
      try {
        return JSON.parse(stdout) as T;
      } catch {
        throw new Error(`lab ${words.join(' ')} (exit ${code}) printed no JSON: ${stdout}${stderr}`);
      }
    })();
    // As it is published, also from real machines.
    seeDocuments(stdout);
    return { code, body, stderr };
  };
  const happened: RunEvent[] = [];
  const following = new AbortController();
  const follower = fleet.run([...program, 'journal', '--follow', '--lines', '100000', '--json'], {
    ...{ env, signal: following.signal, deadlineMs: followDeadlineMs },
    onStdoutLine: (line) => {
      const told: unknown = JSON.parse(line);
      // Where a story spoils the journal, its follower ends with a failure.
      if (typeof told === 'object' && told !== null && 'body' in told) happened.push(told as RunEvent);
    },
  });
  const onTerminal = (words: readonly string[]): readonly string[] => {
    const command = quoteForRemoteShell([...program, ...words]);
    return ['script', '--quiet', '--return', '--command', command, '/dev/null'];
  };
  let started = 0;
  const startProgram = (
    words: readonly string[],
    command: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ): UnderWay => {
    started += 1;
    const pidFile = join(fleet.directory, `pid-${started}`);
    // What an earlier process wrote last may be told only after this one has been started.
    const startedAt = Date.now();
    const own = (): readonly RunEvent[] => happened.filter(({ at }) => at >= startedAt);
    // Every program on the way to lab gives its place to the next one, so the shell's pid becomes that of lab.
    const argv = ['sh', '-c', 'echo $$ >"$0"; exec "$@"', pidFile, ...command];
    const said: string[] = [];
    const onStderrLine = (line: string): void => void said.push(line);
    const ended = whole(words, fleet.run(argv, { ...surroundings, env: { ...env, ...more }, onStderrLine }));
    let endedAt = Number.POSITIVE_INFINITY;
    const noteEnd = (): void => {
      endedAt = performance.now();
    };
    ended.then(noteEnd, noteEnd);
    return {
      ended,
      untilSaid: async (text) =>
        vi.waitFor(
          () => {
            if (said.some((line) => line.includes(text))) return;
            throw new Error(`'${text}' was not said, only:\n${said.join('\n')}`);
          },
          { timeout: soonMs, interval: 20 },
        ),
      until: async (what) => {
        for (const latest = performance.now() + labDeadlineMs; ; await sleep(pollMs)) {
          if (own().some(({ body }) => what(body))) return;
          if (performance.now() > Math.min(latest, endedAt + toldWithinMs))
            throw new Error(`${what} has not happened, only:\n${stepsIn(own()).join('\n')}`);
        }
      },
      signal: (name) => {
        void readFile(pidFile, 'utf8')
          .then((pid) => process.kill(Number(pid), name))
          .catch(() => {
            // It has ended by itself: what it came to is told by `ended`.
          });
      },
    };
  };

  return {
    fleet,
    flake,
    stateDirectory,
    program,
    run,
    atTerminal: (words, typed) =>
      whole(words, fleet.run(onTerminal(words), { ...surroundings, env, stdin: `${typed}\n` })),
    json,
    report: async (words) => {
      const { code, body, stderr } = await json<{ report?: RunReport }>(words);
      if (body.report === undefined)
        throw new Error(`lab ${words.join(' ')} (exit ${code}) gave no report: ${JSON.stringify(body)}`);
      expect(body.report.exitCode).toBe(code);
      return { code, body: body.report, stderr };
    },
    start: (words, more) => startProgram(words, [...program, ...words], more),
    startAtTerminal: (words) => startProgram(words, onTerminal(words)),
    events: async () => {
      const { body } = await json<{ runs: { run: string }[] }>(['journal', '--runs']);
      const { stdout } = await run([
        'journal',
        '--run',
        body.runs[0]?.run ?? '',
        '--lines',
        '9999',
        '--json',
      ]);
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as RunEvent);
    },
    runs: async (host) => {
      const asked = await fleet.exec(host, [
        'sh',
        '-c',
        'readlink -f /run/booted-system /run/current-system /nix/var/nix/profiles/system; cat /boot/default-toplevel; readlink /nix/var/nix/profiles/system',
      ]);
      const [booted = '', current = '', profile = '', next = '', link = ''] = asked.stdout.split('\n');
      const generation = Number(/^system-(\d+)-link$/.exec(link)?.[1]);
      return { booted, current, profile, next, generation };
    },
    down: async () => {
      following.abort();
      await follower;
      await fleet.down();
    },
  };
};

/**
 * Starts hosts that run a first generation, and `lab` on a flake of the machines that `describe` makes of them. Its
 * journal is in the fleet's folder unless told.
 */
export const startLab = async (
  options: Omit<FleetOptions, 'factory'>,
  describe: (fleet: TestFleet) => FlakeMachines | Promise<FlakeMachines>,
  stateDirectory?: string,
): Promise<LabOnFleet> => {
  const fleet = await startInNamespaces({ ...options, factory: true });
  try {
    return await open(fleet, await describe(fleet), stateDirectory ?? join(fleet.directory, 'state'));
  } catch (error) {
    await fleet.down();
    throw error;
  }
};
