import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { namespacesAvailable } from '../fleet/availability.ts';
import type { TestFleet } from '../fleet/fleet.ts';
import { startInNamespaces, sweepStale } from '../fleet/namespaces.ts';

/** The tools of the other tests are tested first: what they say of a host must be true. */

const available = await namespacesAvailable();
if (!available.ok) {
  process.stderr.write(
    `\n*** THE REAL TEST FLEET IS NOT TESTED: ${available.reason}.\n*** Its tests count as skipped below.\n\n`,
  );
}

const waitMs = 100_000;
const soon = async (assertion: () => Promise<void> | void): Promise<void> => {
  await vi.waitFor(assertion, { timeout: waitMs, interval: 50 });
};
const bootIdFile = '/proc/sys/kernel/random/boot_id';
const output = async (fleet: TestFleet, argv: readonly string[]): Promise<string> => {
  const result = await fleet.run(argv);
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return result.stdout.trim();
};

describe.skipIf(!available.ok)('three hosts in namespaces', () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await startInNamespaces({ hosts: ['nas', 'app', 'proxy'] });
  });
  afterAll(async () => fleet?.down());

  test('every host runs its own systemd, without a failed unit', async () => {
    for (const { name } of fleet.hosts) {
      const state = await fleet.exec(name, ['systemctl', 'is-system-running']);
      expect(state.stdout).toBe('running\n');
      expect((await fleet.exec(name, ['cat', '/proc/1/comm'])).stdout).toBe('systemd\n');
    }
  });

  test('a command that is stopped for a moment, as by a shutdown, is followed to its end', async () => {
    const asleep = fleet.exec('nas', ['sleep', '1234'], { deadlineMs: waitMs });
    const signal = (name: string) => fleet.exec('nas', ['pkill', `-${name}`, '-f', '^sleep 1234']);
    await soon(async () => expect((await signal('STOP')).code).toBe(0));
    await signal('KILL');
    expect(await asleep).toMatchObject({ timedOut: false });
  });

  test('ssh reaches each host as root and as lab, with known_hosts strictly checked', async () => {
    for (const { name, address } of fleet.hosts) {
      expect(await output(fleet, ['ssh', name, 'hostname'])).toBe(name);
      expect(await output(fleet, ['ssh', `lab@${address}`, 'id -un; sudo -n id -un'])).toBe('lab\nroot');
    }
    const config = await output(fleet, ['ssh', '-G', 'nas', 'true']);
    expect(config).toContain('stricthostkeychecking true');
    const unknown = await fleet.run(['ssh', '-o', 'UserKnownHostsFile=/dev/null', 'nas', 'true']);
    expect(unknown.code).toBe(255);
    expect(unknown.stderr).toContain('Host key verification failed');
  });

  test('hosts reach each other by name and have boot ids of their own', async () => {
    const banner = await fleet.exec('app', ['bash', '-c', 'read -r line </dev/tcp/nas/22; echo "$line"']);
    expect(banner.stdout).toMatch(/^SSH-2\.0-/);
    const ids = await Promise.all(
      fleet.hosts.map(async ({ name }) => (await fleet.exec(name, ['cat', bootIdFile])).stdout),
    );
    expect(new Set(ids).size).toBe(3);
    expect(ids).not.toContain(await readFile(bootIdFile, 'utf8'));
  });

  test('systemctl reboot over ssh is a reboot: new boot id, clock from zero, counted once', async () => {
    const bootsBefore = await fleet.boots('nas');
    const others = await fleet.boots('app');
    const before = await output(fleet, ['ssh', 'nas', 'cat', bootIdFile]);
    await fleet.run(['ssh', 'nas', 'systemctl', 'reboot']);
    await soon(async () => expect(await fleet.boots('nas')).toBe(bootsBefore + 1));
    await fleet.waitUntilUp('nas');
    const after = await output(fleet, ['ssh', 'nas', 'cat', bootIdFile]);
    expect(after).toMatch(/^[0-9a-f-]{36}$/);
    expect(after).not.toBe(before);
    const uptime = Number((await output(fleet, ['ssh', 'nas', 'cat', '/proc/uptime'])).split(' ')[0]);
    expect(uptime).toBeLessThan(waitMs / 1_000);
    expect(await fleet.boots('nas')).toBe(bootsBefore + 1);
    expect(await fleet.boots('app')).toBe(others);
    const boots = (await fleet.history()).filter((event) => event.kind === 'boot' && event.host === 'nas');
    expect(boots.at(-1)).toMatchObject({ bootId: after });
  });

  test('the order of reboots is remembered', async () => {
    const before = (await fleet.rebootOrder()).length;
    await fleet.reboot('proxy');
    await fleet.reboot('app');
    expect((await fleet.rebootOrder()).slice(before)).toEqual(['proxy', 'app']);
  });

  test('files survive a reboot, /run does not', async () => {
    await fleet.exec('app', ['touch', '/etc/kept', '/run/lost', '/nix/kept']);
    await fleet.reboot('app');
    const left = await fleet.exec('app', ['ls', '/etc/kept', '/nix/kept', '/run/lost']);
    expect(left.stdout).toBe('/etc/kept\n/nix/kept\n');
  });

  test('transient units, timers and inhibitors work', async () => {
    const unit = 'systemd-run --quiet --unit=told --on-active=1 --timer-property=AccuracySec=100ms';
    await output(fleet, ['ssh', 'app', `${unit} touch /run/fired 2>/dev/null`]);
    await soon(async () => expect((await fleet.exec('app', ['test', '-e', '/run/fired'])).code).toBe(0));
    const waited = await fleet.exec('app', ['systemd-run', '--quiet', '--wait', '--pipe', 'echo', 'said']);
    expect(waited.stdout).toBe('said\n');
    const journal = await fleet.exec('app', ['journalctl', '--unit=told', '--output=cat']);
    expect(journal.stdout).toContain('told.service');
    const inhibitors = await fleet.exec('app', [
      ...['systemd-inhibit', '--what=shutdown', '--who=scrub', '--mode=block'],
      ...['systemd-inhibit', '--list', '--no-legend'],
    ]);
    expect(inhibitors.stdout).toContain('scrub');
  });

  test('a toplevel is copied, becomes the profile, and runs after the next boot; the boot default wins over it', async () => {
    const build = async (name: string): Promise<string> => {
      const script = `/bin/mkdir -p $out; echo '#!/bin/sh' > $out/activate; echo 'echo ${name} > /run/activated' >> $out/activate; /bin/chmod +x $out/activate`;
      const expression = `derivation { name = "${name}"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" ''${script}'' ]; }`;
      const built = await fleet.run(['nix-build', '--no-out-link', '--expr', expression]);
      expect(built.stderr).toContain(name);
      return built.stdout.trim();
    };
    const [first, second] = [await build('first'), await build('second')];
    expect(existsSync(second)).toBe(false); // the machine's own store stays clean
    const booted = async (): Promise<string> =>
      (await fleet.exec('nas', ['readlink', '-f', '/run/booted-system'])).stdout.trim();

    await fleet.installToplevel('nas', first);
    await fleet.reboot('nas');
    expect(await booted()).toBe(first);
    expect((await fleet.exec('nas', ['cat', '/run/activated'])).stdout).toBe('first\n');

    await fleet.installToplevel('nas', second);
    expect(await booted()).toBe(first);
    await fleet.reboot('nas');
    expect(await booted()).toBe(second);

    await fleet.fault('nas', 'boots-old-generation');
    await fleet.reboot('nas');
    expect(await booted()).toBe(first);
    expect((await fleet.exec('nas', ['readlink', '-f', '/nix/var/nix/profiles/system'])).stdout.trim()).toBe(
      second,
    );
    await fleet.clearFaults('nas');

    await fleet.exec('nas', ['bash', '-c', `echo ${first} > /boot/default-toplevel`]);
    await fleet.reboot('nas');
    expect(await booted()).toBe(first);
  });

  test('nix copy to the ordinary user goes through the host’s nix daemon', async () => {
    const file = await output(fleet, ['nix-store', '--add', fileURLToPath(import.meta.url)]);
    const nix = ['nix', '--extra-experimental-features', 'nix-command', 'copy', '--no-check-sigs'];
    const copied = await fleet.run([...nix, '--to', 'ssh-ng://lab@proxy', file]);
    expect(copied.code, copied.stderr).toBe(0);
    expect((await fleet.exec('proxy', ['nix-store', '--check-validity', file])).code).toBe(0);
  });

  test('root in a host cannot reach the real machine', async () => {
    const refused = async (...argv: readonly string[]): Promise<void> =>
      expect((await fleet.exec('nas', argv)).code, argv.join(' ')).not.toBe(0);
    await refused('bash', '-c', 'echo 1 > /proc/sys/kernel/panic');
    await refused('date', '--set=2001-01-01');
    await refused('mknod', '/dev/vda', 'b', '254', '0');
    await refused('dmesg');
    const sysrq = await fleet.exec('nas', ['stat', '-c', '%t:%T', '/proc/sysrq-trigger']);
    expect(sysrq.code === 0 ? sysrq.stdout : 'the kernel has none').toMatch(/^1:3\n$|has none/);
    const processes = await fleet.exec('nas', ['bash', '-c', 'cat /proc/[0-9]*/comm']);
    expect(processes.stdout.split('\n').filter((name) => name === 'systemd')).toHaveLength(1);
    expect(processes.stdout).not.toContain('node');
    await fleet.exec('nas', ['touch', '/tmp/in-the-host', '/etc/in-the-host']);
    expect(existsSync('/tmp/in-the-host') || existsSync('/etc/in-the-host')).toBe(false);
    const caps = /CapBnd:\t([0-9a-f]+)/.exec(
      (await fleet.exec('nas', ['cat', '/proc/1/status'])).stdout,
    )?.[1];
    const [modules, rawio, mknod] = [16n, 17n, 27n];
    for (const cap of [modules, rawio, mknod]) expect((BigInt(`0x${caps}`) >> cap) & 1n).toBe(0n);
  });
});

