import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { type Machine, MachineName, sshHostOf } from '../fleet/machine.ts';
import { readBounded } from './bounded-file.ts';
import { codeOf, messageOf } from './errors.ts';
import { fleetConfigMark } from './fleet-config-mark.ts';
import type { KnownHostsPolicy } from './host-keys.ts';
import { isHost, isUser } from './jump.ts';
import { type SshLimits, sshLimitsDefault } from './limits.ts';

export type FleetSshConfig = {
  readonly machines: readonly Machine[];
  /** Configurations to go by, first one first: the person's own, then the system's (`-F` would leave it out). */
  readonly includes: readonly string[];
  readonly knownHosts: KnownHostsPolicy;
  readonly limits?: Partial<SshLimits> | undefined;
};

const failure = (machine: string | null, message: string, remedy: string): Failure => ({
  kind: 'ssh-config',
  machine,
  phase: 'write the ssh configuration',
  message,
  remedy,
});

/** Globs and tokens would be expanded, and old versions of ssh know no escapes within quotes. */
const includable = /^\/[^"\\*?[\]%$\u0000-\u001f\u007f]*$/u;

/** ssh expands `%h` in HostName, so a percent sign (the zone of an IPv6 address) is written twice. */
const hostNameLine = (host: string): string => `  HostName ${host.replaceAll('%', '%%')}`;

const problemOf = (machine: Machine): Failure | null => {
  const { name, ssh } = machine;
  if (!MachineName.safeParse(name).success)
    return failure(
      name,
      `"${name}" cannot be a Host of an ssh configuration`,
      'Rename it in nixosConfigurations.',
    );
  const host = sshHostOf(machine);
  if (!isHost(host))
    return failure(
      name,
      `${name} has no usable ssh address: "${host}"`,
      'Set lab.machine.ssh.host to a host name, an address, or a Host of your ssh configuration.',
    );
  if (ssh.user !== null && !isUser(ssh.user))
    return failure(
      name,
      `"${ssh.user}" is no ssh user of ${name}`,
      'Set lab.machine.ssh.user to a login name.',
    );
  return null;
};

/** What the machine sets outright: before anything that is included, because in ssh_config the first value wins. */
const ownBlock = ({ name, ssh }: Machine): readonly string[] => {
  const lines = [
    ...(ssh.host === null ? [] : [hostNameLine(ssh.host)]),
    ...(ssh.port === null ? [] : [`  Port ${ssh.port}`]),
    ...(ssh.user === null ? [] : [`  User ${ssh.user}`]),
  ];
  return lines.length === 0 ? [] : [`Host ${name}`, ...lines];
};

/** Where it is found when the included files do not say: after them. */
const fallbackBlock = (machine: Machine): readonly string[] =>
  machine.ssh.host === null ? [`Host ${machine.name}`, hostNameLine(sshHostOf(machine))] : [];

/** The last line: by it the file is known to be whole. */
const sealMark = '# Whole, as its SHA-256 says: ';
const sealed = (text: string): string =>
  `${text}${sealMark}${createHash('sha256').update(text).digest('hex')}\n`;

/**
 * The text of the fleet's own ssh_config: each machine is a Host under its name. Keys, known_hosts and jump hosts are
 * those of the included files. Host keys are checked whatever those say, connections are never shared (one that
 * outlives a reboot hangs), nobody is asked anything, and a dead peer is noticed.
 */
export const fleetSshConfig = (config: FleetSshConfig): Result<string> => {
  const limits = { ...sshLimitsDefault, ...config.limits };
  for (const path of config.includes) {
    if (!includable.test(path))
      return fail(
        failure(
          null,
          `an ssh configuration cannot include "${path}"`,
          'Give an absolute path without quotes, backslashes, wildcards, % or $.',
        ),
      );
  }
  for (const machine of config.machines) {
    const problem = problemOf(machine);
    if (problem !== null) return fail(problem);
  }
  const machines = config.machines.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const lines = [
    fleetConfigMark,
    'Host *',
    '  BatchMode yes',
    `  StrictHostKeyChecking ${config.knownHosts === 'strict' ? 'yes' : 'accept-new'}`,
    '  ControlMaster no',
    '  ControlPath none',
    '  ForwardAgent no',
    '  ForwardX11 no',
    '  PermitLocalCommand no',
    '  RemoteCommand none',
    // A terminal would take Nix's bytes for keys, and a copy would hang.
    '  RequestTTY no',
    '  ClearAllForwardings yes',
    `  ConnectTimeout ${Math.ceil(limits.tcpDeadlineMs / 1_000)}`,
    `  ServerAliveInterval ${Math.ceil(limits.keepaliveIntervalMs / 1_000)}`,
    // ssh gives a login as long as it gives a silent peer (ssh_packet_set_timeout): a slow PAM must not fail the copies alone.
    `  ServerAliveCountMax ${Math.max(limits.keepaliveMissedMax, Math.ceil(limits.authDeadlineMs / limits.keepaliveIntervalMs))}`,
    ...machines.flatMap(ownBlock),
    'Host *',
    ...config.includes.map((path) => `  Include "${path}"`),
    ...machines.flatMap(fallbackBlock),
  ];
  return ok(sealed(`${lines.join('\n')}\n`));
};

/** More is none of ours: a hundred machines come to some kilobytes. */
const bytesMax = 1024 * 1024;

/** Whether the file at this path is what lab wrote there, all of it and nothing else: who goes by half of it goes astray. */
export const isFleetSshConfigWhole = async (path: string): Promise<boolean> => {
  const read = await readBounded(path, bytesMax);
  if (!read.ok || read.value === null) return false;
  const text = read.value.bytes.toString();
  return text === sealed(text.slice(0, text.lastIndexOf(sealMark)));
};

/** Writes the fleet's ssh_config whole or not at all; a reader never sees half of it. The folder is made if need be. */
export const writeFleetSshConfig = async (path: string, config: FleetSshConfig): Promise<Result<void>> => {
  const text = fleetSshConfig(config);
  if (!text.ok) return text;
  const draft = `${path}.${randomUUID()}`;
  let file: FileHandle | null = null;
  try {
    await mkdir(dirname(path), { recursive: true });
    // ssh refuses a configuration that others may write to.
    file = await open(draft, 'wx', 0o600);
    await file.writeFile(text.value);
    await file.sync();
    await file.close();
    file = null;
    await rename(draft, path);
    return ok(undefined);
  } catch (error) {
    await file?.close().catch(() => undefined);
    await rm(draft, { force: true }).catch(() => undefined);
    return fail(
      failure(
        null,
        `${path} cannot be written: ${codeOf(error) ?? messageOf(error)}`,
        ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '')
          ? 'Make room there (`df` and `df -i` tell what is short), or set another state directory.'
          : 'Make its folder writable, or set another state directory.',
      ),
    );
  }
};

/** argv of an interactive login: the fleet's configuration, with a person there to answer and no forwards cleared. */
export const openSshArgv = (
  machine: Machine,
  sshConfigPath: string,
  asks: 'person' | 'batch' = 'person',
): readonly string[] => [
  'ssh',
  '-F',
  sshConfigPath,
  '-o',
  asks === 'person' ? 'BatchMode=no' : 'BatchMode=yes',
  '-o',
  'ClearAllForwardings=no',
  ...(asks === 'person' ? ['-o', 'RequestTTY=auto'] : []),
  '--',
  machine.name,
];
