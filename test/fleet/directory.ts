import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { FleetOptions, TestHost } from './fleet.ts';
import { type Key, newKey } from './key.ts';

const hostsMax = 200;
const hostName = /^[a-z][a-z0-9-]{0,39}$/;

/** What a fleet's directory says of it: written at its start, read by whoever comes later. */
const Described = z.object({
  hosts: z.array(z.object({ name: z.string(), address: z.string(), port: z.number(), hostKey: z.string() })),
});

export const sshConfigIn = (directory: string): string => join(directory, 'ssh', 'config');
export const identityIn = (directory: string): string => join(directory, 'ssh', 'id_ed25519');
export const knownHostsIn = (directory: string): string => join(directory, 'ssh', 'known_hosts');

/** The environment of the orchestrator. Nix asks no cache, needs no build users and no sandbox. */
export const environmentIn = (directory: string): Readonly<Record<string, string>> => {
  const home = join(directory, 'home');
  return {
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    NIX_CONFIG: 'substituters =\nsandbox = false\nbuild-users-group =\n',
  };
};

const writeKey = async (path: string, key: Key): Promise<void> => {
  await writeFile(path, key.secret, { mode: 0o600 });
  await writeFile(`${path}.pub`, `${key.open}\n`);
};

/** Writes the ssh_config and known_hosts that reach `hosts`, and the identity that they let in. Returns its public key. */
export const writeSshFiles = async (directory: string, hosts: readonly TestHost[]): Promise<string> => {
  await mkdir(join(directory, 'ssh'), { recursive: true, mode: 0o700 });
  const identity = newKey('lab-test-fleet');
  await writeKey(identityIn(directory), identity);
  const entries = hosts.map(
    (host) => `Host ${host.name} ${host.address}\n  HostName ${host.address}\n  Port ${host.port}\n`,
  );
  await writeFile(
    sshConfigIn(directory),
    `${entries.join('')}Host *
  User root
  IdentityFile ${identityIn(directory)}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${knownHostsIn(directory)}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  HashKnownHosts no
  BatchMode yes
`,
  );
  await writeFile(
    knownHostsIn(directory),
    hosts.map((host) => {
      const at = host.port === 22 ? `${host.address},${host.name}` : `[${host.address}]:${host.port}`;
      return `${at} ${host.hostKey}\n`;
    }),
  );
  return identity.open;
};

type Wire = { readonly name: string; readonly address: string; readonly mac: string };

const ownAddress = /^10\.77\.(\d{1,3})\.(\d{1,3})$/;
const orchestratorAddress = '10.77.255.254';

/** Each host with its address in 10.77.0.0/16 and a MAC that follows from it. Throws a sentence. */
const wiresOf = (hosts: FleetOptions['hosts']): readonly Wire[] => {
  if (hosts.length === 0 || hosts.length > hostsMax)
    throw new TypeError(`a fleet has 1 to ${hostsMax} hosts, not ${hosts.length}`);
  const wires = hosts.map((host, index): Wire => {
    const { name, address } =
      typeof host === 'string'
        ? { name: host, address: `10.77.${(index + 1) >> 8}.${(index + 1) & 255}` }
        : host;
    if (!hostName.test(name)) throw new TypeError(`host ${name}: names are lower-case words`);
    const bytes = ownAddress.exec(address)?.slice(1).map(Number);
    if (bytes === undefined || bytes.some((byte) => byte > 255) || address === orchestratorAddress)
      throw new TypeError(`host ${name}: ${address} is no free address of 10.77.0.0/16`);
    return {
      name,
      address,
      mac: `02:4c:61:62:${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`,
    };
  });
  for (const what of ['name', 'address'] as const) {
    const twice = wires.find(
      (wire, index) => wires.findIndex((other) => other[what] === wire[what]) !== index,
    );
    if (twice !== undefined) throw new TypeError(`two hosts have the ${what} ${twice[what]}`);
  }
  return wires;
};

/** Fills an empty directory with all that the supervisor reads. Throws a sentence when the options cannot be used. */
export const describeFleet = async (
  directory: string,
  options: Pick<FleetOptions, 'hosts' | 'shares'>,
): Promise<readonly TestHost[]> => {
  const { shares = [] } = options;
  const wires = wiresOf(options.hosts);
  const badShare = shares.find((share) => !/^[^\n]+$/.test(share));
  if (badShare !== undefined) throw new TypeError(`share "${badShare}" is no path`);

  for (const part of ['disk', 'nix', 'home', 'hosts']) await mkdir(join(directory, part));
  const lines: string[] = [];
  const hosts: TestHost[] = [];
  for (const [offset, { name, address, mac }] of wires.entries()) {
    const key = newKey(name);
    await mkdir(join(directory, 'hosts', name, 'faults'), { recursive: true });
    await writeKey(join(directory, 'hosts', name, 'ssh_host_ed25519_key'), key);
    hosts.push({ name, address, port: 22, hostKey: key.open.split(' ').slice(0, 2).join(' ') });
    lines.push(`${offset + 1} ${name} ${address} ${mac}\n`);
  }
  await writeSshFiles(directory, hosts);
  await writeFile(
    join(directory, 'home', '.gitconfig'),
    '[user]\n\tname = lab test fleet\n\temail = test-fleet@localhost\n[init]\n\tdefaultBranch = main\n',
  );
  await writeFile(join(directory, 'hosts.list'), lines);
  for (const share of shares) await mkdir(resolve(directory, share), { recursive: true });
  await writeFile(
    join(directory, 'shares'),
    shares.map((share) => `${resolve(directory, share)}\n`),
  );
  await writeFile(join(directory, 'events'), '');
  await writeFile(
    join(directory, 'fleet.json'),
    JSON.stringify({ hosts } satisfies z.infer<typeof Described>),
  );
  await chmod(directory, 0o700);
  return hosts;
};

/** The hosts of a fleet that was started earlier. Rejects when there is none in this directory. */
export const readHosts = async (directory: string): Promise<readonly TestHost[]> =>
  Described.parse(JSON.parse(await readFile(join(directory, 'fleet.json'), 'utf8'))).hosts;
