import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startServer, type TestServer, type TestServerOptions } from './support/server.ts';
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
