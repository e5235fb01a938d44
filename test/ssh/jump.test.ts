import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
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
/** Joins a forwarded connection to the real port. */
const onForward = async (host: string, port: number): Promise<Socket | null> => {
  const socket = connect(port, host === 'localhost' ? '127.0.0.1' : host);
  return once(socket, 'connect').then(
    () => socket,
    () => null,
  );
};

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
