import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { namespacesAvailable } from '../fleet/availability.ts';
import { sweepStale } from '../fleet/namespaces.ts';

/** `npm run fleet`, as a person uses it to try things out: hosts that run a system, and a flake that fits them. */

const available = await namespacesAvailable();
if (!available.ok) {
  process.stderr.write(
    `\n*** \`npm run fleet\` IS NOT TESTED: ${available.reason}.\n*** Its tests count as skipped below.\n\n`,
  );
}

const name = `test-${process.pid}`;
const cli = fileURLToPath(new URL('../fleet/cli.ts', import.meta.url));
const fleet = async (...words: readonly string[]) =>
  runProcess([process.execPath, cli, ...words], { deadlineMs: 300_000, env: { LAB_FLEET: name } });
/** What a command that succeeds prints. */
const said = async (...words: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await fleet(...words);
  expect(code, `${words.join(' ')}: ${stdout}${stderr}`).toBe(0);
  return stdout;
};
const traces = async (): Promise<readonly string[]> =>
  (await readdir('/run')).filter((entry) => entry.includes(name));

describe.skipIf(!available.ok)('a fleet by hand', () => {
  beforeAll(async () => {
    await said('up');
  });
  afterAll(async () => {
    await fleet('down');
    await sweepStale();
  });

  test('is the example lab, and says how to go on', async () => {
    const again = await fleet('up');
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('the fleet is up already');
    const status = await said('status');
    for (const host of ['congenital-optimist', 'grey-area', 'reverse-proxy', 'sleeper-service'])
      expect(status).toMatch(new RegExp(`^${host} .*running +boots 1`, 'm'));
  });

  test('every host runs a first generation of its own, which survives a reboot', async () => {
    const generations = ['exec', 'grey-area', '--', 'nix-env', '-p', '/nix/var/nix/profiles/system'];
    const before = await said(...generations, '--list-generations');
    expect(before).toMatch(/^ +1 .*\(current\)\n$/u);
    await fleet('exec', 'grey-area', '--', 'systemctl', 'reboot');
    await expect.poll(() => said('status'), { timeout: 100_000 }).toMatch(/^grey-area .*running +boots 2/m);
    expect(await said(...generations, '--list-generations')).toBe(before);
    const booted = await said('exec', 'grey-area', '--', 'readlink', '-f', '/run/booted-system');
    expect(booted).toMatch(/^\/nix\/store\/[a-z0-9]{32}-nixos-system-factory-/u);
  });

  test('lab runs on its flake without a further word, and a release is something to update to', async () => {
    const { machines } = JSON.parse(await said('lab', 'status', '--wanted', '--json'));
    expect(machines).toHaveLength(4);
    for (const { observation, drift } of machines) {
      expect(observation).toMatchObject({ kind: 'reachable', generation: 1, state: 'running' });
      expect(drift.words).toEqual(['flake ≠ running']);
    }
    const preview = async () => JSON.parse(await said('lab', 'update', '--dry-run', '--json')).changes;
    expect(await preview()).toEqual([]);
    await said('release', '6.13.1');
    expect(await preview()).toMatchObject([{ input: 'nixpkgs', kind: 'updated' }]);
    expect((await fleet('release', 'soon')).code).toBe(2);
    expect((await fleet('lab', 'no-such-command')).code).toBe(2);
  });

  test('goes away and leaves nothing', async () => {
    expect(await traces()).not.toEqual([]);
    await said('down');
    expect(await traces()).toEqual([]);
    expect((await fleet('lab', 'status')).stderr).toContain('no fleet is up');
  });

  test('a demo brings its hosts and takes them away', async () => {
    expect(await said('demo', 'reboot-sequence', '--format', 'lines')).toMatch(/^sleeper-service:0$/m);
    expect(existsSync(`/run/lab-fleet-${name}`)).toBe(false);
  });
});
