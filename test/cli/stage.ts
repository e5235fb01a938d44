import { readdirSync } from 'node:fs';
import type { Cli, Lab } from '../../src/cli/lab.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { fail, ok, type Result } from '../../src/failure.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import type { ConductDeps } from '../../src/flow/conduct.ts';
import { conductUpdate } from '../../src/flow/conduct-update.ts';
import { earlierRunsIn } from '../../src/flow/earlier-runs.ts';
import { recallPast } from '../../src/flow/recall.ts';
import { hostRuns, type Runs } from '../../src/flow/runs.ts';
import { type ControlKind, type Journal, JournalFailure } from '../../src/journal/journal.ts';
import type {
  Closures,
  Evaluation,
  LeaseAnswer,
  LeaseRequest,
  LockChange,
  Nix,
  Toplevel,
} from '../../src/ports.ts';
import type { RunId } from '../../src/run/event.ts';
import { createVirtualClock } from '../../src/sim/clock.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { createMachine } from '../../src/sim/machine.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';
import { createRandom, storePath } from '../../src/sim/random.ts';
import { type Closure, createWorld, type Effect } from '../../src/sim/world.ts';
import { closureWith, machineNamed, toplevelOf } from '../simulation/fleet.ts';
import { seeDocuments } from './document-check.ts';

/** A stage for the command line: the production program over a simulated lab, its output kept as text. */

// Commands import these when they begin to work. Simulated time waits for no file, so they are there before.
await Promise.all(
  readdirSync(new URL('../../src/cli/deeds/', import.meta.url)).map(
    (file) => import(`../../src/cli/deeds/${file.replace(/\.ts$/u, '')}.ts`),
  ),
);
await import('../../src/run/report.ts');

const startAt = Date.UTC(2026, 10, 20, 4, 0, 0);
const never = new AbortController().signal;
const dayMs = 86_400_000;

const nature = {
  copyMs: 2_000,
  activationMs: 3_000,
  restartMs: 500,
  shutdownMs: 4_000,
  bootMs: 20_000,
  startupMs: 3_000,
  servicesMs: 2_000,
};

export type StageOptions = {
  readonly machines: readonly Machine[];
  readonly faults?: Readonly<Record<string, readonly Fault[]>>;
  /** Units that had failed before, by machine. */
  readonly failedUnits?: Readonly<Record<string, readonly string[]>>;
  /** Kernel that the flake wants, by machine; `6.12.8` is what all of them run. */
  readonly wants?: Readonly<Record<string, string>>;
  readonly evaluation?: Partial<Evaluation>;
  readonly lockChanges?: readonly LockChange[];
  readonly answers?: readonly string[];
  /** Whoever is asked leaves the question standing. */
  readonly leavesQuestions?: boolean;
  readonly interactive?: boolean;
  /** Ctrl-C, told to every command. */
  readonly stop?: AbortSignal;
  readonly nix?: Partial<Nix>;
  readonly closures?: Partial<Closures>;
  /** Host name of where `lab` runs, and whether a unit there resumes runs at boot. */
  readonly hostName?: string;
  readonly resumesAtBoot?: boolean;
  /** Where the journal is kept, dated by the given clock. Default: in memory. */
  readonly journal?: (now: () => number) => Journal;
  /** The journal takes this many events, and then no more. */
  readonly journalFullAfter?: number;
};

