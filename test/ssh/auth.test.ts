import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import ssh2, { type ParsedKey } from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { runProcess } from '../../src/process/run.ts';
import { type AgentKey, agentKeys } from '../../src/ssh/agent.ts';
import { orderTries } from '../../src/ssh/auth.ts';
import { createIdentities, type Identity, publicPartOf } from '../../src/ssh/identity-file.ts';
import { eventually } from './support/eventually.ts';
import { newEncryptedKey, newKey, type TestKey } from './support/keys.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-auth-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const parsed = (key: TestKey): ParsedKey => {
  const read = ssh2.utils.parseKey(key.private);
  if (read instanceof Error) throw read;
  return read;
};
const inAgent = (key: TestKey): AgentKey => ({
  key: parsed(key),
  agent: new ssh2.OpenSSHAgent('/nowhere'),
  hangUp: () => {},
});
const inFile = (path: string, key: TestKey): Identity => ({
  path,
  privateKey: parsed(key),
  publicKey: key.blob,
  problem: null,
});

describe('the keys to offer', () => {
  const [a, b, c] = [newKey('a'), newKey('b'), newKey('c')];

  test('begin with those that a file names and the agent holds; each is offered once', () => {
    const plan = orderTries('ada', [inFile('/a', a), inFile('/b', b)], [inAgent(c), inAgent(b)], false, 5);
    expect(plan.tries.map((attempt) => attempt.label)).toEqual(['agent key b', '/a', 'agent key c']);
    expect(plan.tries.map((attempt) => attempt.method.username)).toEqual(['ada', 'ada', 'ada']);
  });

  test('are with IdentitiesOnly no others than the files name, though the agent holds the private part', () => {
    const publicOnly: Identity = { path: '/b', privateKey: null, publicKey: b.blob, problem: null };
    const plan = orderTries('ada', [publicOnly], [inAgent(c), inAgent(b), inAgent(a)], true, 5);
    expect(plan.tries.map((attempt) => attempt.label)).toEqual(['agent key b']);
  });

  test('leave out an encrypted one, and say so, unless the agent holds it', () => {
    const encrypted: Identity = {
      path: '/e',
      privateKey: null,
      publicKey: a.blob,
      problem: '/e is encrypted',
    };
    expect(orderTries('ada', [encrypted], [], true, 5)).toEqual({ tries: [], notes: ['/e is encrypted'] });
    expect(orderTries('ada', [encrypted], [inAgent(a)], true, 5)).toMatchObject({
      tries: [{ label: 'agent key a' }],
      notes: [],
    });
  });

  test('are never more than the bound', () => {
    const many = Array.from({ length: 9 }, (_, index) => inAgent(newKey(`k${index}`)));
    const plan = orderTries('ada', [inFile('/a', a)], many, false, 5);
    expect(plan.tries).toHaveLength(5);
    expect(plan.tries[0]?.label).toBe('/a');
    expect(plan.notes[0]).toContain('5 more keys were not offered');
  });
});

describe('an identity file', () => {
  const read = async (name: string, text: string, publicText?: string): Promise<Identity | null> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    if (publicText !== undefined) await writeFile(`${path}.pub`, publicText);
    return createIdentities(64 * 1024).read(path);
  };

  test('gives its private key', async () => {
    const key = newKey();
    expect(await read('plain', key.private)).toMatchObject({ problem: null, publicKey: key.blob });
  });

  test('that is encrypted still gives its public key, without a passphrase', async () => {
    const key = newEncryptedKey('secret');
    const identity = await read('encrypted', key.private);
    expect(identity).toMatchObject({ privateKey: null, publicKey: key.blob });
    expect(identity?.problem).toContain('ssh-add');
  });

  test('made by ssh-keygen, encrypted and not, in both formats, is understood', async () => {
    for (const [name, args] of [
      ['kg-plain', ['-t', 'ed25519', '-N', '']],
      ['kg-encrypted', ['-t', 'ed25519', '-N', 'secret']],
      ['kg-rsa', ['-t', 'rsa', '-b', '2048', '-N', '']],
      ['kg-ecdsa', ['-t', 'ecdsa', '-N', '']],
      ['kg-pem', ['-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', 'secret']],
    ] as const) {
      const path = join(folder, name);
      const made = await runProcess(['ssh-keygen', '-q', ...args, '-f', path], { deadlineMs: 30_000 });
      expect(made.code, made.stderr).toBe(0);
      const identity = await createIdentities(64 * 1024).read(path);
      const encrypted = args.at(-1) === 'secret';
      expect(identity?.publicKey, name).not.toBeNull();
      expect(identity?.privateKey === null, name).toBe(encrypted);
      if (encrypted) expect(identity?.problem).toContain('is encrypted');
    }
  });

  test('that is only a .pub names a key for the agent', async () => {
    const key = newKey();
    await writeFile(join(folder, 'only.pub'), key.public);
    expect(await createIdentities(64 * 1024).read(join(folder, 'only'))).toMatchObject({
      privateKey: null,
      publicKey: key.blob,
      problem: null,
    });
    expect(await createIdentities(64 * 1024).read(join(folder, 'nothing'))).toBeNull();
  });

  test('that is nonsense, or too long, is a problem in words', async () => {
    expect((await read('nonsense', 'hello'))?.problem).toContain('cannot be used');
    expect((await read('long', 'x'.repeat(70_000)))?.problem).toContain('longer than');
  });

  test('is read again after it changed', async () => {
    const identities = createIdentities(64 * 1024);
    const path = join(folder, 'changing');
    const [before, after] = [newKey(), newKey('a longer comment')];
    await writeFile(path, before.private, { mode: 0o600 });
    expect((await identities.read(path))?.publicKey).toEqual(before.blob);
    await writeFile(path, after.private, { mode: 0o600 });
    await chmod(path, 0o600);
    expect((await identities.read(path))?.publicKey).toEqual(after.blob);
  });

  test('that others may read is left out, as ssh leaves it out, until it is closed to them', async () => {
    const identities = createIdentities(64 * 1024);
    const path = join(folder, 'open');
    const key = newKey();
    await writeFile(path, key.private);
    await chmod(path, 0o640);
    const open = await identities.read(path);
    expect(open).toMatchObject({ privateKey: null, publicKey: key.blob });
    expect(open?.problem).toContain(`chmod 600 ${path}`);
    await chmod(path, 0o400);
    expect((await identities.read(path))?.problem).toBeNull();
  });

  test('of any bytes never makes the reader throw', () => {
    const body = newEncryptedKey('x').private.split('\n').slice(1, -2).join('');
    const bytes = Buffer.from(body, 'base64');
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.uint8Array({ maxLength: 40 }), (at, noise) => {
        const broken = Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at + noise.length)]);
        publicPartOf(
          `-----BEGIN OPENSSH PRIVATE KEY-----\n${broken.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----`,
        );
      }),
    );
  });
});

describe('an agent', () => {
  const ask = (socket: string, deadlineMs = 5_000) =>
    agentKeys(socket, { clock: systemClock, deadlineMs, signal: undefined });

  test('that is not there is a sentence', async () => {
    expect(await ask(join(folder, 'no-agent'))).toMatchObject({
      ok: false,
      failure: expect.stringContaining('agent'),
    });
  });

  test('that never answers is given up, and its socket closed', async () => {
    const path = join(folder, 'mute');
    const sockets = new Set<unknown>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.resume();
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(path);
    await once(server, 'listening');
    expect(await ask(path, 200)).toMatchObject({ ok: false, failure: 'no answer within 0.2 s' });
    await eventually(() => expect(sockets.size).toBe(0));
    server.close();
  });
});