/** What a fleet could leave behind, as this machine sees it. */
const tracesOf = async (directory: string, namespaces: readonly string[]): Promise<readonly string[]> => {
  const traces: string[] = [];
  const id = directory.slice('/run/lab-fleet-'.length);
  if (existsSync(directory)) traces.push(directory);
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const cmdline = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    const net = await readlink(`/proc/${pid}/ns/net`).catch(() => '');
    if (cmdline.includes(directory) || cgroups.includes(`/lab-fleet/${id}`) || namespaces.includes(net))
      traces.push(`process ${pid} ${cmdline}`);
  }
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  traces.push(...mounts.split('\n').filter((line) => line.includes(directory)));
  const cgroup = await runProcess(
    ['unshare', '--mount', 'sh', '-c', 'mount -t cgroup2 c /mnt && [ ! -e "/mnt/lab-fleet/$1" ]', 'sh', id],
    { deadlineMs: waitMs },
  );
  if (cgroup.code !== 0) traces.push(`cgroup lab-fleet/${id}`);
  return traces;
};
const pidIn = async (path: string): Promise<number> => Number((await readFile(path, 'utf8')).split(' ')[0]);
const namespacesOf = async (directory: string): Promise<readonly string[]> => {
  const pids = [await pidIn(`${directory}/supervisor`), await pidIn(`${directory}/hosts/one/pid`)];
  return Promise.all(pids.map((pid) => readlink(`/proc/${pid}/ns/net`)));
};
const inotifyLimit = async (): Promise<string> => readFile('/proc/sys/fs/inotify/max_user_instances', 'utf8');

