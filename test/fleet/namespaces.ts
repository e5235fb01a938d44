import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProcess } from '../../src/process/run.ts';
import {
  describeFleet,
  environmentIn,
  identityIn,
  knownHostsIn,
  readHosts,
  sshConfigIn,
} from './directory.ts';
import { buildFactory } from './factory.ts';
import { clearingOrder, faultDetail, isFaultKind } from './fault.ts';
import type { FleetOptions, TestFleet, TestHost } from './fleet.ts';
import { bootsOf, parseHistory, rebootOrderOf } from './history.ts';
import { checked, script } from './host-scripts.ts';

export { namespacesAvailable } from './availability.ts';

// A host is up in a second and gone in less, where nothing else takes the processor; these are for where much does.
const commandDeadlineMs = 180_000;
const faultDeadlineMs = 90_000;
const upDeadlineMs = 180_000;
const startDeadlineMs = 300_000;
const endDeadlineMs = 90_000;
const pollMs = 50;
const consoleLines = 30;

/** Where the fleet of `npm run fleet` lives; LAB_FLEET names another than the usual one. Those of tests are beside it. */
export const byHandDirectory = `/run/lab-fleet-${process.env.LAB_FLEET ?? 'by-hand'}`;

const textOf = async (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null);

/** Polls until `read` gives a value; null after the deadline. */
const until = async <T>(read: () => Promise<T | null>, deadlineMs: number): Promise<T | null> => {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (value !== null || performance.now() > end) return value;
    await sleep(pollMs);
  }
};

