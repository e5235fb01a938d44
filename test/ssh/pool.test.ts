import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSlots } from '../../src/ssh/slots.ts';
import { eventually } from './support/eventually.ts';
import { startRawServer, startServer, type TestServer, type TestServerOptions } from './support/server.ts';
import {
  createWorld,
  deadlineMs,
  failureIn,
  knownLine,
  machineAt,
  type SshWorld,
  valueIn,
} from './support/world.ts';

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
const serve = async (options: TestServerOptions = {}): Promise<TestServer> => {
  const server = await startServer({ letIn: world.key, ...options });
  closers.push(server.close);
  return server;
};
const known = async (options: TestServerOptions = {}): Promise<TestServer> => {
  const server = await serve(options);
  await world.know(knownLine(server.port, server.hostKey));
  return server;
};
/** Joins a forwarded connection to the real port. */
const onForward = async (host: string, port: number): Promise<Socket | null> => {
  const socket = connect(port, host === 'localhost' ? '127.0.0.1' : host);
  return once(socket, 'connect').then(
    () => socket,
    () => null,
  );
};

describe('connections', () => {
  test('are shared by the commands of a machine, eight at a time', async () => {
    let running = 0;
    let most = 0;
    const server = await known({
      onExec: (_command, channel) => {
        running += 1;
        most = Math.max(most, running);
        setTimeout(() => {
          running -= 1;
          channel.exit(0);
          channel.end();
        }, 30);
      },
    });
    const remote = world.remote();
    const results = await Promise.all(
      Array.from({ length: 30 }, () => remote.exec(machineAt(server.port), ['true'], { deadlineMs })),
    );
    for (const result of results) expect(valueIn(result).code).toBe(0);
    expect(server.accepted()).toBe(1);
    expect(most).toBe(8);
  });

  test('are made 32 at a time over all machines', async () => {
    const sockets = new Set<Socket>();
    let most = 0;
    const server = await startRawServer((socket) => {
      sockets.add(socket);
      most = Math.max(most, sockets.size);
      setTimeout(() => socket.destroy(), 50);
      socket.on('close', () => sockets.delete(socket));
    });
    closers.push(server.close);
    const remote = world.remote();
    const machines = Array.from({ length: 80 }, (_, index) =>
      machineAt(server.port, { user: `user${index}` }, `machine${index}`),
    );
    const results = await Promise.all(
      machines.map((machine) => remote.exec(machine, ['true'], { deadlineMs })),
    );
    for (const result of results) expect(failureIn(result).kind).toBe('unreachable');
    expect(most).toBeLessThanOrEqual(32);
    expect(most).toBeGreaterThan(8);
  });

  test('are closed when nobody has used them for a while', async () => {
    const server = await known();
    const remote = world.remote({ limits: { idleMs: 100 } });
    valueIn(await remote.exec(machineAt(server.port), ['true'], { deadlineMs }));
    await eventually(() => expect(server.open()).toBe(0));
    valueIn(await remote.exec(machineAt(server.port), ['true'], { deadlineMs }));
    expect(server.accepted()).toBe(2);
  });

  test('are not closed while a dialled stream lives', async () => {
    const echo = createServer((socket) => socket.pipe(socket));
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    closers.push(async () => void echo.close());
    const { port } = echo.address() as { port: number };
    const server = await known({ onForward });
    const remote = world.remote({ limits: { idleMs: 50 } });
    const stream = valueIn(await remote.dial(machineAt(server.port), 'localhost', port, { deadlineMs }));
    // Another connection that is idle from now on is closed first.
    const idle = await serve();
    await world.know(knownLine(server.port, server.hostKey), knownLine(idle.port, idle.hostKey));
    valueIn(await remote.exec(machineAt(idle.port, {}, 'idle'), ['true'], { deadlineMs }));
    await eventually(() => expect(idle.open()).toBe(0));
    stream.write('still there');
    expect(String((await once(stream, 'data'))[0])).toBe('still there');
    stream.destroy();
    await eventually(() => expect(server.open()).toBe(0));
  });

  test('that are forgotten are made anew, and work on the old one may end', async () => {
    const server = await known();
    const remote = world.remote();
    const machine = machineAt(server.port);
    const slow = remote.exec(machine, ['sh', '-c', 'read x; echo "$x"'], { deadlineMs, stdin: 'old\n' });
    await eventually(() => expect(server.commands).toHaveLength(1));
    remote.forget(machine);
    expect(valueIn(await remote.exec(machine, ['echo', 'new'], { deadlineMs })).stdout).toBe('new\n');
    expect(valueIn(await slow).stdout).toBe('old\n');
    expect(server.accepted()).toBe(2);
    await eventually(() => expect(server.open()).toBe(1));
  });

  test('are all gone after close, with the attempts under way', async () => {
    const server = await known();
    const silent = await startRawServer(() => undefined);
    closers.push(silent.close);
    const remote = world.remote();
    valueIn(await remote.exec(machineAt(server.port), ['true'], { deadlineMs }));
    const waiting = remote.exec(machineAt(silent.port, {}, 'silent'), ['true'], { deadlineMs });
    await eventually(() => expect(silent.sockets.size).toBe(1));
    await remote.close();
    expect(failureIn(await waiting).kind).toBe('cancelled');
    await eventually(() => expect(server.open() + silent.sockets.size).toBe(0));
    await remote.close();
  });

  test('a server that refuses more sessions is given fewer', async () => {
    const server = await known();
    let refusing = 0;
    // ssh2 has no MaxSessions: sessions are refused by hand from the third on.
    const limitSessions = (): void => {
      for (const client of server.clients) {
        const accept = client.listeners('session')[0] as (...args: unknown[]) => void;
        client.removeAllListeners('session');
        let open = 0;
        client.on('session', (grant, refuse) => {
          if (open >= 2) {
            refusing += 1;
            refuse();
            return;
          }
          open += 1;
          accept(() => {
            const session = grant();
            session.on('close', () => {
              open -= 1;
            });
            return session;
          });
        });
      }
    };
    const remote = world.remote();
    const machine = machineAt(server.port);
    valueIn(await remote.exec(machine, ['true'], { deadlineMs }));
    limitSessions();
    const results = await Promise.all(
      Array.from({ length: 8 }, () => remote.exec(machine, ['sleep', '0.1'], { deadlineMs })),
    );
    for (const result of results) expect(valueIn(result).code).toBe(0);
    expect(refusing).toBeGreaterThan(0);
    expect(server.accepted()).toBe(1);
  });
});