describe.skipIf(!available.ok)('a fleet that ends', () => {
  test('leaves nothing behind when it is taken down', async () => {
    const limitBefore = await inotifyLimit();
    const alone = (await readdir('/run')).every((entry) => !entry.startsWith('lab-fleet'));
    const fleet = await startInNamespaces({ hosts: ['one', 'two'] });
    const namespaces = await namespacesOf(fleet.directory);
    expect(await tracesOf(fleet.directory, namespaces)).not.toEqual([]);
    await fleet.fault('two', 'freeze');
    const left = fleet.run(['sleep', '1000']);
    await soon(async () =>
      expect((await tracesOf(fleet.directory, namespaces)).join(' ')).toMatch(/sleep.1000/),
    );
    await fleet.down();
    expect((await left).signal).toBe('SIGKILL');
    expect(await tracesOf(fleet.directory, namespaces)).toEqual([]);
    const stillAlone = (await readdir('/run')).every((entry) => !entry.startsWith('lab-fleet'));
    if (alone && stillAlone) expect(await inotifyLimit()).toBe(limitBefore);
  });

  test('leaves nothing behind when its supervisor is killed', async () => {
    const fleet = await startInNamespaces({ hosts: ['one'] });
    const namespaces = await namespacesOf(fleet.directory);
    process.kill(await pidIn(`${fleet.directory}/supervisor`), 'SIGKILL');
    await soon(async () => expect(await tracesOf(fleet.directory, namespaces)).toEqual([]));
    await fleet.down();
  });

  test('leaves nothing behind when the process that started it is killed', async () => {
    const module = fileURLToPath(new URL('../fleet/namespaces.ts', import.meta.url));
    const program = `import { startInNamespaces } from ${JSON.stringify(module)};
      const fleet = await startInNamespaces({ hosts: ['one'] });
      console.log(fleet.directory);
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const directory = await new Promise<string>((resolve, reject) => {
      owner.stdout.once('data', (chunk) => resolve(String(chunk).trim()));
      owner.once('exit', () => reject(new Error('the owner ended before its fleet was up')));
    });
    const namespaces = await namespacesOf(directory);
    owner.kill('SIGKILL');
    await soon(async () => expect(await tracesOf(directory, namespaces)).toEqual([]));
  });

  test('leaves only dead things when all its keepers are killed, and the next fleet removes those', async () => {
    const fleet = await startInNamespaces({ hosts: ['one'] });
    const namespaces = await namespacesOf(fleet.directory);
    const supervisor = await pidIn(`${fleet.directory}/supervisor`);
    process.kill(await pidIn(`${fleet.directory}/starter`), 'SIGKILL');
    process.kill(supervisor, 'SIGKILL');
    await soon(() => expect(existsSync(`/proc/${supervisor}`)).toBe(false));
    // The next fleet may be another file's: then it is gone already.
    await sweepStale();
    expect(await tracesOf(fleet.directory, namespaces)).toEqual([]);
    await fleet.down();
  });
});
