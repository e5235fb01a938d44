import { statSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parsePreflight, preflight, preflightScript, rootScript } from '../../src/remote/preflight.ts';
import { answered, exited, fakeRemote, lost } from './fake-remote.ts';
import { type LocalMachine, localMachine } from './local-machine.ts';
import { machineNamed } from './machine.ts';

const machine = machineNamed('reverse-proxy');
const options = { deadlineMs: 10_000 };
/** As /proc/locks writes it; the kernel packs 20 bits of the minor number around 12 of the major one. */
const deviceOf = (dev: number): string =>
  [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)]
    .map((part) => part.toString(16).padStart(2, '0'))
    .join(':');
const inhibitors = (...rows: readonly (readonly [string, string, string, string])[]): string =>
  JSON.stringify({ type: 'a(ssssuu)', data: [rows.map((row) => [...row, 0, 1234])] });

describe('preflight, with the script in a real shell', () => {
  let local: LocalMachine;
  beforeEach(() => {
    local = localMachine();
    local.play('df_nix_store', '/dev/mapper/my disk 264212084 12338076 83163188 13% /\n');
    local.play('df_boot', '/dev/vda1 523248 100000 423248 20% /boot\n');
  });
  afterEach(() => local.remove());

  it('tells root, space and who blocks a shutdown', async () => {
    local.play(
      'inhibitors',
      inhibitors(
        ['shutdown:sleep', 'restic backup', 'a backup is running', 'block'],
        ['sleep', 'UPower', 'pause', 'block'],
        ['shutdown', 'NetworkManager', 'turns interfaces off', 'delay'],
      ),
    );
    expect(await preflight(local.remote, machine, options)).toEqual({
      ok: true,
      value: {
        root: true,
        rootProblem: null,
        nixFreeBytes: 83_163_188 * 1024,
        bootFreeBytes: 423_248 * 1024,
        inhibitors: ['restic backup: a backup is running'],
        inhibitorsUnknown: null,
        logins: [],
        loginsUnknown: null,
        askedBy: expect.any(Array),
        activating: null,
      },
    });
  });

  it('tells that another activation holds its lock, and which process', async () => {
    const lock = '/run/nixos/switch-to-configuration.lock';
    local.write(lock, '');
    local.write('/proc/8/comm', 'switch-to-confi\n');
    const { dev, ino } = statSync(local.path(lock));
    const device = deviceOf(dev);
    local.write('/proc/locks', `1: FLOCK  ADVISORY  WRITE 7 ${device}:${ino}1 0 EOF\n`);
    expect(await preflight(local.remote, machine, options)).toMatchObject({ value: { activating: null } });
    local.write(
      '/proc/locks',
      `1: POSIX  ADVISORY  WRITE 7 ${device}:${ino} 0 EOF\n2: FLOCK  ADVISORY  WRITE 8 ${device}:${ino} 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 9 ${device}:${ino} 0 EOF\n`,
    );
    expect(await preflight(local.remote, machine, options)).toMatchObject({
      value: { activating: ['process 8 switch-to-confi'] },
    });
  });

  it('tells that a unit that activates runs, and names it', async () => {
    local.play('running', 'lab-activate-switch-1.service');
    expect(await preflight(local.remote, machine, options)).toMatchObject({
      value: { activating: ['lab-activate-switch-1.service'] },
    });
  });

  it('does not take a logind that is silent for one that knows of nothing', async () => {
    // Not there at all: there are neither inhibitors nor sessions.
    expect(await preflight(local.remote, machine, options)).toMatchObject({
      value: { inhibitors: [], inhibitorsUnknown: null, logins: [], loginsUnknown: null },
    });
    local.play('units/systemd-logind.service/description', 'User Login Management');
    expect(await preflight(local.remote, machine, options)).toMatchObject({
      value: {
        inhibitorsUnknown: 'logind did not say who holds off a shutdown',
        loginsUnknown: 'logind did not say who is logged in',
      },
    });
    local.play('inhibitors', inhibitors());
    expect(await preflight(local.remote, machine, options)).toMatchObject({
      value: { inhibitorsUnknown: null, loginsUnknown: 'logind did not say who is logged in' },
    });
  });

  it('says that inhibitors that cannot be read are not known', async () => {
    for (const said of ['{"data": 7}', '{"data":[[["shutdown","back up', 'Failed to connect']) {
      local.play('inhibitors', said);
      expect(await preflight(local.remote, machine, options)).toMatchObject({
        value: {
          inhibitors: [],
          inhibitorsUnknown: 'what logind says of shutdown inhibitors cannot be read',
        },
      });
    }
  });

  it('says nothing of /boot when it is part of the root file system', async () => {
    local.play('df_boot', '/dev/vda 264212084 12338076 83163188 13% /\n');
    expect(await preflight(local.remote, machine, options)).toMatchObject({
      ok: true,
      value: { bootFreeBytes: null, inhibitors: [] },
    });
  });
});

describe('preflight', () => {
  const facts = answered('preflight', 'nix=', 'boot=', 'inhibitors=');

  it('proves root by becoming root, and asks the rest as the ssh user', async () => {
    const remote = fakeRemote(({ options: { asRoot } }) => (asRoot === true ? answered('root') : facts));
    await preflight(remote, machine, options);
    expect(remote.calls.map(({ argv, options: { asRoot } }) => [argv, asRoot ?? false])).toEqual([
      [['sh', '-c', rootScript], true],
      [['sh', '-c', preflightScript], false],
    ]);
  });

  it('says why root is not to be had', async () => {
    const remote = fakeRemote(({ options: { asRoot } }) =>
      asRoot === true ? exited(1, '', 'sudo: a password is required\n') : facts,
    );
    expect(await preflight(remote, machine, options)).toMatchObject({
      ok: true,
      value: {
        root: false,
        rootProblem:
          'reverse-proxy does not let its ssh user become root without a password (sudo: a password is required)',
        nixFreeBytes: null,
      },
    });
  });

  it('takes no half an answer for one that names no activation', async () => {
    const remote = fakeRemote(({ options: { asRoot } }) =>
      asRoot === true ? exited(0, 'lab-root\n') : facts,
    );
    expect(await preflight(remote, machine, options)).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining('cut short') },
    });
  });

  it('fails, and says how, when the machine cannot be asked', async () => {
    expect(
      await preflight(
        fakeRemote(() => lost()),
        machine,
        options,
      ),
    ).toEqual({
      ok: false,
      failure: {
        kind: 'ssh-unreachable',
        machine: 'reverse-proxy',
        phase: 'preflight',
        message: 'connection refused by host.example',
        remedy: 'see whether it is on',
      },
    });
  });

  it('never throws over what a machine prints', () => {
    const line = fc.oneof(
      fc.string(),
      fc.string().map((text) => `inhibitors=${text}`),
      fc.json().map((text) => `inhibitors=${text}`),
      fc.string().map((text) => `nix=${text}`),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const answer = answered('preflight', ...lines);
        if (answer.ok) expect(['string', 'object']).toContain(typeof parsePreflight(answer.value));
      }),
    );
  });
});
