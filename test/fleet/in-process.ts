import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProcess } from '../../src/process/run.ts';
import { quoteForRemoteShell } from '../../src/ssh/quote.ts';
import { environmentIn, identityIn, knownHostsIn, sshConfigIn, writeSshFiles } from './directory.ts';
import { type FaultKind, faultDetail } from './fault.ts';
import type { FleetOptions, TestFleet, TestHost } from './fleet.ts';
import { bootsOf, type FleetEvent, rebootOrderOf } from './history.ts';
import { type Answer, type PlayedHost, playHost } from './in-process-host.ts';
import { newKey } from './key.ts';

const commandDeadlineMs = 60_000;
const upDeadlineMs = 10_000;
const bootMs = 100;
const pollMs = 20;

/** Linux answers on all of 127/8, so each host has an address of its own there. */
const addressOf = (index: number): string =>
  process.platform === 'linux' ? `127.77.${(index + 1) >> 8}.${(index + 1) & 255}` : '127.0.0.1';

const refuse = (what: string): never => {
  throw new Error(
    `${what} needs the real test fleet: hosts that are only played in this process cannot do it`,
  );
};

/**
 * The stand-in where namespaces are refused: ssh servers in this process. Connections, host keys, keys that let in,
 * reboots as seen from outside and lost hosts are real; systemd, Nix, sudo and commands are not there.
 * `answer` teaches the hosts more commands.
 */
export const startInProcess = async (
  options: FleetOptions,
  answer: Answer = () => null,
): Promise<TestFleet> => {
  const names = options.hosts.map((host) => (typeof host === 'string' ? host : host.name));
  const directory = await mkdtemp(join(tmpdir(), 'lab-fleet-in-process-'));
  await mkdir(join(directory, 'home'));
  const history: FleetEvent[] = [];
  const faults = new Map<string, Map<FaultKind, string>>(names.map((name) => [name, new Map()]));
  const played = new Map<string, PlayedHost>();
  const keys = new Map<string, string>();
  const hosts: TestHost[] = [];
  // The identity is made with the files, which need the ports: a first one serves to open the doors.
  const identity = newKey('lab-test-fleet');

  const down = new Set<string>();
  const bootAgain = async (name: string): Promise<void> => {
    const host = find(name);
    const set = faultsOf(name);
    down.add(name);
    await host.power(false);
    if (set.has('never-returns') || set.has('power-cut')) return;
    await sleep(set.has('slow-return') ? Number(set.get('slow-return')) * 1_000 : bootMs);
    if (down.has(name)) await boot(name);
  };
  const boot = async (name: string): Promise<void> => {
    down.delete(name);
    await find(name).power(true);
    history.push({ atMs: Date.now(), host: name, kind: 'boot', bootId: find(name).bootId });
  };
  const find = (name: string): PlayedHost =>
    played.get(name) ?? refuse(`a host ${name} that is not in the fleet`);
  const faultsOf = (name: string): Map<FaultKind, string> => faults.get(name) ?? new Map<FaultKind, string>();

  for (const [index, name] of names.entries()) {
    const address = addressOf(index);
    const key = newKey(name);
    keys.set(name, key.secret);
    const onReboot = (): void => {
      history.push({ atMs: Date.now(), host: name, kind: 'went-down', how: 'reboot' });
      void bootAgain(name);
    };
    const host = await playHost(name, address, key.secret, identity.open, onReboot, answer);
    played.set(name, host);
    hosts.push({
      name,
      address,
      port: host.port,
      hostKey: key.open.split(' ').slice(0, 2).join(' '),
    });
    history.push({ atMs: Date.now(), host: name, kind: 'boot', bootId: host.bootId });
  }
  await writeSshFiles(directory, hosts);
  await writeFile(identityIn(directory), identity.secret, { mode: 0o600 });
  await writeFile(`${identityIn(directory)}.pub`, `${identity.open}\n`);

  const waitUntilUp: TestFleet['waitUntilUp'] = async (name, { deadlineMs = upDeadlineMs } = {}) => {
    const end = performance.now() + deadlineMs;
    while (down.has(name)) {
      if (performance.now() > end) throw new Error(`${name} is not up after ${deadlineMs} ms`);
      await sleep(pollMs);
    }
  };

  return {
    kind: 'in-process',
    directory,
    hosts,
    sshConfigPath: sshConfigIn(directory),
    identityFile: identityIn(directory),
    knownHostsPath: knownHostsIn(directory),
    environment: environmentIn(directory),
    asOrchestrator: (argv) => argv,
    run: async (argv, { env, deadlineMs = commandDeadlineMs, ...others } = {}) =>
      runProcess(argv, { ...others, deadlineMs, env: { ...environmentIn(directory), ...env } }),
    exec: async (name, argv) => {
      const { code, stdout = '', stderr = '' } = find(name).answer(quoteForRemoteShell(argv));
      return {
        ...{ code, stdout, stderr, signal: null, timedOut: false, cancelled: false },
        ...{ truncated: false, startError: null },
      };
    },
    fault: async (name, kind, detail) => {
      const host = find(name);
      const read = faultDetail(kind, detail);
      switch (kind) {
        case 'never-returns':
        case 'slow-return':
          break;
        case 'power-cut':
          history.push({ atMs: Date.now(), host: name, kind: 'went-down', how: 'power-cut' });
          down.add(name);
          await host.power(false);
          break;
        case 'failed-unit':
          host.failedUnits.add(read);
          break;
        case 'hostkey-regenerated':
          host.key = newKey(name).secret;
          break;
        default:
          return refuse(`fault ${kind}`);
      }
      faultsOf(name).set(kind, read);
      history.push({ atMs: Date.now(), host: name, kind: 'fault', fault: kind });
    },
    clearFaults: async (only) => {
      for (const name of only === undefined ? names : [only]) {
        const host = find(name);
        for (const kind of faultsOf(name).keys())
          history.push({ atMs: Date.now(), host: name, kind: 'healed', fault: kind });
        faultsOf(name).clear();
        host.failedUnits.clear();
        host.key = keys.get(name) ?? host.key;
        if (down.has(name)) await boot(name);
      }
    },
    reboot: async (name) => {
      history.push({ atMs: Date.now(), host: name, kind: 'went-down', how: 'reboot' });
      await bootAgain(name);
      await waitUntilUp(name);
    },
    waitUntilUp,
    installToplevel: async () => refuse('installing a toplevel'),
    history: async () => history,
    boots: async (name) => bootsOf(history, name),
    rebootOrder: async () => rebootOrderOf(history),
    down: async () => {
      for (const host of played.values()) await host.close();
      down.clear();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
