import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Machine } from '../../src/fleet/machine.ts';
import { runProcess } from '../../src/process/run.ts';
import {
  type FleetSshConfig,
  fleetSshConfig,
  isFleetSshConfigWhole,
  openSshArgv,
  writeFleetSshConfig,
} from '../../src/ssh/fleet-config.ts';
import { machineNamed } from '../remote/machine.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-fleet-config-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const machine = (name: string, set: Partial<Machine['ssh']>, more: Partial<Machine> = {}): Machine =>
  machineNamed(name, { ssh: { host: null, port: null, user: null, ...set }, ...more });
const textOf = (set: Partial<FleetSshConfig> = {}): string => {
  const made = fleetSshConfig({ machines: [], includes: [], knownHosts: 'strict', ...set });
  if (!made.ok) throw new Error(made.failure.message);
  return made.value;
};
const problemOf = (set: Partial<FleetSshConfig>): string => {
  const made = fleetSshConfig({ machines: [], includes: [], knownHosts: 'strict', ...set });
  return made.ok ? 'none' : `${made.failure.machine}: ${made.failure.message}`;
};
/** What ssh itself makes of the file, for one Host. */
const askSsh = async (config: FleetSshConfig, host: string): Promise<ReadonlyMap<string, string>> => {
  const path = join(folder, 'fleet');
  const written = await writeFleetSshConfig(path, config);
  expect(written).toEqual({ ok: true, value: undefined });
  const result = await runProcess(['ssh', '-G', '-F', path, host], { deadlineMs: 10_000 });
  expect(result.code, result.stderr).toBe(0);
  return new Map(
    result.stdout.split('\n').map((line) => {
      const gap = line.indexOf(' ');
      return [line.slice(0, gap), line.slice(gap + 1)];
    }),
  );
};

