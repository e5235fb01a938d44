import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { type ProcessResult, runProcess } from '../../src/process/run.ts';
import type { EventBody, RunEvent } from '../../src/run/event.ts';
import type { RunReport } from '../../src/run/report.ts';
import { type Availability, namespacesAvailable } from '../fleet/availability.ts';
import type { FleetOptions, TestFleet } from '../fleet/fleet.ts';
import { type FlakeMachine, type FlakeMachines, type LabFlake, makeLabFlake } from '../fleet/lab-flake.ts';
import { startInNamespaces } from '../fleet/namespaces.ts';

/**
 * `lab` as a user has it, the bundle in a process of its own, operating real hosts over a real flake. Nothing of `lab`
 * is called here but its command line; what a host runs is asked of the host, past `lab`.
 */

const labDeadlineMs = 150_000;
/** Longer than any file of stories takes. */
const followDeadlineMs = 1_800_000;
/** How long something that must happen may take to show. */
export const soonMs = 30_000;

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
  /** The same with `--json`; fails the test when the output is no JSON. */
  json<T>(words: readonly string[]): Promise<Ran<T>>;
  /** A run of any goal: exit code and report. Fails the test when there is none. */
  report(words: readonly string[]): Promise<Ran<RunReport>>;
  start(words: readonly string[]): UnderWay;
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
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder);
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

