import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, freemem, hostname, uptime } from 'node:os';
import { join, resolve } from 'node:path';
import type { Lab, LabOptions, Via } from '../cli/lab.ts';
import { systemClock } from '../clock.ts';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { ConductDeps } from '../flow/conduct.ts';
import { conductUpdate } from '../flow/conduct-update.ts';
import { earlierRunsIn } from '../flow/earlier-runs.ts';
import { openSession } from '../flow/live-session.ts';
import type { LabDeps } from '../flow/prepare.ts';
import { recallPast } from '../flow/recall.ts';
import { hostRuns, type Runs } from '../flow/runs.ts';
import { dialFromHere } from '../health/dial.ts';
import { runChecks } from '../health/run-checks.ts';
import { journalPathIn } from '../journal/database.ts';
import type { Journal } from '../journal/journal.ts';
import { acquireRunLock, type HeldLock, journalUnder } from '../journal/lock.ts';
import { seeRoomForARun, seeStateDirectory } from '../journal/state-directory.ts';
import { withoutSecrets } from '../nix-integration/argv.ts';
import { copyClosure } from '../nix-integration/copy.ts';
import { createNix } from '../nix-integration/create-nix.ts';
import { lockedInputs } from '../nix-integration/locked-inputs.ts';
import { noPast, type Past } from '../plan/past.ts';
import type { Closures, Nix, Target } from '../ports.ts';
import { account } from '../process/account.ts';
import { runProcess } from '../process/run.ts';
import { closure } from '../remote/closure.ts';
import { observe } from '../remote/observe.ts';
import { createTarget } from '../remote/target.ts';
import { isFleetSshConfigWhole, openSshArgv, writeFleetSshConfig } from '../ssh/fleet-config.ts';
import { createLocalRemote } from '../ssh/local.ts';
import { createSshRemote } from '../ssh/remote.ts';
import { openConfig } from './config-file.ts';
import { editArgv } from './edit.ts';
import { followLogsOver } from './follow-logs.ts';
import { lookByCron } from './look-by-cron.ts';
import { nextScheduled } from './next-scheduled.ts';
import { bootHere, createRemotes, isHere } from './remotes.ts';
import { runsInProcesses } from './runs.ts';
import { sshConfigOfRun } from './ssh-config-of-run.ts';
import { cacheDirectoryOf, openJournalIn, type Surroundings, stateDirectoryOf } from './surroundings.ts';

/** Builds the real adapters and joins them to the ports. `main.ts` loads this only for commands that need a lab. */

/** The ssh configurations that hold for this user, the more particular first. */
const sshIncludes = (options: LabOptions, { env, cwd }: Surroundings): readonly string[] =>
  options.sshConfig === null
    ? [join(env.HOME ?? account().homedir, '.ssh', 'config'), '/etc/ssh/ssh_config'].filter((path) =>
        existsSync(path),
      )
    : [resolve(cwd, options.sshConfig)];

const hostKeyPolicyOf = (env: Surroundings['env']): Result<'strict' | 'accept-new'> => {
  const given = env.LAB_HOST_KEYS ?? 'strict';
  return given === 'strict' || given === 'accept-new'
    ? ok(given)
    : fail({
        kind: 'usage',
        machine: null,
        phase: 'environment',
        message: `LAB_HOST_KEYS is "${given.slice(0, 40)}"`,
        remedy: 'set it to "strict" (the default) or "accept-new"',
      });
};

/** The lab, and what the engine needs to execute a run itself. */
export type OpenedLab = Lab & {
  readonly conductDeps: (via: ConductDeps['by']['via']) => Result<ConductDeps>;
};