export const createStage = (options: StageOptions) => {
  const time = createVirtualClock(startAt);
  const { clock } = time.process();
  const kernelOf = (name: string): string => options.wants?.[name] ?? '6.12.8';
  const wanted = (name: string): string => toplevelOf(name, kernelOf(name) === '6.12.8' ? 'old' : 'new');
  const closures = new Map<string, Closure>(
    options.machines.flatMap(({ name }) => [
      [toplevelOf(name, 'older'), closureWith('6.12.1')] as const,
      [toplevelOf(name, 'old'), closureWith('6.12.8')] as const,
      [wanted(name), closureWith(kernelOf(name))] as const,
    ]),
  );
  /** What a toplevel consists of: its kernel, openssl, and itself. */
  const contentsOf: (toplevel: string) => ReturnType<Closures['here']> = async (toplevel) => {
    const parts = closures.get(toplevel)?.parts;
    const kernel = /linux-([0-9.]+)/u.exec(parts?.kernel ?? '')?.[1] ?? '0';
    const openssl = kernel === '6.12.11' ? '3.0.15' : '3.0.14';
    return ok([
      {
        path: storePath('', `linux-${kernel}`),
        bytes: 140_000_000 + Number(kernel.split('.').at(-1)) * 100_000,
      },
      { path: storePath('', `openssl-${openssl}-bin`), bytes: 8_000_000 },
      { path: storePath(toplevel, 'etc'), bytes: 48_000 },
      { path: toplevel, bytes: 18_000 },
    ]);
  };
  let effectListener: (effect: Effect) => void = () => {};
  const world = createWorld({
    machines: options.machines.map(({ name }) =>
      createMachine(
        {
          name,
          nature,
          faults: options.faults?.[name] ?? [],
          failedUnits: options.failedUnits?.[name] ?? [],
          booted: toplevelOf(name, 'old'),
          current: toplevelOf(name, 'old'),
          profile: toplevelOf(name, 'old'),
          generation: 41,
          earlier: [toplevelOf(name, 'older')],
          uptimeMs: 3 * dayMs,
        },
        startAt,
      ),
    ),
    closures,
    now: () => time.now(),
    random: createRandom(1),
    network: { latencyMs: [10, 10], silenceMs: 0 },
    onEffect: (effect) => effectListener(effect),
  });
  const toplevels = (names: readonly string[]) =>
    names.map(
      (name): Toplevel => ({
        machine: name,
        drvPath: `${wanted(name)}.drv`,
        outPath: wanted(name),
        parts: closureWith(kernelOf(name)).parts,
      }),
    );
  let lock = 0;
  let rewritten: Result<Evaluation> | null = null;
  const nix: Nix = {
    evaluate: async () =>
      rewritten ??
      ok({ fleet: { machines: options.machines, failed: [] }, discrepancies: [], ...options.evaluation }),
    proposeUpdate: async () =>
      ok({
        changes: options.lockChanges ?? [],
        notAsked: [],
        remark: null,
        write:
          (options.lockChanges ?? []).length === 0
            ? null
            : {
                path: '/flake.lock',
                previous: 'the lock file as it was',
                text: 'the lock file moved',
                movedHash: 'of the lock file moved',
              },
      }),
    writeLock: async () => {
      lock += 1;
      return ok(undefined);
    },
    restoreLock: async () => {
      lock -= 1;
      return ok(undefined);
    },
    lockHolds: async () => ok(lock === 0 ? 'previous' : 'moved'),
    toplevels: async (names) => ({ built: toplevels(names), failed: [] }),
    build: async (names) => ({ built: toplevels(names), failed: [] }),
    ...options.nix,
  };
  let shutdown = new AbortController();
  const memory = (options.journal ?? createMemoryJournal)(() => time.now());
  const journal: Journal = {
    ...memory,
    append: (run, body) => {
      if (memory.tail(1_000_000).length >= (options.journalFullAfter ?? Number.POSITIVE_INFINITY))
        throw new JournalFailure('the disk is full', 'make room');
      return memory.append(run, body);
    },
  };
  const written: string[] = [];
  const errors: string[] = [];
  const asked: string[] = [];
  const answers = [...(options.answers ?? [])];
  let exitCode = 0;
  const documents = new Set<string>();
  const deps = {
    flake: '.',
    nix,
    target: world.targetOn(clock),
    clock,
    hostName: options.hostName ?? 'elsewhere',
    resumesAtBoot: options.resumesAtBoot ?? false,
    earlier: earlierRunsIn(() => ok(journal), '.', '/'),
    introduce: async () => ok(undefined),
    past: () => recallPast(journal, '.', '/'),
  };
  const conductDeps = (via: ConductDeps['by']['via']): ConductDeps => ({
    ...deps,
    journal,
    lock: () => ok({ release: () => {} }),
    by: { user: 'amy', host: 'desk', pid: 1, via },
    labVersion: '0.1.0',
    opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
  });
  const runsBy = (via: 'cli' | 'timer' | 'daemon'): Runs =>
    hostRuns(conductDeps(via), { stop: shutdown.signal, abort: never });
  const lab: Lab = {
    ...deps,
    closures: {
      here: async (toplevel) => contentsOf(toplevel),
      on: async (_machine, toplevel) => contentsOf(toplevel),
      ...options.closures,
    },
    runs: (via) => ok(runsBy(via)),
    updateLock: (inputs, { via }) =>
      conductUpdate(conductDeps(via), inputs, { onEvent: () => {}, stop: shutdown.signal, abort: never }),
    session: () => {
      throw new TypeError('no screen on this stage');
    },
    sshArgv: (machine, command) => ['ssh', '-F', 'ssh_config', '--', machine.name, ...command],
    close: async () => {},
  };
  const cli: Cli = {
    out: (text) => void written.push(text),
    err: (text) => void errors.push(text),
    interactive: options.interactive ?? false,
    ask: async (question, signal) => {
      asked.push(question);
      if (options.leavesQuestions === true)
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      return answers.shift() ?? null;
    },
    stop: options.stop ?? never,
    abort: never,
    hangup: never,
    openLab: async () => ok(lab) as Result<Lab>,
    openRuns: async () => ok({ ...runsBy('cli'), journal: { ...journal, close: () => {} } }),
    openJournal: async () => ok({ ...runsBy('cli'), journal: { ...journal, close: () => {} } }),
    clock,
    wall: () => time.now(),
    version: '0.1.0',
    runInteractive: async (argv) => {
      written.push(`(runs ${argv.join(' ')})\n`);
      return 7;
    },
    openScreen: async () => 0,
    openDemo: async () => 0,
    openRealDemo: async () => 0,
    tellConfig: async () => 0,
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  return {
    world,
    journal,
    /** How often flake.lock was moved and not put back. */
    lockMoves: () => lock,
    asked,
    /** What the next question is answered with. */
    answer: (text: string): void => void answers.push(text),
    /** What was printed with `--json`, by the names under which it is published; each was seen to be as published. */
    documents,
    /** Lets something happen this long after the start, while a command runs. */
    at: (ms: number, act: () => void): void => time.schedule(startAt + ms, act),
    /** Another command, so long after the start, beside the one that runs; what it said, once both are over. */
    meanwhile: (
      ms: number,
      ...argv: readonly string[]
    ): (() => { shown: string; exitCode: number }) & { readonly press: () => void } => {
      const pressed = new AbortController();
      const said: string[] = [];
      let code = 0;
      const beside: Cli = {
        ...cli,
        out: (text) => void said.push(text),
        err: (text) => void said.push(text),
        stop: pressed.signal,
        // The run that it finds is hosted by the other command.
        openRuns: async () =>
          ok({ ...runsBy('cli'), isAlive: () => true, journal: { ...journal, close: () => {} } }),
        setExitCode: (given) => {
          code = given;
        },
      };
      time.schedule(startAt + ms, () => void runCommandLine(beside, argv));
      const heard = () => ({
        shown: said.join('').replaceAll(/\d{8}-\d{6}-[0-9a-f]{4}/gu, 'RUN'),
        exitCode: code,
      });
      // Ctrl-C, for this command alone.
      return Object.assign(heard, { press: () => pressed.abort('Ctrl-C') });
    },
    /** systemd ends the process, as at a shutdown of the machine that `lab` runs on; the next command is after its boot. */
    shutDown: (): void => {
      shutdown.abort('SIGTERM');
      shutdown = new AbortController();
    },
    /** Nothing happens for so long. */
    pass: (ms: number): Promise<void> =>
      time.run(time.process().clock.sleep(ms), { until: startAt + 7 * dayMs, turnsMax: 1_000 }),
    past: () => deps.past(),
    /** Milliseconds since the start. */
    elapsed: (): number => time.now() - startAt,
    onEffect: (listener: (effect: Effect) => void): void => {
      effectListener = listener;
    },
    askLatest: (kind: ControlKind): void => {
      const latest = journal.runs(1)[0];
      if (latest !== undefined) journal.ask(latest.run, kind, 'somebody');
    },
    /** From here on the flake describes these. */
    describe: (fleet: Evaluation['fleet']): void => {
      rewritten = ok({ fleet, discrepancies: [] });
    },
    /** From here on the flake does not evaluate. */
    breakFlake: (): void => {
      rewritten = fail({
        kind: 'flake-syntax',
        machine: null,
        phase: 'evaluate',
        message: 'flake.nix: syntax error, unexpected end of file',
        remedy: 'repair it',
      });
    },
    /** Lets time pass between two commands. */
    wait: (ms: number): Promise<void> =>
      time.run(time.process().clock.sleep(ms), { until: startAt + 7 * dayMs, turnsMax: 1_000_000 }),
    /** Another orchestrator asks a machine for its lease. */
    lease: (name: string, ask: LeaseRequest['ask'], run: string): Promise<LeaseAnswer> => {
      const machine = options.machines.find((candidate) => candidate.name === name);
      if (machine === undefined) throw new TypeError(`no machine ${name}`);
      const claim = { run, owner: 'bob@laptop', ttlMs: 600_000 };
      const asked = world
        .targetOn(time.process().clock)
        .lease(machine, { ask, claim, deadlineMs: 10_000 }, {});
      return time.run(asked, { until: startAt + 7 * dayMs, turnsMax: 1_000 });
    },
    /** Leaves a run of another flake in the journal. */
    leaveRunOf: (flake: string, run: RunId): void => {
      journal.append(run, {
        kind: 'run-started',
        goal: { kind: 'run', update: false },
        flake,
        selectors: [],
        by: { user: 'amy', host: 'desk', pid: 1, via: 'cli' },
        labVersion: '0.1.0',
        opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
      });
      journal.append(run, { kind: 'run-ended', result: 'declined', reason: '', failure: null });
    },
    /** Leaves a run in the journal as a process does that is killed while it prepares. */
    leaveUnfinished: async (host = 'desk'): Promise<void> => {
      journal.append('20261119-040000-dead', {
        kind: 'run-started',
        goal: { kind: 'run', update: false },
        flake: '.',
        selectors: [],
        by: { user: 'amy', host, pid: 1, via: 'cli' },
        labVersion: '0.1.0',
        opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
      });
    },
    /** Runs one command line and shows it as a terminal session. Run ids, which are random, read `RUN`. */
    run: async (
      ...argv: readonly string[]
    ): Promise<{
      readonly shown: string;
      readonly out: string;
      readonly err: string;
      readonly exitCode: number;
    }> => {
      exitCode = 0;
      written.length = 0;
      errors.length = 0;
      await time.run(runCommandLine(cli, argv), { until: startAt + 7 * dayMs, turnsMax: 1_000_000 });
      const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
      const helps = words.some((word) => ['help', '--help', '-h', '--version', '-V'].includes(word));
      if (words.includes('--json') && !helps)
        for (const name of seeDocuments(written.join(''))) documents.add(name);
      // A hash of the plan, or of a path in it, changes with every field that a plan gains.
      const hide = (text: string): string =>
        text.replaceAll(/\d{8}-\d{6}-[0-9a-f]{4}/gu, 'RUN').replaceAll(/\b[0-9a-f]{16}\b/gu, 'HASH');
      const [out, err] = [hide(written.join('')), hide(errors.join(''))];
      const errorPart = err === '' ? '' : `--- stderr ---\n${err}`;
      return {
        shown: `$ lab ${hide(argv.join(' '))}\n${out}${errorPart}(exit ${exitCode})\n`,
        out,
        err,
        exitCode,
      };
    },
  };
};

/** The lab of the examples: a NAS, a server that needs it, a proxy that needs the server, a workstation. */
export const exampleMachines: readonly Machine[] = [
  machineNamed('sleeper-service', {
    role: 'nas',
    groups: ['infrastructure'],
    rebootOrder: 1,
    criticality: 'high',
    delay: 0,
  }),
  machineNamed('grey-area', {
    role: 'application-server',
    groups: ['infrastructure', 'backend'],
    rebootOrder: 2,
    dependencies: ['sleeper-service'],
    strategy: 'blue-green',
    delay: 60,
  }),
  machineNamed('reverse-proxy', {
    role: 'proxy',
    groups: ['edge'],
    dependencies: ['grey-area'],
    criticality: 'critical',
    delayIsOwn: false,
  }),
  machineNamed('congenital-optimist', {
    role: 'workstation',
    orchestrator: true,
    criticality: 'low',
    delay: 0,
  }),
];