const open = async (fleet: TestFleet, machines: FlakeMachines): Promise<LabOnFleet> => {
  const [program, flake] = await Promise.all([
    installProgram(join(fleet.directory, 'program')),
    makeLabFlake(fleet, machines),
  ]);
  const stateDirectory = join(fleet.directory, 'state');
  const surroundings = { cwd: flake.folder, deadlineMs: labDeadlineMs };
  const env = { LAB_STATE_DIR: stateDirectory };

  const run: LabOnFleet['run'] = (words, options = {}) =>
    fleet.run([...program, ...words], { ...surroundings, env: { ...env, ...options.env } });
  const json = async <T>(words: readonly string[]): Promise<Ran<T>> => {
    const { code, stdout, stderr } = await run([...words, '--json']);
    try {
      return { code, body: JSON.parse(stdout) as T, stderr };
    } catch {
      throw new Error(`lab ${words.join(' ')} (exit ${code}) printed no JSON: ${stdout}${stderr}`);
    }
  };
  const happened: RunEvent[] = [];
  const following = new AbortController();
  const follower = fleet.run([...program, 'journal', '--follow', '--json'], {
    ...{ env, signal: following.signal, deadlineMs: followDeadlineMs },
    onStdoutLine: (line) => happened.push(JSON.parse(line) as RunEvent),
  });
  let started = 0;
  const start: LabOnFleet['start'] = (words) => {
    started += 1;
    const pidFile = join(fleet.directory, `pid-${started}`);
    const before = happened.length;
    // Every program on the way to lab gives its place to the next one, so the shell's pid becomes that of lab.
    const argv = ['sh', '-c', 'echo $$ >"$0"; exec "$@"', pidFile, ...program, ...words];
    const ended = fleet.run(argv, { ...surroundings, env });
    return {
      ended,
      until: async (what) =>
        vi.waitFor(
          () => {
            const since = happened.slice(before).map(({ body }) => body);
            if (since.some(what)) return;
            throw new Error(`${what} has not happened, only:\n${stepsIn(happened.slice(before)).join('\n')}`);
          },
          { timeout: soonMs, interval: 20 },
        ),
      signal: (name) => {
        void readFile(pidFile, 'utf8').then((pid) => process.kill(Number(pid), name));
      },
    };
  };

  return {
    fleet,
    flake,
    stateDirectory,
    program,
    run,
    json,
    report: async (words) => {
      const { code, body, stderr } = await json<{ report?: RunReport }>(words);
      if (body.report === undefined)
        throw new Error(`lab ${words.join(' ')} (exit ${code}) gave no report: ${JSON.stringify(body)}`);
      expect(body.report.exitCode).toBe(code);
      return { code, body: body.report, stderr };
    },
    start,
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

/** Starts hosts that run a first generation, and `lab` on a flake of the machines that `describe` makes of them. */
export const startLab = async (
  options: Omit<FleetOptions, 'factory'>,
  describe: (fleet: TestFleet) => FlakeMachines | Promise<FlakeMachines>,
): Promise<LabOnFleet> => {
  const fleet = await startInNamespaces({ ...options, factory: true });
  try {
    return await open(fleet, await describe(fleet));
  } catch (error) {
    await fleet.down();
    throw error;
  }
};

// ── machines of a story ──────────────────────────────────────────────────────────────────────────────────────

/** What a story says of a machine, beyond being quick; see `lab.machine` and the stand-in's knobs. */
export type Told = {
  readonly order?: number;
  readonly needs?: readonly string[];
  readonly criticality?: 'low' | 'medium' | 'high' | 'critical';
  readonly strategy?: 'rolling' | 'blue-green' | 'recreate';
  readonly policy?: 'always' | 'when-needed' | 'never';
  /** Seconds. */
  readonly delay?: number;
  readonly down?: number;
  readonly up?: number;
  readonly healthy?: number;
  readonly stable?: number;
  readonly user?: string;
  /** Whether it has a page on port 8080, which its health check asks for. Default true. */
  readonly page?: boolean;
  /** `lab-stand-in.*`: another kernelVersion is a reason to reboot, another generation is not. */
  readonly knobs?: Readonly<Record<string, unknown>>;
  /** Anything else of its configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
};

const page = { type: 'http', name: 'page', url: 'http://localhost:8080/', retries: 0, timeout: 3 };

/** A machine with a page that can be asked for: deadlines of seconds, no delay, low waits. */
export const machine = (address: string, told: Told = {}): FlakeMachine => ({
  config: {
    ...told.config,
    lab: {
      machine: {
        role: 'web-server',
        addresses: [address],
        ssh: { user: told.user ?? 'lab' },
        dependencies: told.needs ?? [],
        healthChecks: [page],
        ...(told.order === undefined ? {} : { rebootOrder: told.order }),
        orchestration: {
          rebootDelay: told.delay ?? 0,
          criticalityLevel: told.criticality ?? 'medium',
          deployStrategy: told.strategy ?? 'rolling',
        },
        reboot: {
          policy: told.policy ?? 'when-needed',
          stable: told.stable ?? 0,
          deadlines: { down: told.down ?? 20, up: told.up ?? 30, healthy: told.healthy ?? 20 },
        },
      },
    },
    'lab-stand-in': {
      ...(told.page === false ? {} : { listeners: { page: { http: [8080] } } }),
      ...told.knobs,
    },
  },
});

/** Machines of all hosts of the fleet, in the order they are told in. */
export const machinesOf = (fleet: TestFleet, told: Readonly<Record<string, Told>>): FlakeMachines =>
  Object.fromEntries(
    Object.entries(told).map(([name, each]) => {
      const host = fleet.hosts.find((candidate) => candidate.name === name);
      if (host === undefined) throw new TypeError(`no host ${name} in this fleet`);
      return [name, machine(host.address, each)];
    }),
  );

// ── reading a run ────────────────────────────────────────────────────────────────────────────────────────────

/** What became of one machine in a report. Throws when the report does not name it. */
export const outcomeOf = (report: RunReport, name: string): RunReport['machines'][number] => {
  const found = report.machines.find((each) => each.machine === name);
  if (found === undefined) throw new Error(`the report does not name ${name}`);
  return found;
};

/** The steps of a run as the journal has them: `app/reboot begins`, `app/reboot succeeded`. */
export const stepsIn = (events: readonly RunEvent[]): readonly string[] =>
  events.flatMap(({ body }) =>
    body.kind === 'step-intended'
      ? [`${body.step} begins`]
      : body.kind === 'step-ended'
        ? [`${body.step} ${body.outcome.kind}`]
        : [],
  );

/** For `until`: a step has begun, or told anything of itself. */
export const begins =
  (step: string) =>
  (body: EventBody): boolean =>
    body.kind === 'step-intended' && body.step === step;
export const speaks =
  (step: string) =>
  (body: EventBody): boolean =>
    body.kind === 'step-noted' && body.step === step;

/** Units of a run (the orchestrator's timer is none) and logins of its users that are still on a host once lab is gone. */
export const strayOn = async (fleet: TestFleet, host: string): Promise<string> => {
  const units = ['list-units', '--all', '--plain', '--no-legend', 'lab-*'];
  const left = await fleet.exec(host, ['systemctl', ...units]);
  const logins = await fleet.exec(host, ['sh', '-c', 'ps -eo args | grep "^sshd: .*@" || true']);
  const stray = left.stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('lab-orchestrator.'));
  return [...stray, logins.stdout].join('\n').trim();
};
