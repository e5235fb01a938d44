import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import type { LabOptions, ReadRuns } from '../cli/lab.ts';
import { openedAs } from '../cli/opened-as.ts';
import { systemClock } from '../clock.ts';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { detachedRuns, type Runs } from '../flow/runs.ts';
import { journalPathIn } from '../journal/database.ts';
import type { Journal } from '../journal/journal.ts';
import { isExecuting } from '../journal/lock.ts';
import { seeRoomForARun } from '../journal/state-directory.ts';
import { account } from '../process/account.ts';
import type { RunId } from '../run/event.ts';
import { replay } from '../run/state.ts';
import { readWhyDied } from './last-words.ts';
import { type EngineOrder, startEngine } from './start-engine.ts';
import {
  engineLogOf,
  lastWordsOf,
  openJournalIn,
  type Surroundings,
  stateDirectoryOf,
} from './surroundings.ts';

/** Runs in processes of their own, as commands and the screen begin and find them. */

const unopened: LabOptions = {
  flake: '.',
  overrideInputs: [],
  nixOptions: [],
  sshConfig: null,
  refresh: false,
};

/** Its lock is looked for where nothing is any more: that says nothing about its process. */
const goneWithItsState = (run: RunId, stateDirectory: string): Failure => ({
  kind: 'died',
  machine: null,
  phase: 'run',
  message: `the journal in ${stateDirectory} was moved or removed: whether run ${run} goes on cannot be told from here`,
  remedy:
    'put it back; a run whose journal is gone ends at its next step, and `lab resume` takes it up again',
});

/** Runs that outlive this process: each is executed by an engine of its own, which reads its order from stdin. */
export const runsInProcesses = (
  journal: Journal,
  around: Surroundings,
  via: 'cli' | 'tui',
  options: LabOptions,
): Runs => {
  const stateDirectory = stateDirectoryOf(around.env);
  return detachedRuns({
    journal,
    clock: systemClock,
    who: `${account().username} (${via})`,
    isAlive: ({ run }) => isExecuting(stateDirectory, run, hostname()),
    whyDied: (run) =>
      readWhyDied(run, lastWordsOf(around.env, run), engineLogOf(around.env, run)) ??
      (existsSync(journalPathIn(stateDirectory)) ? null : goneWithItsState(run, stateDirectory)),
    launch: async (run, work) => {
      const room = seeRoomForARun(stateDirectory, process.getuid?.() ?? -1);
      if (!room.ok) return room;
      const order: EngineOrder = { run, via, work, options, cwd: around.cwd };
      const logPath = engineLogOf(around.env, run);
      return startEngine(around.engineArgv, order, logPath);
    },
  });
};

/** The runs of the journal to be read of, also where nothing can be written. */
export const readRunsIn = (around: Surroundings): Result<ReadRuns> => {
  const opened = openJournalIn(around.env, 'to read');
  return opened.ok ? ok(runsInProcesses(opened.value, around, 'cli', unopened)) : opened;
};

/** Runs of the journal for commands without a flake; what they resume is opened as it was by who began it. */
export const openRunsIn = (around: Surroundings): Result<Runs> => {
  const opened = openJournalIn(around.env);
  if (!opened.ok) return opened;
  const plain = runsInProcesses(opened.value, around, 'cli', unopened);
  return ok({
    ...plain,
    resume: async (run, steer) => {
      const state = replay(opened.value.eventsOf(run));
      if (state === null)
        return fail({
          kind: 'usage',
          machine: null,
          phase: 'resume',
          message: `no run ${run}`,
          remedy: '`lab journal --runs` lists them',
        });
      const there = { ...around, cwd: state.opened.cwd };
      return runsInProcesses(opened.value, there, 'cli', openedAs(state)).resume(run, steer);
    },
  });
};