describe("the fleet's ssh configuration", () => {
  test('reads like this', () => {
    const text = textOf({
      machines: [
        machine('grey-area', { host: '10.0.0.3', port: 2222, user: 'deploy' }),
        machine('congenital-optimist', {}, { addresses: ['10.0.0.1', 'fe80::1%eth0'] }),
      ],
      includes: ['/home/ada/.ssh/config', '/etc/ssh/ssh_config'],
    });
    const [seal] = text.match(/# Whole, as its SHA-256 says: [0-9a-f]{64}\n$/u) ?? [];
    expect(text.replace(seal ?? '', '')).toBe(
      [
        '# Written by lab for this fleet, and written anew at each run: changes made here are lost.',
        'Host *',
        '  BatchMode yes',
        '  StrictHostKeyChecking yes',
        '  ControlMaster no',
        '  ControlPath none',
        '  ForwardAgent no',
        '  ForwardX11 no',
        '  PermitLocalCommand no',
        '  RemoteCommand none',
        '  RequestTTY no',
        '  ClearAllForwardings yes',
        '  ConnectTimeout 10',
        '  ServerAliveInterval 5',
        '  ServerAliveCountMax 4',
        'Host grey-area',
        '  HostName 10.0.0.3',
        '  Port 2222',
        '  User deploy',
        'Host *',
        '  Include "/home/ada/.ssh/config"',
        '  Include "/etc/ssh/ssh_config"',
        'Host congenital-optimist',
        '  HostName 10.0.0.1',
        '',
      ].join('\n'),
    );
  });

  test('lets the machine stand above the person, and the person above the address', async () => {
    const own = join(folder, 'own');
    await writeFile(
      own,
      [
        'Host nas web',
        '  HostName from-person',
        '  User person',
        '  Port 2200',
        '  IdentityFile /keys/nas',
        'Host *',
        '  StrictHostKeyChecking no',
        '  ControlMaster auto',
        '  ControlPath /tmp/shared',
      ].join('\n'),
      { mode: 0o600 },
    );
    const config: FleetSshConfig = {
      machines: [
        machine('nas', {}, { addresses: ['10.0.0.2'] }),
        machine('web', { host: 'web.lan', user: 'deploy' }),
        machine('other', {}, { addresses: ['fe80::1%eth0'] }),
      ],
      includes: [own, join(folder, 'does-not-exist')],
      knownHosts: 'accept-new',
    };
    expect(Object.fromEntries(await askSsh(config, 'nas'))).toMatchObject({
      hostname: 'from-person',
      user: 'person',
      port: '2200',
      identityfile: '/keys/nas',
    });
    const web = await askSsh(config, 'web');
    expect(Object.fromEntries(web)).toMatchObject({ hostname: 'web.lan', user: 'deploy', port: '2200' });
    // Never blind, never a connection that outlives a reboot, whatever the person has set for daily use.
    expect(Object.fromEntries(web)).toMatchObject({
      stricthostkeychecking: 'accept-new',
      controlmaster: 'false',
      batchmode: 'yes',
      serveraliveinterval: '5',
    });
    expect(web.get('controlpath') ?? 'none').toBe('none');
    expect((await askSsh(config, 'other')).get('hostname')).toBe('fe80::1%eth0');
  });

  test('refuses what would mean something else to ssh', () => {
    expect(problemOf({ machines: [machine('nas', { host: 'a b' })] })).toContain(
      'nas: nas has no usable ssh address',
    );
    expect(problemOf({ machines: [machine('nas', { host: 'x\n  ProxyCommand touch /tmp/x' })] })).toContain(
      'nas',
    );
    expect(problemOf({ machines: [machine('nas', { host: '-oX' })] })).toContain('nas');
    expect(problemOf({ machines: [{ ...machine('nas', {}), name: 'nas *' }] })).toContain('cannot be a Host');
    expect(problemOf({ machines: [machine('nas', { user: 'a:b' })] })).toContain('no ssh user');
    for (const path of ['relative', '/a"b', '/a*b', '/a%b', '/a\nb', '/a$b'])
      expect(problemOf({ includes: [path] })).toContain('cannot include');
    expect(problemOf({ includes: ['/with space/config'] })).toBe('none');
  });

  test('is written whole, for its owner alone, and leaves no drafts', async () => {
    const path = join(folder, 'new-folder', 'ssh_config');
    const config: FleetSshConfig = { machines: [machine('nas', {})], includes: [], knownHosts: 'strict' };
    await writeFleetSshConfig(path, config);
    await writeFleetSshConfig(path, config);
    expect(await readFile(path, 'utf8')).toBe(textOf(config));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'new-folder'))).toEqual(['ssh_config']);
  });

  test('is known to be whole, or not: cut short, emptied, edited, no file at all', async () => {
    const path = join(folder, 'whole');
    expect(await isFleetSshConfigWhole(path)).toBe(false);
    const config: FleetSshConfig = { machines: [machine('nas', {})], includes: [], knownHosts: 'strict' };
    await writeFleetSshConfig(path, config);
    expect(await isFleetSshConfigWhole(path)).toBe(true);
    const text = textOf(config);
    for (const spoilt of [
      '',
      text.slice(0, -1),
      text.slice(0, text.length / 2),
      `${text}Host *\n  Port 1\n`,
    ]) {
      await writeFile(path, spoilt);
      expect(await isFleetSshConfigWhole(path), spoilt).toBe(false);
    }
    await writeFile(
      path,
      text.replace('nas.local', 'elsewhere').replace('HostName nas', 'HostName elsewhere'),
    );
    expect(await isFleetSshConfigWhole(path)).toBe(false);
    expect(await isFleetSshConfigWhole(folder)).toBe(false);
  });

  test('that cannot be written says where', async () => {
    await writeFile(join(folder, 'file'), '');
    const path = join(folder, 'file', 'ssh_config');
    const written = await writeFleetSshConfig(path, { machines: [], includes: [], knownHosts: 'strict' });
    expect(written).toMatchObject({ ok: false, failure: { kind: 'ssh-config', machine: null } });
    expect(written.ok ? '' : written.failure.message).toContain(path);
  });

  test('serves a person too', () => {
    expect(openSshArgv(machine('nas', {}), '/state/ssh_config')).toEqual([
      'ssh',
      '-F',
      '/state/ssh_config',
      '-o',
      'BatchMode=no',
      '-o',
      'ClearAllForwardings=no',
      '-o',
      'RequestTTY=auto',
      '--',
      'nas',
    ]);
  });
});