/** Opens the lab over the real world. Nothing is run or connected before it is needed. */
export const openLab = async (options: LabOptions, around: Surroundings): Promise<Result<OpenedLab>> => {
  const { env } = around;
  const stateDirectory = stateDirectoryOf(env);
  const uid = process.getuid?.() ?? -1;
  const knownHosts = hostKeyPolicyOf(env);
  if (!knownHosts.ok) return knownHosts;
  if (options.sshConfig !== null && !existsSync(resolve(around.cwd, options.sshConfig)))
    return fail({
      kind: 'usage',
      machine: null,
      phase: 'command line',
      message: `the ssh configuration ${options.sshConfig} does not exist`,
      remedy: 'give the path of an ssh_config file',
    });
  const flakeKey = createHash('sha256').update(`${around.cwd}\0${options.flake}`).digest('hex').slice(0, 12);
  const sshKey = createHash('sha256')
    .update(JSON.stringify([flakeKey, options.sshConfig, knownHosts.value]))
    .digest('hex')
    .slice(0, 12);
  let sshConfigPath = join(stateDirectory, `ssh_config-${sshKey}`);

  const plainNix = createNix({
    flake: options.flake,
    cwd: around.cwd,
    runProcess,
    clock: systemClock,
    resources: { cores: availableParallelism(), freeMemoryBytes: freemem },
    fleetExpression: readFileSync(join(around.installation, 'nix', 'fleet.nix'), 'utf8'),
    overrides: options.overrideInputs.map(({ name, url }) => ({ input: name, url })),
    settings: options.nixOptions,
    rootsDir: join(stateDirectory, 'gcroots', flakeKey),
    ...(options.refresh
      ? {}
      : { cache: { folder: join(cacheDirectoryOf(env), 'evaluations'), searchPath: env.PATH ?? '' } }),
  });
  // ssh, nix copy and `lab ssh` all read one file, made from what was evaluated.
  const introduce: LabDeps['introduce'] = async (machines, when) =>
    when === 'unless-known' && (await isFleetSshConfigWhole(sshConfigPath))
      ? ok(undefined)
      : writeFleetSshConfig(sshConfigPath, {
          machines,
          includes: sshIncludes(options, around),
          knownHosts: knownHosts.value,
        });
  const nix: Nix = {
    ...plainNix,
    evaluate: async (asked) => {
      const evaluated = await plainNix.evaluate(asked);
      if (!evaluated.ok) return evaluated;
      const state = seeStateDirectory(stateDirectory, uid);
      if (!state.ok) return state;
      const written = await introduce(evaluated.value.fleet.machines);
      return written.ok ? evaluated : written;
    },
  };

  const { remote, goBy } = createRemotes(
    createLocalRemote({ runProcess, clock: systemClock, uid }),
    (path) =>
      createSshRemote({
        runProcess,
        clock: systemClock,
        env,
        knownHosts: knownHosts.value,
        sshConfigPath: path,
        lookUp: 'name',
      }),
    sshConfigPath,
  );
  const look: Target['observe'] = (machine, asked) => observe({ remote, clock: systemClock }, machine, asked);
  const target = createTarget({
    remote,
    clock: systemClock,
    copyClosure: async (machine, toplevel, asked) =>
      isHere(machine)
        ? ok(undefined)
        : copyClosure(
            { runProcess, clock: systemClock, settings: options.nixOptions },
            { ...asked, machine: machine.name, toplevel, destination: machine.name, sshConfigPath },
          ),
    health: (machine, asked) =>
      runChecks(machine, { remote, clock: systemClock, runProcess, dialFromHere, observe: look }, asked),
  });

  const closures: Closures = {
    here: plainNix.closure,
    on: (machine, toplevel, asked) => closure(remote, machine, toplevel, asked),
  };

  const resumesAtBoot = env.LAB_RESUMES_AT_BOOT === '1';
  let journal: Journal | null = null;
  const journalOnce = (): Result<Journal> => {
    if (journal !== null) return ok(journal);
    const opened = openJournalIn(env);
    if (opened.ok) journal = opened.value;
    return opened;
  };
  /** Read only, and nothing is made where there is nothing yet: commands that only show ask for it too. */
  const past = (): Result<Past> => {
    const { flake } = options;
    if (journal !== null) return recallPast(journal, flake, around.cwd);
    if (!existsSync(journalPathIn(stateDirectory))) return ok(noPast);
    const opened = openJournalIn(env, 'to read');
    if (!opened.ok) return opened;
    const recalled = recallPast(opened.value, flake, around.cwd);
    opened.value.close();
    return recalled;
  };
  let reader: Journal | null = null;
  const journalToRead = (): Result<Journal | null> => {
    const known = journal ?? reader;
    if (known !== null || !existsSync(journalPathIn(stateDirectory))) return ok(known);
    const opened = openJournalIn(env, 'to read');
    if (opened.ok) reader = opened.value;
    return opened;
  };
  const earlier = earlierRunsIn(journalToRead, options.flake, around.cwd);
  const lab = {
    flake: options.flake,
    nix,
    target,
    clock: systemClock,
    hostName: hostname(),
    ...bootHere(),
    resumesAtBoot,
    uptimeMs: () => uptime() * 1_000,
    past,
    earlier,
    introduce,
  };
  const conductDeps = (via: ConductDeps['by']['via']): Result<ConductDeps> => {
    const opened = journalOnce();
    if (!opened.ok) return opened;
    let held: HeldLock | null = null;
    return ok({
      ...lab,
      journal: journalUnder(opened.value, () => held),
      lock: (run) => {
        const room = seeRoomForARun(stateDirectory, uid);
        if (!room.ok) return room;
        const since = systemClock.now();
        const locked = acquireRunLock(stateDirectory, { pid: process.pid, run, host: hostname(), since });
        held = locked.ok ? locked.value : null;
        if (locked.ok) {
          // Other commands write theirs anew: for a flake that has changed since, or with other options.
          sshConfigPath = sshConfigOfRun(stateDirectory, run);
          goBy(sshConfigPath);
        }
        return locked;
      },
      by: { user: account().username, host: hostname(), pid: process.pid, via },
      labVersion: around.version,
      opened: {
        cwd: around.cwd,
        overrideInputs: options.overrideInputs.map(({ name, url }) => ({ name, value: url })),
        nixOptions: withoutSecrets(options.nixOptions),
        sshConfig: options.sshConfig,
      },
    });
  };
  const sshArgv = (machine: Machine, command: readonly string[]): readonly string[] => [
    ...openSshArgv(machine, sshConfigPath),
    ...command,
  ];
  const updateLock: Lab['updateLock'] = async (inputs, { via, signal }) => {
    const deps = conductDeps(via);
    const { stop, abort } = around.signals;
    const stops = AbortSignal.any([stop, signal]);
    return deps.ok ? conductUpdate(deps.value, inputs, { onEvent: () => {}, stop: stops, abort }) : deps;
  };
  const runs = (via: Via | 'tui'): Result<Runs> => {
    if (via === 'timer' || via === 'daemon') {
      const deps = conductDeps(via);
      return deps.ok ? ok(hostRuns(deps.value, around.signals)) : deps;
    }
    const opened = journalOnce();
    return opened.ok ? ok(runsInProcesses(opened.value, around, via, options)) : opened;
  };
  return ok({
    ...lab,
    closures,
    conductDeps,
    runs,
    updateLock,
    sshArgv,
    session: () => {
      const own = runs('tui');
      return own.ok
        ? ok(
            openSession({
              lab,
              closures,
              runs: own.value,
              demo: false,
              sshArgv: (machine): readonly string[] | Failure => sshArgv(machine, []),
              editArgv: (machine) => editArgv(machine, { flake: options.flake, cwd: around.cwd, env }),
              updateLock: (inputs, signal) => updateLock(inputs, { via: 'tui', signal }),
              lockedInputs: () => lockedInputs(options.flake, around.cwd),
              nextScheduled,
              followLogs: followLogsOver((machine) =>
                isHere(machine) ? null : openSshArgv(machine, sshConfigPath, 'batch'),
              ),
              schedule: lookByCron(openConfig(env, options.flake).looks),
            }),
          )
        : own;
    },
    close: async () => {
      await remote.close();
      journal?.close();
      reader?.close();
    },
  });
};
