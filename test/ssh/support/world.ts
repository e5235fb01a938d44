import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/clock.ts';
import type { Result } from '../../../src/failure.ts';
import type { Machine } from '../../../src/fleet/machine.ts';
import type { ExecResult, Remote, SshError } from '../../../src/ports.ts';
import { runProcess } from '../../../src/process/run.ts';
import { createSshRemote, type SshRemoteOptions } from '../../../src/ssh/remote.ts';
import { machineNamed } from '../../remote/machine.ts';
import { keyField, newKey, type TestKey } from './keys.ts';

/** A home directory of its own, with an ssh configuration that looks nowhere else. */
export type SshWorld = {
  readonly home: string;
  readonly configPath: string;
  readonly knownHostsPath: string;
  /** The key in IdentityFile. */
  readonly key: TestKey;
  knownHosts(): Promise<string>;
  /** Writes known_hosts: lines as they are. */
  know(...lines: readonly string[]): Promise<void>;
  /** Lines before the rest of the configuration. */
  configure(...lines: readonly string[]): Promise<void>;
  remote(options?: Partial<SshRemoteOptions>): Remote;
  dispose(): Promise<void>;
};

/** The known_hosts line of a server on a port of 127.0.0.1. */
export const knownLine = (port: number, key: TestKey): string => `[127.0.0.1]:${port} ${keyField(key)}`;

export const createWorld = async (): Promise<SshWorld> => {
  const home = await mkdtemp(join(tmpdir(), 'lab-ssh-'));
  const folder = join(home, '.ssh');
  await mkdir(folder, { mode: 0o700 });
  const configPath = join(folder, 'config');
  const knownHostsPath = join(folder, 'known_hosts');
  const identity = join(folder, 'id');
  const key = newKey('world');
  await writeFile(identity, key.private, { mode: 0o600 });
  const rest = [
    'Host *',
    '  User root',
    `  UserKnownHostsFile ${knownHostsPath}`,
    '  GlobalKnownHostsFile /dev/null',
    `  IdentityFile ${identity}`,
    '  IdentitiesOnly yes',
    '  HashKnownHosts no',
  ];
  const configure = async (...lines: readonly string[]): Promise<void> => {
    await writeFile(configPath, `${[...lines, ...rest].join('\n')}\n`, { mode: 0o600 });
  };
  await configure();
  const remotes: Remote[] = [];
  return {
    home,
    configPath,
    knownHostsPath,
    key,
    configure,
    knownHosts: () => readFile(knownHostsPath, 'utf8').catch(() => ''),
    know: (...lines) => writeFile(knownHostsPath, lines.map((line) => `${line}\n`).join('')),
    remote: (options = {}) => {
      const remote = createSshRemote({
        runProcess,
        clock: systemClock,
        env: { HOME: home },
        knownHosts: 'strict',
        sshConfigPath: configPath,
        ...options,
      });
      remotes.push(remote);
      return remote;
    },
    dispose: async () => {
      await Promise.all(remotes.map((remote) => remote.close()));
      await rm(home, { recursive: true, force: true });
    },
  };
};

export const machineAt = (port: number, set: Partial<Machine['ssh']> = {}, name = 'grey-area'): Machine =>
  machineNamed(name, { ssh: { host: '127.0.0.1', port, user: null, ...set } });

export const deadlineMs = 20_000;

/** The value, or an error that shows the failure. */
export const valueIn = <T>(result: Result<T, SshError>): T => {
  if (!result.ok) throw new Error(`${result.failure.kind}: ${result.failure.message}`);
  return result.value;
};

/** The failure, or an error that shows the value. */
export const failureIn = (result: Result<unknown, SshError>): SshError => {
  if (result.ok) throw new Error(`it succeeded: ${JSON.stringify(result.value)}`);
  return result.failure;
};

export const say = (result: Result<ExecResult, SshError>): string => valueIn(result).stdout;
