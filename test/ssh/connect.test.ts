import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SshError } from '../../src/ports.ts';
import type { SshLimits } from '../../src/ssh/limits.ts';
import { startDeafAgent } from './support/agent.ts';
import { eventually } from './support/eventually.ts';
import { newEncryptedKey, newKey } from './support/keys.ts';
import { startRawServer, startServer, type TestServer, type TestServerOptions } from './support/server.ts';
import { createWorld, failureIn, knownLine, machineAt, type SshWorld, valueIn } from './support/world.ts';

let world: SshWorld;
let closers: (() => Promise<void>)[];
beforeEach(async () => {
  world = await createWorld();
  closers = [];
});
afterEach(async () => {
  await world.dispose();
  for (const close of closers) await close();
});

const raw = async (serve: (socket: Socket) => void) => {
  const server = await startRawServer(serve);
  closers.push(server.close);
  return server;
};
const serve = async (options: TestServerOptions = {}): Promise<TestServer> => {
  const server = await startServer({ letIn: world.key, ...options });
  closers.push(server.close);
  await world.know(knownLine(server.port, server.hostKey));
  return server;
};
const deadlineMs = 20_000;
const connecting = async (port: number, limits: Partial<SshLimits> = {}): Promise<SshError> =>
  failureIn(await world.remote({ limits }).exec(machineAt(port), ['true'], { deadlineMs }));

describe('a machine that cannot be reached', () => {
  test('refuses: it says so, and that nothing has run', async () => {
    const server = await raw(() => undefined);
    await server.close();
    closers = [];
    const error = await connecting(server.port);
    expect(error).toMatchObject({ kind: 'unreachable', phase: 'tcp', retryable: true, dispatched: false });
    expect(error.message).toContain(`127.0.0.1 port ${server.port}: connection refused`);
  });

  test('has a name nobody knows', async () => {
    const machine = machineAt(22, { host: 'no-such-host.invalid' });
    const error = failureIn(await world.remote().exec(machine, ['true'], { deadlineMs }));
    expect(error).toMatchObject({ kind: 'unreachable', phase: 'tcp' });
    expect(error.message).toContain('name not found');
  });

  test('has an address that would be an option of ssh', async () => {
    const machine = machineAt(22, { host: '-oProxyCommand=touch /tmp/x' });
    const error = failureIn(await world.remote().exec(machine, ['true'], { deadlineMs }));
    expect(error).toMatchObject({ kind: 'config', phase: 'config' });
    expect(error.remedy).toContain('lab.machine.ssh.host');
  });

  test('takes longer than the caller will wait', async () => {
    const server = await raw(() => undefined);
    const remote = world.remote();
    const error = failureIn(await remote.exec(machineAt(server.port), ['true'], { deadlineMs: 300 }));
    expect(error).toMatchObject({ kind: 'timeout', dispatched: false });
    await eventually(() => expect(server.sockets.size).toBe(0));
  });
});

