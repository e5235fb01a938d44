import { hostname, uptime, userInfo } from 'node:os';
import type { LabOptions } from '../cli/lab.ts';
import { systemClock } from '../clock.ts';
import { fail, ok, type Result } from '../failure.ts';
import { detachedRuns, type Runs } from '../flow/runs.ts';
import type { Journal } from '../journal/journal.ts';
import { replay } from '../run/state.ts';
import { type EngineOrder, startEngine } from './start-engine.ts';
import { engineLogOf, openJournalIn, type Surroundings } from './surroundings.ts';

/** Runs in processes of their own, as commands and the screen begin and find them. */

const processExists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/** Runs that outlive this process: each is executed by an engine of its own, which reads its order from stdin. */
export const runsInProcesses = (
  journal: Journal,
  around: Surroundings,
  via: 'cli' | 'tui',
  options: LabOptions,
): Runs =>
  detachedRuns({
    journal,
    clock: systemClock,
    who: `${userInfo().username} (${via})`,
    // After a reboot a process id means nothing: it may be anybody's.
    isAlive: ({ by, lastAt }) => lastAt > systemClock.now() - uptime() * 1_000 && processExists(by.pid),
    hostName: hostname(),
    launch: async (run, work) => {
      const order: EngineOrder = { run, via, work, options, cwd: around.cwd };
      const logPath = engineLogOf(around.env, run);
      return startEngine(around.engineArgv, order, logPath);
    },
  });

/** Runs of the journal for commands without a flake; what they resume is opened as it was by who began it. */
export const openRunsIn = (around: Surroundings): Result<Runs> => {
  const opened = openJournalIn(around.env);
  if (!opened.ok) return opened;
  const none: LabOptions = {
    flake: '.',
    overrideInputs: [],
    nixOptions: [],
    sshConfig: null,
    refresh: false,
  };
  const plain = runsInProcesses(opened.value, around, 'cli', none);
  return ok({
    ...plain,
    resume: async (run) => {
      const state = replay(opened.value.eventsOf(run));
      if (state === null)
        return fail({
          kind: 'usage',
          machine: null,
          phase: 'resume',
          message: `no run ${run}`,
          remedy: '`lab journal --runs` lists them',
        });
      const { cwd, overrideInputs, nixOptions, sshConfig } = state.opened;
      const options: LabOptions = {
        flake: state.flake,
        overrideInputs: overrideInputs.map(({ name, value }) => ({ name, url: value })),
        nixOptions,
        sshConfig,
        refresh: false,
      };
      return runsInProcesses(opened.value, { ...around, cwd }, 'cli', options).resume(run);
    },
  });
};
