import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Clock } from '../../src/ports.ts';
import { type ProcessResult, type RunProcess, runProcess } from '../../src/process/run.ts';
import type { LocalUser } from '../../src/ssh/config.ts';
import { answerForOthers, filesRead, hostLinesOf } from '../../src/ssh/config-sharing.ts';
import { type Endpoint, endpointOf } from '../../src/ssh/endpoint.ts';
import { writeFleetSshConfig } from '../../src/ssh/fleet-config.ts';
import { fleetConfigMark } from '../../src/ssh/fleet-config-mark.ts';
import { sshLimitsDefault } from '../../src/ssh/limits.ts';
import { createResolveConfig } from '../../src/ssh/resolve.ts';
import { ended } from '../process/ended.ts';
import { machineNamed } from '../remote/machine.ts';

const local: LocalUser = {
  home: '/home/ada',
  name: 'ada',
  uid: 1000,
  env: { SSH_AUTH_SOCK: '/run/agent', OTHER_SOCK: '/run/other' },
};
const minimal = 'hostname nas.lan\nport 22\nuser ada\n';
describe('the configuration of a machine', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lab-config-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const asking = (path: string, run: RunProcess = runProcess, clock: Clock = systemClock) => {
    const asked: string[] = [];
    const resolve = createResolveConfig({
      runProcess: (argv, options) => {
        asked.push(argv.at(-1) ?? '');
        return run(argv, options);
      },
      configPath: path,
      local,
      clock,
      limits: sshLimitsDefault,
      closing: new AbortController().signal,
    });
    return { asked, resolve };
  };
  const endpoint = (alias: string, set: Partial<Endpoint> = {}): Endpoint => ({
    alias,
    user: null,
    port: null,
    hostname: null,
    jumps: null,
    label: alias,
    ...set,
  });
  const write = async (...lines: readonly string[]): Promise<string> => {
    const path = join(folder, `config-${Math.random()}`);
    await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
    return path;
  };

  test('is what ssh itself makes of Include and Match', async () => {
    const included = await write('Host nas', '  Port 2222', '  IdentityFile /keys/%h');
    const path = await write(
      `Include ${included}`,
      'Match originalhost nas user deploy',
      '  HostName 10.0.0.2',
      'Host *',
      '  User ada',
    );
    const { resolve } = asking(path);
    const said = await resolve(endpoint('nas', { user: 'deploy' }), undefined);
    expect(said).toMatchObject({
      ok: true,
      value: { hostname: '10.0.0.2', port: 2222, user: 'deploy', identityFiles: ['/keys/10.0.0.2'] },
    });
    const other = await resolve(endpoint('nas'), undefined);
    expect(other).toMatchObject({ ok: true, value: { hostname: 'nas', port: 2222, user: 'ada' } });
  });

  test('that ssh cannot read says which line is wrong', async () => {
    const path = await write('Host *', '  Bogus yes');
    const said = await asking(path).resolve(endpoint('nas'), undefined);
    expect(said).toMatchObject({ ok: false, failure: { kind: 'config', phase: 'config', retryable: false } });
    expect(said.ok ? '' : said.failure.message).toMatch(/line 2: Bad configuration option: bogus/);
  });

  test('is an error where ssh is not installed, is cut off, or is too slow', async () => {
    const plain: ProcessResult = { ...ended, stdout: minimal };
    const path = await write('');
    const withResult = async (result: Partial<ProcessResult>) => {
      const said = await asking(path, async () => ({ ...plain, ...result })).resolve(
        endpoint('nas'),
        undefined,
      );
      return said.ok ? 'fine' : `${said.failure.kind}: ${said.failure.message}`;
    };
    expect(await withResult({ code: null, startError: 'spawn ssh ENOENT' })).toContain(
      'ssh is not installed here, or not in PATH',
    );
    expect(await withResult({ code: null, startError: 'spawn ssh EACCES' })).toContain('EACCES');
    expect(await withResult({ truncated: true })).toContain('printed more than');
    expect(await withResult({ code: null, timedOut: true })).toContain('did not end within 8 s');
    expect(await withResult({ cancelled: true })).toContain('cancelled');
    expect(await withResult({})).toBe('fine');
  });

  test('leaves nothing behind of what a Match line started, once it is given up', async () => {
    const told = join(folder, 'started');
    const path = await write(`Match originalhost nas exec "echo $$ >${told}; exec sleep 600"`, '  User ada');
    const gaveUp = new AbortController();
    const said = asking(path).resolve(endpoint('nas'), gaveUp.signal);
    const started = await vi.waitFor(async () => {
      const id = Number.parseInt(await readFile(told, 'utf8'), 10);
      expect(id).toBeGreaterThan(1);
      return id;
    }, 60_000);
    gaveUp.abort();
    expect(await said).toMatchObject({ ok: false, failure: { kind: 'cancelled' } });
    const isThere = (): boolean => {
      try {
        return process.kill(started, 0);
      } catch {
        return false;
      }
    };
    await vi.waitFor(() => expect(isThere()).toBe(false), 60_000);
  }, 120_000);

  test.each<[string, Partial<ProcessResult>, boolean]>([
    ['was killed, as by a system that has no memory left', { code: null, signal: 'SIGKILL' }, true],
    ['could not be started for want of processes', { code: null, startError: 'spawn EAGAIN' }, true],
    ['was too slow', { code: null, timedOut: true }, true],
    ['says that a line is wrong', { code: 255 }, false],
    ['may not be started', { code: null, startError: 'spawn ssh EACCES' }, false],
  ])('may be had by asking again where ssh %s: %j, %s', async (_what, result, retryable) => {
    const { resolve } = asking(await write(''), async () => ({ ...ended, ...result }));
    expect(await resolve(endpoint('nas'), undefined)).toMatchObject({ ok: false, failure: { retryable } });
  });

  test('is asked for once for all the machines that nothing in it tells apart', async () => {
    const path = await write(
      'Host *.lan',
      '  User lan',
      'Host web*',
      '  Port 2222',
      'Host *',
      '  ControlPath ~/%r@%h',
    );
    const { asked, resolve } = asking(path);
    const aliases = Array.from({ length: 20 }, (_, index) => `machine${index}.lan`);
    const said = await Promise.all(
      aliases.map((alias, index) => resolve(endpoint(alias, { port: 1_000 + index }), undefined)),
    );
    said.forEach((config, index) => {
      expect(config).toMatchObject({
        ok: true,
        value: { hostname: aliases[index], port: 1_000 + index, user: 'lan' },
      });
    });
    // Once for a host that matches nothing of its own, and once for those that match *.lan.
    expect(asked).toHaveLength(2);
    const plain = Array.from({ length: 50 }, (_, index) => endpoint(`plain${index}`));
    const [first] = await Promise.all(plain.map((target) => resolve(target, undefined)));
    expect(first).toMatchObject({ ok: true, value: { hostname: 'plain0', port: 22 } });
    await Promise.all(aliases.map((alias) => resolve(endpoint(alias), undefined)));
    expect(asked).toHaveLength(2);
    expect(await resolve(endpoint('web1'), undefined)).toMatchObject({
      value: { hostname: 'web1', port: 2222 },
    });
    expect(asked).toHaveLength(3);
  });

  test('is asked for anew after a while, which a clock that is set makes neither shorter nor longer', async () => {
    const path = await write('Host *', '  User ada');
    const time = { wall: 1_800_000_000_000, steady: 0 };
    const clock = { now: () => time.wall, elapsed: () => time.steady, sleep: async () => {} };
    const { asked, resolve } = asking(path, runProcess, clock);
    const askedFor = async (alias: string): Promise<number> => {
      await resolve(endpoint(alias), undefined);
      return asked.length;
    };
    expect(await askedFor('nas')).toBe(1);
    time.wall += 3_600_000;
    time.steady = sshLimitsDefault.configSharedMs - 1;
    expect(await askedFor('app')).toBe(1);
    time.wall -= 7_200_000;
    time.steady += 1;
    expect(await askedFor('web')).toBe(2);
  });

  test('is asked for once for a whole fleet in the file that lab writes, though each machine has its Host there', async () => {
    const own = await write(
      'Host machine3',
      '  User ada',
      '  HostName from-person',
      'Host jump',
      '  User hop',
    );
    const path = join(folder, 'fleet');
    const machines = Array.from({ length: 30 }, (_, index) =>
      machineNamed(`machine${index}`, {
        addresses: [`10.0.0.${index}`],
        ssh: {
          host: index % 3 === 1 ? `host${index}.lan` : null,
          port: index % 2 === 0 ? 2_000 + index : null,
          user: index % 5 === 0 ? 'deploy' : null,
        },
      }),
    );
    await writeFleetSshConfig(path, { machines, includes: [own], knownHosts: 'strict' });
    const { asked, resolve } = asking(path);
    const shared = await Promise.all(
      machines.map((machine) => resolve(endpointOf(machine, 'name'), undefined)),
    );
    expect(asked.toSorted()).toEqual(['lab-asks-for-nobody.invalid', 'machine3']);
    for (const [index, machine] of machines.entries()) {
      const alone = await runProcess(['ssh', '-G', '-F', path, machine.name], { deadlineMs: 10_000 });
      const lines = alone.stdout.split('\n');
      const said = shared[index];
      expect(said?.ok).toBe(true);
      if (said?.ok !== true) continue;
      expect(lines).toContain(`hostname ${said.value.hostname}`);
      expect(lines).toContain(`port ${said.value.port}`);
      expect(lines).toContain(`user ${said.value.user}`);
    }
    // As a jump host, a machine has nothing but its block.
    expect(await resolve(endpoint('machine2'), undefined)).toMatchObject({
      value: { hostname: '10.0.0.2', port: 2_002 },
    });
  });

  test('shared or not, is what ssh -G says of that machine alone', async () => {
    const aliases = ['nas', 'nas.lan', 'web1', 'web2', '10.0.0.2', 'x', 'WEB1', 'host'];
    const pattern = fc.constantFrom('*', '*.lan', 'web?', '!web1', 'nas', '10.0.0.*', 'x', 'WEB*', '"nas"');
    const setting = fc.constantFrom(
      'Port 2222',
      'User ada',
      'HostName 10.9.9.9',
      'HostName %h.example',
      'IdentityFile /keys/%h',
      'UserKnownHostsFile /kh/%h',
      'UserKnownHostsFile /kh/nas',
      'ProxyJump bastion',
      'HostKeyAlias nas',
      'IdentitiesOnly yes',
    );
    const block = fc.tuple(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc
            .array(pattern, { minLength: 1, maxLength: 3 })
            .map((patterns) => `Host ${patterns.join(' ')}`),
        },
        {
          weight: 1,
          arbitrary: fc.constantFrom('Match host web1', 'Match user ada', 'CanonicalizeHostname no'),
        },
      ),
      fc.array(setting, { maxLength: 2 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(block, { maxLength: 4 }),
        fc.shuffledSubarray(aliases, { minLength: 2, maxLength: 4 }),
        async (blocks, asked) => {
          const path = await write(...blocks.flatMap(([head, settings]) => [head, ...settings]));
          const shared = asking(path).resolve;
          for (const alias of asked) {
            const alone = asking(path).resolve;
            const target = endpoint(alias, { port: 4_000 });
            expect(await shared(target, undefined)).toEqual(await alone(target, undefined));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('is not shared where that is not safe', () => {
    expect(filesRead('debug1: Reading configuration data /etc/ssh/ssh_config\r\n')).toEqual([
      '/etc/ssh/ssh_config',
    ]);
    expect(filesRead('debug1: Reading configuration data config\n')).toBeNull();
    expect(filesRead('')).toBeNull();
    expect(hostLinesOf(['Host a b\n  Port 1\nhost=c'])).toEqual({
      lists: [['a', 'b'], ['c']],
      machines: new Set(),
    });
    expect(hostLinesOf([`${fleetConfigMark}\nHost *\nHost nas\n  HostName fe80::1%%eth0`])).toEqual({
      lists: [['*']],
      machines: new Set(['nas']),
    });
    for (const text of [
      'Match all',
      'Host "a"',
      'Host A',
      'HostName %h.lan',
      'Include ${X}/c',
      'CanonicalizeHostname yes',
    ])
      expect(hostLinesOf([text])).toBeNull();
    expect(answerForOthers('hostname a.lan\nuser x', 'a')).toBeNull();
    expect(answerForOthers('hostname ada\nuserknownhostsfile /home/ada/.ssh', 'ada')).toBeNull();
    expect(answerForOthers('host nas\nhostname nas\nuser x\nciphers a', 'nas')?.('web')).toBe(
      'hostname web\nuser x',
    );
  });

  test('looked up by name fills in the address unless the person has set one', async () => {
    const path = await write('Host grey-area', '  HostName from-config');
    const { resolve } = asking(path);
    const machine = (name: string, host: string | null = null) =>
      endpointOf(
        machineNamed(name, { addresses: ['10.0.0.3'], ssh: { host, port: null, user: null } }),
        'name',
      );
    expect(await resolve(machine('grey-area'), undefined)).toMatchObject({
      value: { hostname: 'from-config' },
    });
    expect(await resolve(machine('grey-area', 'own.lan'), undefined)).toMatchObject({
      value: { hostname: 'own.lan' },
    });
    expect(await resolve(machine('nas'), undefined)).toMatchObject({ value: { hostname: '10.0.0.3' } });
  });
});