describe('a server that misbehaves during the handshake', () => {
  test('sends its banner and ends', async () => {
    const server = await raw((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'));
    const error = await connecting(server.port);
    expect(error).toMatchObject({ kind: 'unreachable', phase: 'handshake', retryable: true });
  });

  test('sends its banner and falls silent', async () => {
    const server = await raw((socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n'));
    const error = await connecting(server.port, { handshakeDeadlineMs: 300 });
    expect(error).toMatchObject({ kind: 'timeout', phase: 'handshake', retryable: true });
    await eventually(() => expect(server.sockets.size).toBe(0));
  });

  test('accepts and says nothing at all, like a frozen machine', async () => {
    const server = await raw(() => undefined);
    const error = await connecting(server.port, { handshakeDeadlineMs: 300 });
    expect(error).toMatchObject({ kind: 'timeout', phase: 'handshake' });
    await eventually(() => expect(server.sockets.size).toBe(0));
  });

  test('accepts and resets', async () => {
    const server = await raw((socket) => socket.resetAndDestroy());
    // The reset may be seen while connecting or after.
    expect(await connecting(server.port)).toMatchObject({ kind: 'unreachable', retryable: true });
  });

  test('turns people away in words, which are passed on', async () => {
    const server = await raw((socket) => socket.end('Exceeded MaxStartups\r\n'));
    const error = await connecting(server.port);
    expect(error.kind).toBe('unreachable');
    expect(error.message).toContain('Exceeded MaxStartups');
  });

  test('is no ssh server', async () => {
    const server = await raw((socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 400 Bad Request\r\n\r\n${'x'.repeat(10_000)}\r\n`));
    });
    const error = await connecting(server.port, { handshakeDeadlineMs: 15_000 });
    expect(['protocol', 'timeout', 'unreachable']).toContain(error.kind);
    expect(error.phase).toBe('handshake');
  });

  test('sends garbage after its banner', async () => {
    const server = await raw((socket) =>
      socket.write(`SSH-2.0-Garbage\r\n${'\0\xff'.repeat(500)}`, 'latin1'),
    );
    const error = await connecting(server.port, { handshakeDeadlineMs: 15_000 });
    expect(error).toMatchObject({ kind: 'protocol', phase: 'handshake', retryable: false });
    // Its software is worth a person's eye, and what comes after it is not meant for any.
    expect(error.message).toMatch(/ \(it said: SSH-2\.0-Garbage\)$/u);
  });
});

describe('a login', () => {
  test('that is refused names the keys tried, what the server offers, and what to do', async () => {
    const server = await serve({ letIn: newKey() });
    const error = await connecting(server.port);
    expect(error).toMatchObject({ kind: 'auth', phase: 'auth', retryable: false, dispatched: false });
    expect(error.message).toContain(join(world.home, '.ssh/id'));
    expect(error.message).toContain('it offers publickey');
    expect(error.remedy).toContain('authorizedKeys');
  });

  test('without any key says so', async () => {
    await world.configure('Host *', '  IdentityFile none');
    const server = await serve();
    await writeFile(join(world.home, '.ssh/id'), '');
    const error = await connecting(server.port);
    expect(error.kind).toBe('auth');
    expect(error.message).toContain('no key was there to offer');
  });

  test('with an encrypted key points to the agent', async () => {
    const key = newEncryptedKey('secret');
    await writeFile(join(world.home, '.ssh/id'), key.private, { mode: 0o600 });
    const server = await serve({ letIn: key });
    const error = await connecting(server.port);
    expect(error.kind).toBe('auth');
    expect(error.message).toContain('is encrypted: add it to an ssh agent (ssh-add');
  });

  test('that drags on is given up', async () => {
    const server = await serve({ onAuth: () => undefined });
    const error = await connecting(server.port, { authDeadlineMs: 300 });
    expect(error).toMatchObject({ kind: 'timeout', phase: 'auth', retryable: true });
    await eventually(() => expect(server.open()).toBe(0));
  });

  test('that waits for an agent which does not sign is given up, and so is the agent', async () => {
    const key = newKey('in-agent');
    const agent = await startDeafAgent(join(world.home, 'agent'), key);
    closers.push(agent.close);
    await world.configure(
      'Host *',
      '  IdentityFile none',
      '  IdentitiesOnly no',
      `  IdentityAgent ${agent.path}`,
    );
    const server = await serve({ letIn: key });
    const error = await connecting(server.port, { authDeadlineMs: 1_000 });
    expect(error).toMatchObject({ kind: 'timeout', phase: 'auth' });
    expect(agent.asked()).toEqual(['identities', 'sign']);
    await eventually(() => expect(agent.open()).toBe(0));
  });

  test('during which the machine goes down is not a refusal', async () => {
    const server = await serve({ onAuth: () => server.cut() });
    expect(await connecting(server.port)).toMatchObject({
      kind: 'disconnected',
      phase: 'auth',
      retryable: true,
      dispatched: false,
    });
  });

  test('needs no key where the server lets everyone in', async () => {
    const server = await serve({ onAuth: (context) => context.accept() });
    valueIn(await world.remote().exec(machineAt(server.port), ['true'], { deadlineMs }));
    expect(server.authTries).toEqual(['none']);
  });

  test('offers no more keys than a server takes', async () => {
    const extra = Array.from({ length: 9 }, (_, index) => join(world.home, '.ssh', `extra${index}`));
    for (const path of extra) await writeFile(path, newKey().private, { mode: 0o600 });
    await world.configure('Host *', ...extra.map((path) => `  IdentityFile ${path}`));
    const server = await serve({ letIn: newKey() });
    const error = await connecting(server.port);
    expect(server.authTries.filter((method) => method === 'publickey')).toHaveLength(5);
    expect(error.message).toContain('5 more keys were not offered');
  });
});

describe('a peer that dies without a word', () => {
  test('is noticed by the keepalive while a command runs', async () => {
    const server = await serve({ onExec: () => undefined });
    const proxied = await raw((socket) => {
      void import('node:net').then(({ connect }) => {
        const inner = connect(server.port, '127.0.0.1');
        inner.on('error', () => undefined);
        socket.pipe(inner).pipe(socket);
        freeze.push(() => {
          socket.unpipe();
          inner.unpipe();
          socket.pause();
          inner.pause();
        });
      });
    });
    const freeze: (() => void)[] = [];
    await world.know(knownLine(proxied.port, server.hostKey));
    const remote = world.remote({ limits: { keepaliveIntervalMs: 100 } });
    const running = remote.exec(machineAt(proxied.port), ['sleep', '1000'], { deadlineMs });
    await eventually(() => expect(server.commands).toHaveLength(1));
    for (const stop of freeze) stop();
    expect(failureIn(await running)).toMatchObject({ kind: 'disconnected', dispatched: true });
  });
});

describe('an attempt nobody waits for', () => {
  test('is abandoned when the caller cancels', async () => {
    const server = await raw(() => undefined);
    const cancel = new AbortController();
    const waiting = world
      .remote()
      .exec(machineAt(server.port), ['true'], { deadlineMs, signal: cancel.signal });
    await eventually(() => expect(server.sockets.size).toBe(1));
    cancel.abort();
    expect(failureIn(await waiting)).toMatchObject({ kind: 'cancelled', dispatched: false });
    await eventually(() => expect(server.sockets.size).toBe(0));
  });

  test('goes on for the others that wait for it', async () => {
    const server = await serve();
    const remote = world.remote();
    const cancel = new AbortController();
    const first = remote.exec(machineAt(server.port), ['true'], { deadlineMs, signal: cancel.signal });
    const second = remote.exec(machineAt(server.port), ['echo', 'still here'], { deadlineMs });
    cancel.abort();
    expect(failureIn(await first).kind).toBe('cancelled');
    expect(valueIn(await second).stdout).toBe('still here\n');
    expect(server.accepted()).toBe(1);
  });

  test('is abandoned when the remote is closed', async () => {
    const server = await raw(() => undefined);
    const remote = world.remote();
    const waiting = remote.exec(machineAt(server.port), ['true'], { deadlineMs });
    await eventually(() => expect(server.sockets.size).toBe(1));
    await remote.close();
    expect(failureIn(await waiting).kind).toBe('cancelled');
    await eventually(() => expect(server.sockets.size).toBe(0));
    expect(failureIn(await remote.exec(machineAt(server.port), ['true'], { deadlineMs })).kind).toBe(
      'cancelled',
    );
  });
});
