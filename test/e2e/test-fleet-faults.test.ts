import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { namespacesAvailable } from '../fleet/availability.ts';
import { faultKinds } from '../fleet/fault.ts';
import type { TestFleet } from '../fleet/fleet.ts';
import { startInNamespaces } from '../fleet/namespaces.ts';

/** Each fault does what its name says, as an ssh client sees it, and heals. */

const available = await namespacesAvailable();
if (!available.ok) {
  process.stderr.write(`\n*** THE FAULTS OF THE REAL TEST FLEET ARE NOT TESTED: ${available.reason}.\n\n`);
}

const waitMs = 100_000;
const soon = async (assertion: () => Promise<void> | void): Promise<void> => {
  await vi.waitFor(assertion, { timeout: waitMs, interval: 50 });
};

describe.skipIf(!available.ok)('faults of a host', () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await startInNamespaces({ hosts: ['victim', 'witness'] });
  });
  afterAll(async () => fleet?.down());
  const tried = new Set<string>();

  /** One ssh command, which waits as long as a slow host may need to answer: its output, or the last line ssh said. */
  const ssh = async (host: string, command: string, patienceSeconds = 30): Promise<string> => {
    const options = [`ConnectTimeout=${patienceSeconds}`, 'ServerAliveInterval=2', 'ServerAliveCountMax=5'];
    const words = options.flatMap((option) => ['-o', option]);
    const result = await fleet.run(['ssh', ...words, host, command], { deadlineMs: waitMs });
    return (result.code === 255 ? result.stderr : result.stdout).trim().split('\n').at(-1)?.trim() ?? '';
  };
  /** The same of a host that does not answer: nobody waits long for that. */
  const silence = (host: string): Promise<string> => ssh(host, 'true', 1);
  const state = async (): Promise<string> =>
    (await fleet.exec('victim', ['systemctl', 'is-system-running'])).stdout.trim();
  const set = async (...[kind, detail]: [Parameters<TestFleet['fault']>[1], (string | number)?]) => {
    tried.add(kind);
    await fleet.fault('victim', kind, detail);
  };
  const bootsTo = async (count: number): Promise<void> =>
    soon(async () => expect(await fleet.boots('victim')).toBe(count));

  afterEach(async () => {
    await fleet.clearFaults();
    await fleet.waitUntilUp('victim');
    // The neighbours may believe for a moment that it is away.
    await soon(async () => expect(await ssh('victim', 'hostname')).toBe('victim'));
    await soon(async () => expect(await state()).toBe('running'));
    expect(await ssh('witness', 'hostname')).toBe('witness');
    expect(await fleet.boots('witness')).toBe(1);
  });

  test('link-down: nobody reaches it, also after a reboot', async () => {
    await set('link-down');
    expect(await silence('victim')).toMatch(/timed out|No route to host/);
    await fleet.reboot('victim');
    expect(await silence('victim')).toMatch(/timed out|No route to host/);
  });

  test('drop: all packets, or a share of them', async () => {
    await set('drop');
    expect(await silence('victim')).toMatch(/timed out/);
    const banner = 'read -t 2 -r line </dev/tcp/victim/22 && echo "$line"';
    expect((await fleet.exec('witness', ['timeout', '3', 'bash', '-c', banner])).code).not.toBe(0);
    await set('drop', 10);
    await soon(async () => expect(await ssh('victim', 'hostname')).toBe('victim'));
    const rules = await fleet.run(['nft', 'list', 'table', 'bridge', 'faults']);
    expect(rules.stdout.match(/numgen random mod 100 < 10 drop/g)).toHaveLength(4);
  });

  test('freeze: the connection opens and nothing is said', async () => {
    await set('freeze');
    const opened = await fleet.run([
      'bash',
      '-c',
      'exec 3<>/dev/tcp/10.77.0.1/22; echo open; read -t 1 -r <&3',
    ]);
    expect(opened.stdout).toBe('open\n');
    expect(opened.code).not.toBe(0);
    expect(await fleet.boots('victim')).toBeGreaterThan(0);
  });

  test('power-cut: gone at once, without a shutdown, until power comes back', async () => {
    const boots = await fleet.boots('victim');
    await set('power-cut');
    await soon(async () =>
      expect((await fleet.history()).at(-1)).toMatchObject({ kind: 'stays-down', reason: 'power-cut' }),
    );
    expect(await silence('victim')).toMatch(/timed out|No route to host/);
    await fleet.clearFaults('victim');
    await bootsTo(boots + 1);
  });

  test('never-returns: goes down for its reboot and stays down', async () => {
    const boots = await fleet.boots('victim');
    await set('never-returns');
    expect(await ssh('victim', 'hostname')).toBe('victim');
    await ssh('victim', 'systemctl reboot');
    await soon(async () =>
      expect((await fleet.history()).at(-1)).toMatchObject({ kind: 'stays-down', reason: 'never-returns' }),
    );
    expect(await silence('victim')).toMatch(/timed out|No route to host/);
    expect(await fleet.boots('victim')).toBe(boots);
    await fleet.clearFaults('victim');
    await bootsTo(boots + 1);
  });

  test('slow-return: is down for so many seconds', async () => {
    await set('slow-return', 2);
    await fleet.reboot('victim');
    const history = await fleet.history();
    const down = history.findLast((event) => event.kind === 'went-down')?.atMs ?? 0;
    const boot = history.findLast((event) => event.kind === 'boot')?.atMs ?? 0;
    expect(boot - down).toBeGreaterThan(900);
    expect(boot - down).toBeLessThan(waitMs);
  });

  test('boot-loop: falls over again after each boot', async () => {
    const boots = await fleet.boots('victim');
    await set('boot-loop', 1);
    // It may never get as far as being up.
    await fleet.exec('victim', ['systemctl', 'reboot']);
    await soon(async () => expect(await fleet.boots('victim')).toBeGreaterThanOrEqual(boots + 3));
    expect(
      (await fleet.history()).some((event) => event.kind === 'went-down' && event.how === 'power-cut'),
    ).toBe(true);
  });

  test('boots-old-generation: with nothing older to boot it boots what there is', async () => {
    // What it does with two generations is told in test-fleet.test.ts, with the toplevels.
    await set('boots-old-generation');
    await fleet.reboot('victim');
    expect(await ssh('victim', 'hostname')).toBe('victim');
  });

  test('failed-unit: degraded, now and after a reboot, and it says by which unit', async () => {
    await set('failed-unit', 'backup.service');
    expect(await state()).toBe('degraded');
    await fleet.reboot('victim');
    expect(await state()).toBe('degraded');
    expect(await ssh('victim', 'systemctl --failed --plain --no-legend')).toMatch(
      /^backup\.service .*failed/,
    );
  });

  test('slow-stop: the shutdown takes that long', async () => {
    await set('slow-stop', 3);
    const start = Date.now();
    await fleet.reboot('victim');
    const down = (await fleet.history()).findLast((event) => event.kind === 'went-down')?.atMs ?? 0;
    expect(down - start).toBeGreaterThan(2_500);
    expect(down - start).toBeLessThan(waitMs);
  });

  test('hostkey-regenerated: a strict client refuses it', async () => {
    await set('hostkey-regenerated');
    expect(await ssh('victim', 'true')).toBe('Host key verification failed.');
    await fleet.reboot('victim');
    expect(await ssh('victim', 'true')).toBe('Host key verification failed.');
  });

  test('hostkey-at-boot: the key is another one after the reboot, not before', async () => {
    await set('hostkey-at-boot');
    expect(await ssh('victim', 'systemctl daemon-reload; hostname')).toBe('victim');
    await fleet.reboot('victim');
    expect(await ssh('victim', 'true')).toBe('Host key verification failed.');
  });

  test('disk-full: no byte more fits', async () => {
    const write = async (path: string) =>
      fleet.exec('victim', [
        'bash',
        '-c',
        `head -c 100000 /dev/zero > ${path}/more; echo $?; rm ${path}/more`,
      ]);
    await set('disk-full');
    const full = await write('/nix');
    expect(full.stderr).toContain('No space left on device');
    expect((await write('/var')).stdout).toBe('0\n');
    await fleet.clearFaults('victim');
    expect((await write('/nix')).stdout).toBe('0\n');
    await set('disk-full', '/');
    expect((await write('/var')).stderr).toContain('No space left on device');
  });

  test('sshd-broken: connections are refused while the host runs', async () => {
    await set('sshd-broken');
    expect(await ssh('victim', 'true')).toContain('Connection refused');
    await fleet.reboot('victim');
    expect(await ssh('victim', 'true')).toContain('Connection refused');
    expect(await state()).toBe('degraded');
  });

  test('a host that was powered off from inside comes back when healed', async () => {
    const boots = await fleet.boots('victim');
    await fleet.exec('victim', ['systemctl', 'poweroff']);
    await soon(async () =>
      expect((await fleet.history()).at(-1)).toMatchObject({ kind: 'stays-down', reason: 'power-off' }),
    );
    await fleet.clearFaults('victim');
    await bootsTo(boots + 1);
  });

  test('details are checked, and no fault is left untried', async () => {
    await expect(fleet.fault('victim', 'drop', 0)).rejects.toThrow('fault drop');
    await expect(fleet.fault('victim', 'failed-unit', 'x; reboot')).rejects.toThrow('fault failed-unit');
    await expect(fleet.fault('nobody', 'freeze')).rejects.toThrow('no host nobody');
    expect([...tried].sort()).toEqual([...faultKinds].sort());
  });
});
