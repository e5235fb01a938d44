import type { Failure, Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Closures, LockUpdate } from '../ports.ts';
import { emptySnapshot } from './empty-snapshot.ts';
import type { LabDeps } from './prepare.ts';
import type { Runs } from './runs.ts';
import type { FollowLogs, LookSchedule, Session } from './session.ts';
import { lookForBlockers } from './session-blockers.ts';
import { createClosureComparer } from './session-closures.ts';
import { createInputs, type LockedInput } from './session-inputs.ts';
import { createLogFollower } from './session-logs.ts';
import { createLooks } from './session-looks.ts';
import { createPastRuns } from './session-past.ts';
import { createFollowedRun } from './session-run.ts';
import { createStore } from './session-store.ts';

export type LiveSessionDeps = {
  readonly lab: LabDeps;
  readonly closures: Closures;
  readonly runs: Runs;
  readonly demo: boolean;
  readonly sshArgv: (machine: Machine) => readonly string[] | Failure;
  readonly editArgv: (machine: string) => readonly string[] | Failure;
  readonly followLogs: FollowLogs;
  readonly schedule: LookSchedule;
  /** Moves flake.lock and records it. */
  readonly updateLock: (inputs: readonly string[], stop: AbortSignal) => Promise<Result<LockUpdate>>;
  readonly lockedInputs: () => Promise<Result<readonly LockedInput[]>>;
  /** When the schedule of this machine starts its next run; null where there is none. */
  readonly nextScheduled: () => Promise<number | null>;
};

/**
 * The session over real adapters (or the simulated world): keeps one immutable snapshot, refreshes what it shows in
 * the background, and follows at most one run: its own, or one that somebody else started.
 */
export const openSession = (deps: LiveSessionDeps): Session => {
  const { lab } = deps;
  const { clock } = lab;
  const store = createStore(emptySnapshot(lab.flake, deps.demo, clock.now()), clock);
  const { snapshot, inBackground } = store;
  const looks = createLooks(lab, store, deps.schedule);
  const past = createPastRuns(deps.runs, lab.past, store);
  const run = createFollowedRun(deps.runs, looks, store, () => inBackground(past.load()));
  const inputs = createInputs(
    {
      nix: lab.nix,
      updateLock: deps.updateLock,
      lockedInputs: deps.lockedInputs,
      now: clock.now,
      onMoved: () => inBackground(Promise.all([looks.refreshAll(), past.load()])),
    },
    store,
  );
  const readSchedule = async (): Promise<void> => store.change({ nextScheduled: await deps.nextScheduled() });
  const logs = createLogFollower(deps.followLogs, store, clock.now);
  const closures = createClosureComparer(deps.closures, clock, store);
  const blockers = lookForBlockers(lab, store);
  const machineNamed = (name: string): Machine | undefined =>
    looks.machines().find((machine) => machine.name === name);
  const declineIfWaiting = (): void => {
    if (snapshot().phase.kind === 'awaiting-approval') run.ask('decline');
  };

  inBackground(looks.refreshAll());
  inBackground(past.load());
  inBackground(run.noticeRuns());
  inBackground(readSchedule());

  return {
    snapshot,
    now: () => clock.now(),
    subscribe: store.subscribe,
    refresh: () => {
      inBackground(looks.refreshAll());
      inBackground(past.load());
      blockers.again();
    },
    probe: (names) => inBackground(looks.probe(looks.machines().filter(({ name }) => names.includes(name)))),
    prepare: run.prepare,
    replan: run.replan,
    approve: () => run.ask('approve'),
    decline: () => run.ask('decline'),
    stop: () => run.ask('stop'),
    abort: () => run.ask('abort'),
    pause: () => run.ask('pause'),
    unpause: () => run.ask('unpause'),
    resume: run.resume,
    steer: run.steer,
    dismiss: run.dismiss,
    openPast: past.open,
    followLogs: (name, unit) => {
      const machine = machineNamed(name);
      if (machine !== undefined) logs.follow(machine, unit);
    },
    leaveLogs: logs.leave,
    readInputs: () => {
      inBackground(inputs.read());
      inBackground(readSchedule());
    },
    previewInputs: (names) => inBackground(inputs.preview(names)),
    updateInputs: (names) => inBackground(inputs.update(names)),
    lookAtClosure: closures.look,
    leaveClosure: closures.leave,
    lookAtGenerations: (name) => {
      const machine = machineNamed(name);
      if (machine !== undefined) inBackground(looks.generations(machine));
    },
    sshArgv: (name) => {
      const machine = machineNamed(name);
      return machine === undefined
        ? {
            kind: 'unknown-machine',
            machine: name,
            phase: 'ssh',
            message: `${name} is not evaluated`,
            remedy: 'refresh first',
          }
        : deps.sshArgv(machine);
    },
    editArgv: deps.editArgv,
    finished: async () => {
      declineIfWaiting();
      await run.ended();
    },
    close: async () => {
      // A plan of a process of its own waits on, until its time is over: it may be somebody else's, and a line that
      // broke is no answer. The demo's lives here, and ends with it.
      if (deps.demo) declineIfWaiting();
      store.close();
      await Promise.all([inputs.ended(), run.ended()]);
    },
  };
};
