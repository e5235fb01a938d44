import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { writeFleetSshConfig } from '../../src/ssh/fleet-config.ts';
import { eventually } from './support/eventually.ts';
import { newEncryptedKey, newKey, type TestKey } from './support/keys.ts';
import { livingWith, uniqueSeconds } from './support/processes.ts';
import { type Sshd, startSshd, whyNoSshd } from './support/sshd.ts';
import { createWorld, deadlineMs, failureIn, machineAt, type SshWorld, valueIn } from './support/world.ts';

/** The transport against OpenSSH's own sshd. Without one these tests fail: nothing else shows what they show. */

const why = await whyNoSshd();
if (why !== null)
  process.stderr.write(`\n*** THE SSH TRANSPORT CANNOT BE TESTED AGAINST A REAL SSHD: ${why}.\n\n`);

const letIn: TestKey = newKey('let-in');
let sshd: Sshd;
beforeAll(async () => {
  expect(why).toBeNull();
  sshd = await startSshd(letIn);
});
afterAll(() => sshd?.stop());

/** How long the commands sleep that must not survive: told apart from all other processes here. */
const sleeps = { single: uniqueSeconds(), dying: uniqueSeconds() };

let world: SshWorld;
let closers: (() => Promise<void>)[];
beforeEach(async () => {
  world = await createWorld();
  closers = [];
  await writeFile(join(world.home, '.ssh/id'), letIn.private, { mode: 0o600 });
  await know(sshd);
});
afterEach(async () => {
  await world.dispose();
  for (const close of closers) await close();
});

const know = (...servers: readonly Sshd[]): Promise<void> =>
  world.know(...servers.map((server) => `[127.0.0.1]:${server.port} ${server.hostKeys.ed25519}`));
const start = async (...config: readonly string[]): Promise<Sshd> => {
  const server = await startSshd(letIn, config);
  closers.push(server.stop);
  return server;
};
const at = (user: string, server = sshd) => machineAt(server.port, { user });

describe('commands on a real machine', () => {
  test('run as the login user, and as root through sudo', async () => {
    const remote = world.remote();
    const id = async (user: string, asRoot: boolean): Promise<string> =>
      valueIn(await remote.exec(at(user), ['id', '-un'], { deadlineMs, asRoot })).stdout.trim();
    expect(await id('ada', false)).toBe('ada');
    expect(await id('ada', true)).toBe('root');
    expect(await id('root', true)).toBe('root');
  });

  test('whose sudo wants a password end with what sudo says', async () => {
    const result = await world
      .remote()
      .exec(at('ada'), ['sudo', '-n', '-u', 'ada', '--', 'sudo', '-K', '-n', 'x'], { deadlineMs });
    expect(valueIn(result).code).not.toBe(0);
  });

  test('get hostile words and stdin unchanged, through sudo too', async () => {
    const words = ["it's", '$(id)', 'a\nb', '\\', "\\'", '', '*', 'ü'];
    const result = await world
      .remote()
      .exec(at('ada'), ['sh', '-c', 'printf "<%s>" "$@"; cat', 'sh', ...words], {
        deadlineMs,
        asRoot: true,
        stdin: 'from stdin\n',
      });
    expect(valueIn(result).stdout).toBe(`${words.map((word) => `<${word}>`).join('')}from stdin\n`);
  });

  test('are not mixed with what start-up files print', async () => {
    await writeFile(join(sshd.home, '.bashrc'), 'echo "welcome to the machine"\n');
    const result = await world.remote().exec(at('ada'), ['echo', 'mine'], { deadlineMs });
    await writeFile(join(sshd.home, '.bashrc'), '');
    expect(valueIn(result)).toMatchObject({ code: 0, stdout: 'mine\n' });
  });

  test('of an account without a shell end with what it says', async () => {
    const result = await world.remote().exec(at('nobodyhome'), ['true'], { deadlineMs });
    expect(valueIn(result)).toMatchObject({ code: 1, stdout: 'This account is currently not available.\n' });
  });

  test('with a child that holds the output do not wait for it', async () => {
    const remote = world.remote({ limits: { drainMs: 200 } });
    const result = await remote.exec(at('root'), ['sh', '-c', 'sleep 27182 & echo started'], { deadlineMs });
    expect(valueIn(result)).toMatchObject({ code: 0, stdout: 'started\n' });
  });

  test('say which signal ended them', async () => {
    const result = await world.remote().exec(at('root'), ['sh', '-c', 'kill -TERM $$'], { deadlineMs });
    expect(valueIn(result)).toMatchObject({ code: null, signal: 'SIGTERM' });
  });
});