describe('a server that grants no session at all', () => {
  test('is told as such, and nothing has run', async () => {
    const server = await known();
    const remote = world.remote();
    const machine = machineAt(server.port);
    valueIn(await remote.exec(machine, ['true'], { deadlineMs }));
    for (const client of server.clients) {
      client.removeAllListeners('session');
      client.on('session', (_grant, refuse) => {
        refuse();
      });
    }
    expect(failureIn(await remote.exec(machine, ['true'], { deadlineMs }))).toMatchObject({
      kind: 'channel',
      phase: 'channel',
      dispatched: false,
      retryable: true,
    });
    expect(server.commands).toHaveLength(1);
  });
});

describe('a dialled stream', () => {
  const startEcho = async (): Promise<number> => {
    const echo = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    closers.push(async () => void echo.close());
    return (echo.address() as { port: number }).port;
  };

  test('carries bytes both ways, more than a window, and ends as a socket does', async () => {
    const port = await startEcho();
    const server = await known({ onForward });
    const stream = valueIn(
      await world.remote().dial(machineAt(server.port), 'localhost', port, { deadlineMs }),
    );
    const sent = Buffer.alloc(5_000_000, 'lab');
    const got: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => got.push(chunk));
    stream.end(sent);
    await once(stream, 'close');
    expect(Buffer.concat(got).equals(sent)).toBe(true);
    expect(stream.destroyed).toBe(true);
  });

  test('says what the machine said of a port where nothing listens', async () => {
    const server = await known({ onForward });
    const error = failureIn(
      await world.remote().dial(machineAt(server.port), 'localhost', 1, { deadlineMs }),
    );
    expect(error).toMatchObject({ phase: 'dial', dispatched: false, retryable: true });
    expect(error.message).toContain('localhost:1');
  });

  test('breaks with the connection, also for one who only writes', async () => {
    const port = await startEcho();
    const server = await known({ onForward });
    const stream = valueIn(
      await world.remote().dial(machineAt(server.port), 'localhost', port, { deadlineMs }),
    );
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.pause();
    stream.write(Buffer.alloc(8_000_000));
    server.cut();
    await closed;
    expect(stream.errored?.message).toContain('connection was lost');
  });

  test('gives its place back when it is destroyed unread', async () => {
    const port = await startEcho();
    const server = await known({ onForward });
    const remote = world.remote({ limits: { forwardsPerConnectionMax: 1 } });
    for (let time = 0; time < 3; time += 1) {
      const stream = valueIn(await remote.dial(machineAt(server.port), 'localhost', port, { deadlineMs }));
      stream.write('never read');
      stream.destroy();
    }
  });

  test('is not waited for longer than the deadline, nor after a cancellation', async () => {
    const server = await known({ onForward: () => new Promise(() => undefined) });
    const remote = world.remote();
    const machine = machineAt(server.port);
    valueIn(await remote.exec(machine, ['true'], { deadlineMs }));
    expect(failureIn(await remote.dial(machine, 'localhost', 80, { deadlineMs: 200 }))).toMatchObject({
      kind: 'timeout',
      phase: 'dial',
    });
    const cancel = new AbortController();
    const dialling = remote.dial(machine, 'localhost', 80, { deadlineMs, signal: cancel.signal });
    cancel.abort();
    expect(failureIn(await dialling)).toMatchObject({ kind: 'cancelled', phase: 'dial' });
  });
});

