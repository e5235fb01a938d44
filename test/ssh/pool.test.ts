import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
    const eight = Promise.withResolvers<void>();
    const server = await known({
      onExec: (_command, channel) => {
        running += 1;
        most = Math.max(most, running);
        // None ends before as many run as may, nor before one more could have come.
        if (most === 8) eight.resolve();
        void eight.promise.then(() => {
          setTimeout(() => {
            running -= 1;
            channel.exit(0);
            channel.end();
          }, 30);
        });
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
    const many = Promise.withResolvers<void>();
    const server = await startRawServer((socket) => {
      sockets.add(socket);
      most = Math.max(most, sockets.size);
      if (most > 8) many.resolve();
      void many.promise.then(() => setTimeout(() => socket.destroy(), 50));
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