describe('a command that is stopped', () => {
  test.each([
    ['as root', 'root', false],
    ['as a user', 'ada', false],
    ['through sudo, which makes a session of its own', 'ada', true],
  ])('%s leaves no process', async (_how, user, asRoot) => {
    const mark = uniqueSeconds();
    const cancel = new AbortController();
    const script = `trap "" TERM; sleep ${mark} & (sleep ${mark} & sleep ${mark}); sleep ${mark}`;
    const running = world
      .remote()
      .exec(at(user), ['sh', '-c', script], { deadlineMs, asRoot, signal: cancel.signal });
    await eventually(async () => expect((await livingWith(`sleep ${mark}`)).length).toBeGreaterThan(2));
    cancel.abort();
    const error = failureIn(await running);
    expect(error).toMatchObject({ kind: 'cancelled', dispatched: true });
    expect(error.message).not.toContain('may still run');
    expect(await livingWith(mark)).toEqual([]);
  });

  test('on a server that grants one session is stopped over another connection', async () => {
    const single = await start('MaxSessions 1');
    await know(single);
    const remote = world.remote();
    valueIn(await remote.exec(at('root', single), ['true'], { deadlineMs }));
    const result = await remote.exec(at('root', single), ['sleep', sleeps.single], { deadlineMs: 4_000 });
    expect(failureIn(result)).toMatchObject({ kind: 'timeout', phase: 'exec' });
    expect(failureIn(result).message).toContain('it was stopped');
    expect(await livingWith(sleeps.single)).toEqual([]);
  });
});

describe('sessions', () => {
  test('more than a server grants wait for one another', async () => {
    const few = await start('MaxSessions 2');
    await know(few);
    const remote = world.remote();
    const results = await Promise.all(
      Array.from({ length: 9 }, (_, index) =>
        remote.exec(at('root', few), ['sh', '-c', `sleep 0.1; echo ${index}`], { deadlineMs }),
      ),
    );
    expect(results.map((result) => valueIn(result).stdout.trim())).toEqual([...'012345678']);
  });

  test('thirty at once all come to their end over one connection', async () => {
    const remote = world.remote();
    const results = await Promise.all(
      Array.from({ length: 30 }, () => remote.exec(at('root'), ['true'], { deadlineMs })),
    );
    for (const result of results) expect(valueIn(result).code).toBe(0);
  });
});

describe('a rekey asked for by the server', () => {
  test('goes unnoticed', async () => {
    const rekeying = await start('RekeyLimit 300K');
    await know(rekeying);
    const result = await world.remote().exec(at('root', rekeying), ['head', '-c', '3000000', '/dev/zero'], {
      deadlineMs,
      outputBytesMax: 4_000_000,
    });
    expect(valueIn(result).stdout).toHaveLength(3_000_000);
  });
});

describe('host keys of a server that has several', () => {
  test('the one that is known is asked for', async () => {
    await world.know(`[127.0.0.1]:${sshd.port} ${sshd.hostKeys.rsa}`);
    expect(valueIn(await world.remote().exec(at('root'), ['true'], { deadlineMs })).code).toBe(0);
  });

  test('accept-new writes what OpenSSH then takes for known', async () => {
    await world.know();
    const remote = world.remote({ knownHosts: 'accept-new' });
    valueIn(await remote.exec(at('root'), ['true'], { deadlineMs }));
    const fleet = join(world.home, 'fleet');
    await writeFleetSshConfig(fleet, {
      machines: [at('root')],
      includes: [world.configPath],
      knownHosts: 'strict',
    });
    const direct = await runProcess(['ssh', '-F', fleet, 'grey-area', 'echo', 'same', 'policy'], {
      deadlineMs,
    });
    expect(direct).toMatchObject({ code: 0, stdout: 'same policy\n' });
  });

  test('are verified by what Include and Match in the configuration say', async () => {
    const other = join(world.home, 'other_known_hosts');
    await writeFile(other, `the-nas ${sshd.hostKeys.ed25519}\n`);
    const included = join(world.home, 'included');
    await writeFile(
      included,
      `Match host 127.0.0.1\n  HostKeyAlias the-nas\n  UserKnownHostsFile ${other}\n`,
    );
    await world.know();
    await world.configure(`Include ${included}`);
    valueIn(await world.remote().exec(at('root'), ['true'], { deadlineMs }));
  });
});

