import { systemClock } from '../clock.ts';
import { type Failure, ok } from '../failure.ts';
import type { ConductDeps } from '../flow/conduct.ts';
import { conductUpdate } from '../flow/conduct-update.ts';
import { earlierRunsIn } from '../flow/earlier-runs.ts';
import { openSession } from '../flow/live-session.ts';
import { recallPast } from '../flow/recall.ts';
import { hostRuns, type Runs } from '../flow/runs.ts';
import type { Session } from '../flow/session.ts';
import { answerDeadlineMs } from '../run/answer-deadline.ts';
import { createDemoWorld, demoPace } from '../sim/demo.ts';
import { demoLogs } from '../sim/demo-logs.ts';
import type { DemoTrouble } from '../sim/demo-trouble.ts';
import { createMemoryJournal } from '../sim/memory-journal.ts';
import { lookByClock } from './look-schedule.ts';
import type { Surroundings } from './surroundings.ts';

/** A session over the simulated lab: its runs are executed in this process, and its journal is forgotten with it. */

const noMachines: Failure = {
  kind: 'demo',
  machine: null,
  phase: 'ssh',
  message: 'the machines of the demo are simulated: there is no shell on them',
  remedy: 'open a lab of your own with `lab --flake DIR`',
};

/** Four in the morning: when the demo's schedule says that it runs. */
const nextNight = (now: number): number => {
  const date = new Date(now);
  date.setHours(28, 0, 0, 0);
  return date.getTime();
};

const noFiles: Failure = {
  ...noMachines,
  phase: 'edit',
  message: 'the machines of the demo have no files: there is nothing to edit',
};

export const demoSession = (
  options: {
    readonly seed: number;
    readonly speed: number;
    readonly trouble?: DemoTrouble | null;
    /** How long a plan waits, milliseconds of the demo's lab; half an hour of the viewer's unless told. */
    readonly answerWithinMs?: number;
  },
  around: Pick<Surroundings, 'cwd' | 'version' | 'signals'>,
): { readonly session: Session; readonly runs: Runs; readonly leave: () => void } => {
  const { nix, target, closures, clock, flake, hostName } = createDemoWorld({
    ...options,
    trouble: options.trouble ?? null,
    clock: systemClock,
  });
  // The run of a demo lives in this process: it must not keep it alive once nobody watches.
  const left = new AbortController();
  const journal = createMemoryJournal(() => clock.now());
  const past = () => recallPast(journal, flake, around.cwd);
  const earlier = earlierRunsIn(() => ok(journal), flake, around.cwd);
  const introduce = async () => ok(undefined);
  const lab = { flake, nix, target, clock, hostName, resumesAtBoot: false, past, earlier, introduce };
  const deps: ConductDeps = {
    ...lab,
    journal,
    lock: () => ({ ok: true, value: { release: () => {} } }),
    by: { user: 'you', host: hostName, pid: process.pid, via: 'demo' },
    labVersion: around.version,
    opened: { cwd: around.cwd, overrideInputs: [], nixOptions: [], sshConfig: null },
    // People read at their own pace, however fast the demo's lab lives.
    answerWithinMs: options.answerWithinMs ?? Math.round(answerDeadlineMs * demoPace * options.speed),
  };
  const signals = {
    stop: around.signals.stop,
    abort: AbortSignal.any([around.signals.abort, left.signal]),
  };
  const runs = hostRuns(deps, signals);
  const session = openSession({
    lab,
    closures,
    runs,
    demo: true,
    sshArgv: () => noMachines,
    editArgv: () => noFiles,
    updateLock: (inputs, stop) =>
      conductUpdate(deps, inputs, { onEvent: () => {}, stop, abort: signals.abort }),
    lockedInputs: async () => ok(nix.lockedInputs()),
    nextScheduled: async () => nextNight(clock.now()),
    followLogs: demoLogs(clock),
    schedule: lookByClock(clock, { observe: 30_000, probe: 60_000 }),
  });
  return { session, runs, leave: () => left.abort() };
};