/** A running fleet, by its directory alone: whoever started it may be long gone. */
const fleetIn = (directory: string, hosts: readonly TestHost[], down: () => Promise<void>): TestFleet => {
  const known = (name: string): TestHost => {
    const host = hosts.find((candidate) => candidate.name === name);
    if (host === undefined)
      throw new TypeError(`no host ${name} in this fleet: ${hosts.map((each) => each.name).join(', ')}`);
    return host;
  };
  const supervisorPid = async (): Promise<string> => {
    const [pid] = ((await textOf(join(directory, 'supervisor'))) ?? '').split(' ');
    if (pid === undefined || pid === '') throw new Error(`the fleet in ${directory} is down`);
    return pid;
  };
  const history = async () => parseHistory((await textOf(join(directory, 'events'))) ?? '');

  const control = async (...words: readonly string[]): Promise<void> => {
    const inside = ['nsenter', '--target', await supervisorPid(), '--net', '--mount', '--pid', '--'];
    checked(
      `fault.sh ${words.join(' ')}`,
      await runProcess([...inside, 'bash', script('fault.sh'), directory, ...words], {
        deadlineMs: faultDeadlineMs,
      }),
    );
  };

  const exec: TestFleet['exec'] = async (name, argv, options = {}) => {
    known(name);
    const [pid] = ((await textOf(join(directory, 'hosts', name, 'pid'))) ?? '').split(' ');
    if (pid === undefined || pid === '') throw new Error(`${name} is down`);
    return runProcess(['bash', script('enter.sh'), pid, ...argv], {
      deadlineMs: options.deadlineMs ?? commandDeadlineMs,
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    });
  };

  const stateOf = async (name: string): Promise<string> => {
    try {
      const answer = await exec(name, ['systemctl', 'is-system-running'], { deadlineMs: faultDeadlineMs });
      return answer.stdout.trim();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };

  const waitUntilUp: TestFleet['waitUntilUp'] = async (name, options = {}) => {
    known(name);
    const deadlineMs = options.deadlineMs ?? upDeadlineMs;
    let state = '';
    const up = await until(async () => {
      state = await stateOf(name);
      return state === 'running' || state === 'degraded' ? true : null;
    }, deadlineMs);
    if (up !== null) return;
    const console = ((await textOf(join(directory, 'hosts', name, 'console'))) ?? '').trim().split('\n');
    throw new Error(
      `${name} is not up after ${deadlineMs} ms: ${state}\n${console.slice(-consoleLines).join('\n')}`,
    );
  };

  const asOrchestrator = (argv: readonly string[]): readonly string[] => [
    'bash',
    script('orchestrator.sh'),
    directory,
    ...argv,
  ];
  const environment = environmentIn(directory);
  const run: TestFleet['run'] = async (argv, options = {}) => {
    const { env, deadlineMs, ...others } = options;
    return runProcess(asOrchestrator(argv), {
      ...others,
      deadlineMs: deadlineMs ?? commandDeadlineMs,
      env: { ...environment, ...env },
    });
  };

  return {
    kind: 'namespaces',
    directory,
    hosts,
    sshConfigPath: sshConfigIn(directory),
    identityFile: identityIn(directory),
    knownHostsPath: knownHostsIn(directory),
    environment,
    asOrchestrator,
    run,
    exec,
    fault: async (name, kind, detail) => control('set', known(name).name, kind, faultDetail(kind, detail)),
    clearFaults: async (name) => {
      const concerned = name === undefined ? hosts : [known(name)];
      for (const host of concerned) {
        const set = (await readdir(join(directory, 'hosts', host.name, 'faults'))).filter(isFaultKind);
        for (const kind of clearingOrder.filter((candidate) => set.includes(candidate))) {
          await control('clear', host.name, kind);
        }
        await control('power-on', host.name);
      }
    },
    reboot: async (name) => {
      const before = bootsOf(await history(), known(name).name);
      // A host can be gone before systemctl has its answer: only the next boot counts.
      const told = await exec(name, ['systemctl', 'reboot']);
      const again = await until(
        async () => (bootsOf(await history(), name) > before ? true : null),
        upDeadlineMs,
      );
      if (again === null)
        throw new Error(`${name} did not boot again within ${upDeadlineMs} ms: ${told.stderr.trim()}`);
      await waitUntilUp(name);
    },
    waitUntilUp,
    installToplevel: async (name, toplevel) => {
      const { address } = known(name);
      const to = `ssh-ng://root@${address}`;
      checked(
        `nix copy to ${name}`,
        await run(
          [
            'nix',
            '--extra-experimental-features',
            'nix-command',
            'copy',
            '--no-check-sigs',
            '--to',
            to,
            toplevel,
          ],
          { env: { NIX_SSHOPTS: `-F ${sshConfigIn(directory)}` } },
        ),
      );
      const profile = '/nix/var/nix/profiles/system';
      checked(`nix-env --set on ${name}`, await exec(name, ['nix-env', '-p', profile, '--set', toplevel]));
    },
    history,
    boots: async (name) => bootsOf(await history(), known(name).name),
    rebootOrder: async () => rebootOrderOf(await history()),
    down,
  };
};

/** The kernel ends every host with the supervisor; its starter, or failing that we, remove the rest. */
const end = async (directory: string): Promise<void> => {
  const [pid, started] = ((await textOf(join(directory, 'supervisor'))) ?? '').trim().split(' ');
  if (pid !== undefined && started !== undefined) {
    const stat = (await textOf(`/proc/${pid}/stat`)) ?? '';
    // Field 22, the start time, tells the supervisor from another process that got its pid.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[19] === started) process.kill(Number(pid), 'SIGKILL');
  }
  const gone = await until(async () => (existsSync(directory) ? null : true), endDeadlineMs);
  if (gone !== null) return;
  checked(
    `removal of ${directory}`,
    await runProcess(['bash', script('sweep.sh'), 'remove', directory], { deadlineMs: endDeadlineMs }),
  );
};

/**
 * Starts a fleet. With `lifeline`, it dies with this process, however that dies; without, it stays until `down`.
 * The one place besides src/process/run.ts that starts a process: one that must outlive a call, or hold our pipe.
 */
const startIn = async (directory: string, options: FleetOptions, lifeline: boolean): Promise<TestFleet> => {
  const prepare = async (): Promise<readonly TestHost[]> => {
    const described = await describeFleet(directory, options);
    if (options.factory === true) await buildFactory(directory);
    return described;
  };
  const hosts = await prepare().catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  const logPath = join(directory, 'log');
  const log = openSync(logPath, 'a', 0o600);
  const starter = spawn('bash', [script('start.sh'), directory], {
    // A group of its own: Ctrl-C at the terminal is for the tests, which then let go of the lifeline.
    detached: true,
    stdio: [lifeline ? 'pipe' : 'ignore', log, log],
    ...(lifeline ? {} : { env: { ...process.env, LIFELINE: 'none' } }),
    cwd: '/',
  });
  closeSync(log);
  starter.stdin?.on('error', () => {
    // The fleet ended before we let go: `down` and the checks below say so.
  });
  starter.unref();
  let lastLog = '';
  const down = async (): Promise<void> => {
    starter.stdin?.destroy();
    await end(directory);
  };
  const failed = once(starter, 'exit').then(() => 'exit' as const);
  const ready = until(async () => {
    lastLog = (await textOf(logPath)) ?? lastLog;
    return existsSync(join(directory, 'supervisor')) ? ('ready' as const) : null;
  }, startDeadlineMs);
  if ((await Promise.race([failed, ready])) !== 'ready') {
    await down();
    throw new Error(`the fleet did not start: ${lastLog.trim()}`);
  }
  const fleet = fleetIn(directory, hosts, down);
  try {
    const deadlineMs = options.deadlineMs ?? startDeadlineMs;
    await Promise.all(hosts.map((host) => fleet.waitUntilUp(host.name, { deadlineMs })));
  } catch (error) {
    await down();
    throw error;
  }
  return fleet;
};

/** Removes what fleets left behind that did not end well. */
export const sweepStale = async (): Promise<void> => {
  checked(
    'sweep.sh stale',
    await runProcess(['bash', script('sweep.sh'), 'stale'], { deadlineMs: commandDeadlineMs }),
  );
};

/** A fleet that dies with this process at the latest. */
export const startInNamespaces = async (options: FleetOptions): Promise<TestFleet> => {
  await sweepStale();
  return startIn(await mkdtemp('/run/lab-fleet-'), options, true);
};

/**
 * The fleet of `npm run fleet`: stays until it is taken down, or with `lifeline` until this process ends. Rejects when it
 * is up already.
 */
export const startByHand = async (options: FleetOptions, lifeline = false): Promise<TestFleet> => {
  await sweepStale();
  try {
    await mkdir(byHandDirectory, { mode: 0o700 });
  } catch {
    throw new Error(
      'the fleet is up already: `npm run fleet -- status` shows it, `npm run fleet -- down` ends it',
    );
  }
  return startIn(byHandDirectory, options, lifeline);
};

/** The fleet of `npm run fleet` when it is up, else null. */
export const openByHand = async (): Promise<TestFleet | null> => {
  if (!existsSync(byHandDirectory)) return null;
  await sweepStale();
  if (!existsSync(join(byHandDirectory, 'supervisor'))) return null;
  return fleetIn(byHandDirectory, await readHosts(byHandDirectory), async () => end(byHandDirectory));
};
