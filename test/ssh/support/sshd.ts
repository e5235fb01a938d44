import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProcess } from '../../../src/process/run.ts';
import type { TestKey } from './keys.ts';

/** A real sshd on a port of 127.0.0.1, in namespaces of its own: with it ends everything it has started. */
export type Sshd = {
  readonly port: number;
  /** `TYPE BASE64` of each host key. */
  readonly hostKeys: Readonly<Record<'ed25519' | 'rsa', string>>;
  /** Home of the user `ada`, who may sudo without a password. */
  readonly home: string;
  log(): string;
  stop(): Promise<void>;
};

const program = '/usr/sbin/sshd';
const startDeadlineMs = 15_000;
const pollMs = 20;

/** Why no real sshd can run here, or null. The tests fail then: without one they would prove nothing. */
export const whyNoSshd = async (): Promise<string | null> => {
  if (process.getuid?.() !== 0) return 'the tests do not run as root';
  for (const path of [program, '/usr/bin/sudo', '/usr/bin/ssh-agent'])
    if (!existsSync(path)) return `${path} is missing`;
  const tried = await runProcess([...namespaces, 'true'], { deadlineMs: 10_000 });
  return tried.code === 0 ? null : `namespaces are refused here: ${tried.stderr.trim()}`;
};

const namespaces = ['unshare', '--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'];

/** Accounts, sudo's rules and /run are the sshd's own; those of this machine are not touched. */
const inside = `set -e
mount --make-rprivate /
for file in passwd shadow group sudoers; do mount --bind "$1/$file" "/etc/$file"; done
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/sudo
exec ${program} -D -e -f "$1/sshd_config"`;

export const freePort = async (): Promise<number> => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });

const makeHostKey = async (folder: string, type: 'ed25519' | 'rsa'): Promise<string> => {
  const path = join(folder, `host_${type}`);
  const made = await runProcess(
    ['ssh-keygen', '-q', '-t', type, ...(type === 'rsa' ? ['-b', '2048'] : []), '-N', '', '-f', path],
    {
      deadlineMs: 30_000,
    },
  );
  if (made.code !== 0) throw new Error(made.stderr);
  return (await readFile(`${path}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
};

const started = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** `config` stands above the rest of sshd_config; `letIn` may log in as root and as `ada`. */
export const startSshd = async (letIn: TestKey, config: readonly string[] = []): Promise<Sshd> => {
  const folder = await mkdtemp(join(tmpdir(), 'lab-sshd-'));
  const home = join(folder, 'ada');
  await mkdir(home);
  const hostKeys = { ed25519: await makeHostKey(folder, 'ed25519'), rsa: await makeHostKey(folder, 'rsa') };
  const port = await freePort();
  // root gets a home of its own too: start-up files of this machine's root may do anything, and hold locks.
  const rootHome = join(folder, 'root');
  await mkdir(rootHome, { mode: 0o700 });
  const account = async (file: string, line: string, mode: number): Promise<void> => {
    const text = (await readFile(`/etc/${file}`, 'utf8')).trimEnd();
    const own = text.replace(/^(root:[^:]*:0:0:[^:]*):.*$/mu, `$1:${rootHome}:/bin/bash`);
    await writeFile(join(folder, file), `${own}\n${line}\n`, { mode });
  };
  await account(
    'passwd',
    `ada:x:4242:4242::${home}:/bin/bash\nnobodyhome:x:4243:4242::/:/usr/sbin/nologin`,
    0o644,
  );
  await account('shadow', 'ada:*:19000:0:99999:7:::\nnobodyhome:*:19000:0:99999:7:::', 0o640);
  await account('group', 'ada:x:4242:', 0o644);
  await writeFile(
    join(folder, 'sudoers'),
    'Defaults use_pty\nroot ALL=(ALL:ALL) ALL\nada ALL=(ALL) NOPASSWD: ALL\n',
    { mode: 0o440 },
  );
  await writeFile(join(folder, 'authorized_keys'), letIn.public);
  await writeFile(
    join(folder, 'sshd_config'),
    [
      ...config,
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      `HostKey ${join(folder, 'host_ed25519')}`,
      `HostKey ${join(folder, 'host_rsa')}`,
      `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'StrictModes no',
      'UsePAM no',
      'PidFile none',
      'MaxStartups 100',
      'LogLevel VERBOSE',
    ].join('\n'),
  );
  // The login user must be able to reach the home, not more.
  await runProcess(['chown', '4242:4242', home], { deadlineMs: 5_000 });
  await runProcess(['chmod', '711', folder], { deadlineMs: 5_000 });

  const [command, ...args] = [...namespaces, 'sh', '-c', inside, 'sh', folder];
  const child = spawn(command ?? 'unshare', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  started.add(child);
  let log = '';
  child.stderr.on('data', (chunk) => {
    log = (log + String(chunk)).slice(-20_000);
  });
  const exited = once(child, 'exit');
  const end = performance.now() + startDeadlineMs;
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > end) throw new Error(`sshd did not start:\n${log}`);
    await sleep(pollMs);
  }
  return {
    port,
    hostKeys,
    home,
    log: () => log,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      started.delete(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
};
