import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from '../src/fleet/machine.ts';
import { writeFleetSshConfig } from '../src/ssh/fleet-config.ts';
import { machineOf } from './fleet.ts';
import { leaveNothing } from './leave-nothing.ts';

/**
 * Many ssh servers on loopback addresses: a few real sshd, each listening on as many addresses as sshd allows, with a
 * host key and a user key of their own. Logging in is as the user who runs the benchmark; no account is touched.
 */

export type Endpoints = {
  readonly folder: string;
  /** One machine an address. */
  readonly machines: readonly Machine[];
  /** The fleet's ssh_config, as lab writes it: both sides of the comparison read it. */
  readonly sshConfigPath: string;
  readonly version: string;
  readonly stop: () => Promise<void>;
};

const program = '/usr/sbin/sshd';
/** MAX_LISTEN_SOCKS of OpenSSH. */
const addressesPerServer = 16;
const startDeadlineMs = 15_000;
const pollMs = 20;
const privilegeFolder = '/run/sshd';

const addressOf = (index: number): string => `127.77.${Math.floor(index / 250)}.${(index % 250) + 1}`;

/** A port that is free on one address now is taken to be free on its neighbours, which nobody uses. */
const freePort = async (): Promise<number> => {
  const server = createServer();
  server.listen(0, addressOf(0));
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the socket has no port');
  return address.port;
};

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });

const newKey = (path: string): string => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path], { stdio: 'pipe' });
  return readFileSync(`${path}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
};

/** Why no sshd can run here, or null. */
export const whyNoEndpoints = (): string | null =>
  existsSync(program) ? null : `${program} is missing (Debian package openssh-server)`;

export const startEndpoints = async (count: number): Promise<Endpoints> => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-bench-ssh-'));
  const madePrivilegeFolder = process.getuid?.() === 0 && !existsSync(privilegeFolder);
  if (madePrivilegeFolder) mkdirSync(privilegeFolder, { mode: 0o755 });
  const servers: ChildProcess[] = [];
  const putAway = leaveNothing(() => {
    for (const server of servers) server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    if (madePrivilegeFolder) rmdirSync(privilegeFolder);
  });
  const stop = async (): Promise<void> => {
    await Promise.all(
      servers.map(async (server) => {
        if (server.exitCode !== null || server.signalCode !== null) return;
        const ended = once(server, 'exit');
        server.kill('SIGTERM');
        await ended;
      }),
    );
    putAway();
  };
  try {
    // The start-up files of this machine's login shell are not what is measured: the servers see another passwd, in
    // a mount namespace of their own, in which the shell is sh.
    const passwd = join(folder, 'passwd');
    writeFileSync(passwd, readFileSync('/etc/passwd', 'utf8').replaceAll(/:[^:\n]*$/gmu, ':/bin/sh'));
    const withPlainShell =
      process.getuid?.() === 0
        ? [
            'unshare',
            '--mount',
            '--propagation',
            'private',
            'sh',
            '-c',
            'mount --bind "$1" /etc/passwd && shift && exec "$@"',
            'sh',
            passwd,
          ]
        : [];
    const hostKeyPath = join(folder, 'host');
    const identityPath = join(folder, 'id');
    const hostKey = newKey(hostKeyPath);
    newKey(identityPath);
    const port = await freePort();
    const addresses = Array.from({ length: count }, (_, index) => addressOf(index));
    for (let from = 0; from < count; from += addressesPerServer) {
      const config = join(folder, `sshd-${from}`);
      writeFileSync(
        config,
        [
          ...addresses
            .slice(from, from + addressesPerServer)
            .map((address) => `ListenAddress ${address}:${port}`),
          `HostKey ${hostKeyPath}`,
          `AuthorizedKeysFile ${identityPath}.pub`,
          'StrictModes no',
          'UsePAM no',
          'PermitRootLogin prohibit-password',
          'PasswordAuthentication no',
          'KbdInteractiveAuthentication no',
          'UseDNS no',
          'MaxStartups 1000',
          'PidFile none',
          'PrintMotd no',
          'PrintLastLog no',
          // The look whether a server is there is an error to it.
          'LogLevel FATAL',
          '',
        ].join('\n'),
      );
      const argv = [...withPlainShell, program, '-D', '-e', '-f', config];
      servers.push(spawn(argv[0] ?? program, argv.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] }));
    }
    const until = performance.now() + startDeadlineMs;
    for (const address of addresses)
      while (!(await answers(address, port))) {
        if (performance.now() > until) throw new Error(`no sshd answers on ${address}:${port}`);
        await sleep(pollMs);
      }

    const knownHosts = join(folder, 'known_hosts');
    writeFileSync(knownHosts, addresses.map((address) => `[${address}]:${port} ${hostKey}\n`).join(''));
    const userConfig = join(folder, 'user_config');
    writeFileSync(
      userConfig,
      [
        'Host *',
        `  UserKnownHostsFile ${knownHosts}`,
        '  GlobalKnownHostsFile /dev/null',
        `  IdentityFile ${identityPath}`,
        '  IdentitiesOnly yes',
        '  IdentityAgent none',
        '',
      ].join('\n'),
      { mode: 0o600 },
    );
    const machines = addresses.map((host, index) => ({
      ...machineOf(index, count),
      orchestrator: false,
      ssh: { host, port, user: userInfo().username },
    }));
    const sshConfigPath = join(folder, 'fleet_config');
    const written = await writeFleetSshConfig(sshConfigPath, {
      machines,
      includes: [userConfig],
      knownHosts: 'strict',
    });
    if (!written.ok) throw new Error(written.failure.message);
    const version = execFileSync('sh', ['-c', 'ssh -V 2>&1'], { encoding: 'utf8' }).trim();
    return { folder, machines, sshConfigPath, version, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