describe('jump hosts', () => {
  const through = async (jump: TestServer, target: TestServer, ...more: readonly string[]): Promise<void> => {
    await world.configure(
      ...more,
      'Host target',
      '  HostName 127.0.0.1',
      `  Port ${target.port}`,
      `  ProxyJump ada@jump`,
      'Host jump',
      '  HostName 127.0.0.1',
      `  Port ${jump.port}`,
    );
  };
  const target = machineAt(22, { host: 'target', port: null }, 'grey-area');

  test('carry the connection, each verified, and are shared by the machines behind them', async () => {
    const jump = await serve({ onForward });
    const inner = await serve();
    await world.know(knownLine(jump.port, jump.hostKey), knownLine(inner.port, inner.hostKey));
    await through(jump, inner);
    const remote = world.remote();
    const users = ['a', 'b', 'c', 'd'];
    const results = await Promise.all(
      users.map((user) =>
        remote.exec(machineAt(22, { host: 'target', port: null, user }, user), ['echo', user], {
          deadlineMs,
        }),
      ),
    );
    expect(results.map((result) => valueIn(result).stdout.trim())).toEqual(users);
    expect(jump.accepted()).toBe(1);
    expect(inner.accepted()).toBe(4);
    await remote.close();
    await eventually(() => expect(jump.open() + inner.open()).toBe(0));
  });

  test('with a wrong key are refused, and so is the machine behind them', async () => {
    const jump = await serve({ onForward });
    const inner = await serve();
    await through(jump, inner);
    await world.know(knownLine(jump.port, inner.hostKey), knownLine(inner.port, inner.hostKey));
    const wrongJump = failureIn(await world.remote().exec(target, ['true'], { deadlineMs }));
    expect(wrongJump).toMatchObject({ kind: 'hostkey-mismatch', host: 'jump host jump' });
    expect(wrongJump.message).toContain('grey-area is out of reach');
    await world.know(knownLine(jump.port, jump.hostKey), knownLine(inner.port, jump.hostKey));
    const wrongTarget = failureIn(await world.remote().exec(target, ['true'], { deadlineMs }));
    expect(wrongTarget).toMatchObject({ kind: 'hostkey-mismatch', host: 'grey-area' });
  });

  test('that do not reach the machine say so', async () => {
    const jump = await serve({ onForward: async () => null });
    const inner = await serve();
    await through(jump, inner);
    await world.know(knownLine(jump.port, jump.hostKey), knownLine(inner.port, inner.hostKey));
    const error = failureIn(await world.remote().exec(target, ['true'], { deadlineMs }));
    expect(error).toMatchObject({ phase: 'tcp', dispatched: false, retryable: true });
    expect(error.message).toContain('from jump host jump');
  });

  test('that die take the connections behind them along, and come back', async () => {
    const jump = await serve({ onForward });
    const inner = await serve();
    await through(jump, inner);
    await world.know(knownLine(jump.port, jump.hostKey), knownLine(inner.port, inner.hostKey));
    const remote = world.remote();
    const running = remote.exec(target, ['sleep', '99'], { deadlineMs });
    await eventually(() => expect(inner.commands).toHaveLength(1));
    jump.cut();
    expect(failureIn(await running)).toMatchObject({ kind: 'disconnected', dispatched: true });
    expect(valueIn(await remote.exec(target, ['echo', 'again'], { deadlineMs })).stdout).toBe('again\n');
  });

  test('that go round in a circle are an error that names it, also when two machines start at once', async () => {
    await world.configure(
      'Host one',
      '  HostName 127.0.0.1',
      '  ProxyJump two',
      'Host two',
      '  HostName 127.0.0.1',
      '  ProxyJump one',
    );
    const remote = world.remote();
    const at = (host: string) => machineAt(22, { host, port: null }, host);
    const results = await Promise.all(
      ['one', 'two'].map((host) => remote.exec(at(host), ['true'], { deadlineMs })),
    );
    for (const result of results) {
      expect(failureIn(result)).toMatchObject({ kind: 'config', retryable: false });
      expect(failureIn(result).message).toContain('round in a circle');
    }
  });
});

describe('slots', () => {
  test('are granted in order, skip who has left, and never exceed their number', async () => {
    const slots = createSlots(1);
    const first = await slots.take();
    const leaver = new AbortController();
    const left = slots.take(leaver.signal);
    const second = slots.take();
    leaver.abort();
    expect(await left).toBeNull();
    expect(slots.taken()).toBe(1);
    first?.();
    first?.();
    const release = await second;
    expect(slots.taken()).toBe(1);
    release?.();
    expect(slots.taken()).toBe(0);
    expect(await slots.take(AbortSignal.abort())).toBeNull();
  });

  test('that shrink admit nobody until enough are given back', async () => {
    const slots = createSlots(3);
    const taken = await Promise.all([slots.take(), slots.take(), slots.take()]);
    slots.shrinkTo(2);
    const waiting = slots.take();
    taken[0]?.();
    expect(slots.taken()).toBe(2);
    taken[1]?.();
    expect(await waiting).not.toBeNull();
    slots.shrinkTo(0);
    taken[2]?.();
    (await waiting)?.();
    expect(await slots.take()).not.toBeNull();
  });
});