describe('an ssh agent', () => {
  let agent: ChildProcess;
  let socket: string;
  beforeEach(async () => {
    socket = join(world.home, 'agent');
    agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    await eventually(() => expect(existsSync(socket)).toBe(true));
    closers.push(async () => {
      const exited = once(agent, 'exit');
      agent.kill();
      await exited;
    });
  });
  const add = async (key: TestKey): Promise<void> => {
    const path = join(world.home, `add-${Math.random()}`);
    await writeFile(path, key.private, { mode: 0o600 });
    const added = await runProcess(['ssh-add', '-q', path], { deadlineMs, env: { SSH_AUTH_SOCK: socket } });
    expect(added.code, added.stderr).toBe(0);
  };
  const env = () => ({ HOME: world.home, SSH_AUTH_SOCK: socket });

  test('signs for a key whose file is encrypted', async () => {
    const identity = join(world.home, '.ssh/id');
    await add(letIn);
    const encrypted = await runProcess(['ssh-keygen', '-q', '-p', '-N', 'secret', '-f', identity], {
      deadlineMs,
    });
    expect(encrypted.code, encrypted.stderr).toBe(0);
    expect(failureIn(await world.remote().exec(at('root'), ['true'], { deadlineMs })).message).toContain(
      'ssh-add',
    );
    valueIn(await world.remote({ env: env() }).exec(at('root'), ['true'], { deadlineMs }));
  });

  test('with many keys does not use up the tries of the server, thanks to IdentitiesOnly', async () => {
    const strict = await start('MaxAuthTries 2');
    await know(strict);
    for (let index = 0; index < 6; index += 1) await add(newKey(`extra${index}`));
    await add(letIn);
    await writeFile(join(world.home, '.ssh/id.pub'), letIn.public);
    await writeFile(join(world.home, '.ssh/id'), newEncryptedKey('x').private, { mode: 0o600 });
    await writeFile(join(world.home, '.ssh/only.pub'), letIn.public);
    await world.configure('Host *', `  IdentityFile ${join(world.home, '.ssh/only')}`);
    valueIn(await world.remote({ env: env() }).exec(at('root', strict), ['true'], { deadlineMs }));
  });

  test('that makes the server end the login is told as a refusal that names the keys', async () => {
    const strict = await start('MaxAuthTries 2');
    await know(strict);
    for (let index = 0; index < 6; index += 1) await add(newKey(`extra${index}`));
    await writeFile(join(world.home, '.ssh/id'), newKey().private, { mode: 0o600 });
    await world.configure('Host *', '  IdentitiesOnly no');
    const result = await world.remote({ env: env() }).exec(at('root', strict), ['true'], { deadlineMs });
    expect(failureIn(result)).toMatchObject({ kind: 'auth', phase: 'auth' });
    expect(failureIn(result).message).toContain('agent key');
    expect(failureIn(result).message).toMatch(/Too many authentication failures/);
  });
});

describe('dialling', () => {
  test('reaches the localhost of the machine, and tells a closed port from a server that forbids it', async () => {
    const server = createServer((socket) => socket.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const remote = world.remote();
    const stream = valueIn(await remote.dial(at('root'), 'localhost', port, { deadlineMs }));
    expect(String((await once(stream, 'data'))[0])).toBe('hello');
    await eventually(() => expect(stream.closed).toBe(true));
    server.close();
    await once(server, 'close');
    expect(failureIn(await remote.dial(at('root'), 'localhost', port, { deadlineMs }))).toMatchObject({
      kind: 'unreachable',
      phase: 'dial',
    });
    const closed = await start('AllowTcpForwarding no');
    await know(closed);
    const forbidden = failureIn(await remote.dial(at('root', closed), 'localhost', port, { deadlineMs }));
    expect(forbidden).toMatchObject({ kind: 'channel', phase: 'dial' });
    expect(forbidden.message).toContain('administratively prohibited');
  });
});

describe('a jump host', () => {
  test('between two real machines, each with its own user, configuration and verification', async () => {
    const jump = await start();
    await know(sshd, jump);
    await world.configure(
      'Host inner',
      '  HostName 127.0.0.1',
      `  Port ${sshd.port}`,
      '  ProxyJump ada@bastion',
      'Host bastion',
      '  HostName 127.0.0.1',
      `  Port ${jump.port}`,
    );
    const inner = machineAt(1, { host: 'inner', port: null, user: 'root' });
    const remote = world.remote();
    expect(valueIn(await remote.exec(inner, ['id', '-un'], { deadlineMs })).stdout).toBe('root\n');
    expect(jump.log()).toContain('Accepted publickey for ada');
    await know(sshd);
    remote.forget(inner);
    expect(valueIn(await remote.exec(inner, ['true'], { deadlineMs })).code).toBe(0);
    expect(failureIn(await world.remote().exec(inner, ['true'], { deadlineMs }))).toMatchObject({
      kind: 'hostkey-unknown',
      host: 'jump host bastion',
    });
  });
});

describe('a machine that goes away', () => {
  test('while a command runs ends it as disconnected, and is refused afterwards', async () => {
    const dying = await startSshd(letIn);
    await know(dying);
    const remote = world.remote();
    const running = remote.exec(at('root', dying), ['sleep', sleeps.dying], { deadlineMs });
    await eventually(async () =>
      expect((await livingWith(`sleep ${sleeps.dying}`)).length).toBeGreaterThan(0),
    );
    await dying.stop();
    expect(failureIn(await running)).toMatchObject({ kind: 'disconnected', dispatched: true });
    expect(failureIn(await remote.exec(at('root', dying), ['true'], { deadlineMs }))).toMatchObject({
      kind: 'unreachable',
      dispatched: false,
    });
  });
});
