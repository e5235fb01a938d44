import { existsSync } from 'node:fs';
import ssh2 from 'ssh2';
import { describe, expect, test, vi } from 'vitest';
import type { TestFleet } from '../fleet/fleet.ts';
import { startInProcess } from '../fleet/in-process.ts';
import { newKey } from '../fleet/key.ts';

/** What stands in for hosts where namespaces are refused, and the keys of every fleet. */

const bootIdFile = '/proc/sys/kernel/random/boot_id';
const soon = (assertion: () => Promise<void> | void): Promise<void> =>
  vi.waitFor(assertion, { timeout: 60_000, interval: 50 });
const output = async (fleet: TestFleet, argv: readonly string[]): Promise<string> => {
  const result = await fleet.run(argv);
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return result.stdout.trim();
};

describe('keys of a fleet', () => {
  test('are keys that ssh can read, every one', () => {
    for (let count = 0; count < 2_000; count += 1) {
      const { open, secret } = newKey('test');
      expect(Buffer.from(open.split(' ')[1] ?? '', 'base64')).toHaveLength(51);
      expect(ssh2.utils.parseKey(secret)).not.toBeInstanceOf(Error);
    }
  });
});

describe('hosts that the test process plays, where namespaces are refused', () => {
  test('ssh in with keys, reboot, lose a host, change its key; and say what they cannot do', async () => {
    const fleet = await startInProcess({ hosts: ['one', 'two'] });
    try {
      const ssh = ['ssh', '-F', fleet.sshConfigPath];
      expect(await output(fleet, [...ssh, 'one', 'hostname'])).toBe('one');
      const before = await output(fleet, [...ssh, 'one', `cat ${bootIdFile}`]);
      await fleet.run([...ssh, 'one', 'systemctl reboot']);
      await soon(async () => expect(await fleet.boots('one')).toBe(2));
      await fleet.waitUntilUp('one');
      expect(await output(fleet, [...ssh, 'one', `cat ${bootIdFile}`])).not.toBe(before);

      const unknown = await fleet.run([...ssh, 'two', 'nix --version']);
      expect(unknown.code).toBe(127);
      expect(unknown.stderr).toContain('only played');
      await fleet.fault('two', 'hostkey-regenerated');
      expect((await fleet.run([...ssh, 'two', 'true'])).stderr).toContain(
        'REMOTE HOST IDENTIFICATION HAS CHANGED',
      );
      await fleet.fault('one', 'power-cut');
      expect((await fleet.run([...ssh, 'one', 'true'])).stderr).toContain('Connection refused');
      await fleet.clearFaults();
      expect(await output(fleet, [...ssh, 'one', 'hostname'])).toBe('one');
      expect(await output(fleet, [...ssh, 'two', 'hostname'])).toBe('two');
      await expect(fleet.fault('one', 'freeze')).rejects.toThrow('needs the real test fleet');
    } finally {
      await fleet.down();
    }
    expect(existsSync(fleet.directory)).toBe(false);
  });
});
