import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SshError } from '../../src/ports.ts';
import { runProcess } from '../../src/process/run.ts';
import { parseSshConfig } from '../../src/ssh/config.ts';
import { createHostKeys, type KnownHostsPolicy } from '../../src/ssh/host-keys.ts';
import { sshLimitsDefault } from '../../src/ssh/limits.ts';
import { keyField, newKey, type TestKey } from './support/keys.ts';
import { startServer, type TestServer } from './support/server.ts';
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
let server: TestServer;
beforeEach(async () => {
  world = await createWorld();
  server = await startServer({ letIn: world.key });
});
afterEach(async () => {
  await world.dispose();
  await server.close();
});

const connect = async (knownHosts: KnownHostsPolicy = 'strict') =>
  world.remote({ knownHosts }).exec(machineAt(server.port), ['true'], { deadlineMs });
const refused = async (knownHosts: KnownHostsPolicy = 'strict'): Promise<SshError> => {
  const error = failureIn(await connect(knownHosts));
  // Nothing may be told to a server that is not who it should be: no name, no key.
  expect(server.authTries).toEqual([]);
  expect(error).toMatchObject({ phase: 'handshake', retryable: false, dispatched: false });
  return error;
};

describe('a server whose key', () => {
  test('is not known is refused, with its fingerprint and what to do', async () => {
    const error = await refused();
    expect(error.kind).toBe('hostkey-unknown');
    expect(error.message).toMatch(/ssh-ed25519 key SHA256:[A-Za-z0-9+/]{43}\b/);
    expect(error.remedy).toContain('Compare the fingerprint');
    expect(await world.knownHosts()).toBe('');
  });

  test('is another than the known one is refused, naming the line and how to remove it', async () => {
    await world.know('# mine', knownLine(server.port, newKey()));
    for (const policy of ['strict', 'accept-new'] as const) {
      const error = await refused(policy);
      expect(error.kind).toBe('hostkey-mismatch');
      expect(error.message).toContain(`${world.knownHostsPath}:2`);
      expect(error.remedy).toContain(`ssh-keygen -R '[127.0.0.1]:${server.port}' -f ${world.knownHostsPath}`);
    }
  });

  test('is revoked is refused, though it is known', async () => {
    await world.know(knownLine(server.port, server.hostKey), `@revoked * ${keyField(server.hostKey)}`);
    const error = await refused('accept-new');
    expect(error.kind).toBe('hostkey-revoked');
    expect(error.message).toContain(`${world.knownHostsPath}:2`);
  });

  test('is revoked by RevokedHostKeys is refused', async () => {
    const list = join(world.home, 'revoked');
    await writeFile(list, `# old keys\n${server.hostKey.public}\n`);
    await world.configure('Host *', `  RevokedHostKeys ${list}`);
    await world.know(knownLine(server.port, server.hostKey));
    expect((await refused()).kind).toBe('hostkey-revoked');
  });

  test('can only be checked by a certificate authority is refused, also where new hosts are accepted', async () => {
    await world.know(`@cert-authority [127.0.0.1]:* ${keyField(newKey())}`);
    const error = await refused('accept-new');
    expect(error.kind).toBe('hostkey-ca-only');
    expect(error.message).toContain('certificate authority');
  });

  test('is in the global file is known', async () => {
    const global = join(world.home, 'global');
    await writeFile(global, `${knownLine(server.port, server.hostKey)}\n`);
    await world.configure('Host *', `  GlobalKnownHostsFile ${global}`);
    valueIn(await connect());
  });
});

describe('accept-new', () => {
  test('writes a new host down once, as ssh-keygen reads it, and holds it to that key', async () => {
    const remote = world.remote({ knownHosts: 'accept-new' });
    const machine = machineAt(server.port);
    valueIn(await remote.exec(machine, ['true'], { deadlineMs }));
    remote.forget(machine);
    valueIn(await remote.exec(machine, ['true'], { deadlineMs }));
    expect(await world.knownHosts()).toBe(`${knownLine(server.port, server.hostKey)}\n`);
    const found = await runProcess(
      ['ssh-keygen', '-F', `[127.0.0.1]:${server.port}`, '-f', world.knownHostsPath],
      { deadlineMs },
    );
    expect(found.code).toBe(0);
    remote.forget(machine);
    server.showKey(newKey());
    expect(failureIn(await remote.exec(machine, ['true'], { deadlineMs })).kind).toBe('hostkey-mismatch');
  });

  test('hides the name where HashKnownHosts says so, and begins a line of its own', async () => {
    await writeFile(world.knownHostsPath, '# no newline at the end');
    await world.configure('Host *', '  HashKnownHosts yes');
    valueIn(await connect('accept-new'));
    expect(await world.knownHosts()).toMatch(
      /^# no newline at the end\n\|1\|[^|]+\|[^|]+ ssh-ed25519 \S+\n$/,
    );
    valueIn(await connect('strict'));
  });

  test('is not used for who stands behind a byte order mark: file and line are named, and nothing is written', async () => {
    const text = `\ufeff${knownLine(server.port, server.hostKey)}\n`;
    await writeFile(world.knownHostsPath, text);
    for (const policy of ['strict', 'accept-new'] as const) {
      const error = await refused(policy);
      expect(error.kind).toBe('hostkey-unknown');
      expect(error.message).toContain(`${world.knownHostsPath}:1, begins with a byte order mark`);
      expect(error.remedy).toContain(`sed -i '1s/^\\xEF\\xBB\\xBF//' ${world.knownHostsPath}`);
    }
    expect(await world.knownHosts()).toBe(text);
    const find = ['ssh-keygen', '-F', `[127.0.0.1]:${server.port}`, '-f', world.knownHostsPath];
    expect((await runProcess(find, { deadlineMs })).code, 'ssh reads it no more than lab does').toBe(1);

    const mended = ['sed', '-i', '1s/^\\xEF\\xBB\\xBF//', world.knownHostsPath];
    expect((await runProcess(mended, { deadlineMs })).code).toBe(0);
    valueIn(await connect('strict'));
  });

  test('gives way to StrictHostKeyChecking yes', async () => {
    await world.configure('Host *', '  StrictHostKeyChecking yes');
    expect((await refused('accept-new')).kind).toBe('hostkey-unknown');
  });

  test('refuses where the key cannot be written down: it would accept any key, each time', async () => {
    await world.configure('Host *', '  UserKnownHostsFile /dev/null');
    const error = await refused('accept-new');
    expect(error.kind).toBe('hostkey-unknown');
    expect(error.message).toContain('could not be written down');
  });

  test('never accepts two keys for one host, though both arrive at once', async () => {
    const check = async (key: TestKey) => {
      const prepared = await keys.prepare(config, 'grey-area');
      if (!prepared.ok) throw new Error(prepared.failure.message);
      return prepared.value.verify(key.blob);
    };
    const said = `hostname nas\nport 22\nuser root\nuserknownhostsfile ${world.knownHostsPath}\n`;
    const parsed = parseSshConfig('nas', said, { home: world.home, name: 'me', uid: 0, env: {} });
    if (!parsed.ok) throw new Error(parsed.failure);
    const config = parsed.value;
    const keys = createHostKeys('accept-new', sshLimitsDefault);
    const verdicts = await Promise.all([newKey(), newKey(), newKey()].map(check));
    expect(verdicts.map((verdict) => verdict?.kind ?? 'accepted').sort()).toEqual([
      'accepted',
      'hostkey-mismatch',
      'hostkey-mismatch',
    ]);
    expect((await world.knownHosts()).trim().split('\n')).toHaveLength(1);
  });
});

describe('a known_hosts file that cannot be used', () => {
  test('too long, or no file at all, is an error and not an empty one', async () => {
    await world.know(knownLine(server.port, server.hostKey));
    const long = await world
      .remote({ limits: { knownHostsBytesMax: 10 } })
      .exec(machineAt(server.port), ['true'], { deadlineMs });
    expect(failureIn(long)).toMatchObject({ kind: 'config' });
    expect(failureIn(long).message).toContain('longer than 10 bytes');
    const folder = join(world.home, 'folder');
    await mkdir(folder);
    await chmod(folder, 0o700);
    await world.configure('Host *', `  UserKnownHostsFile ${folder}`);
    expect(failureIn(await connect()).message).toContain('no regular file');
  });

  test('a binary revocation list is an error, not ignored', async () => {
    const list = join(world.home, 'revoked');
    await writeFile(list, 'SSHKRL\n\0rest');
    await world.configure('Host *', `  RevokedHostKeys ${list}`);
    await world.know(knownLine(server.port, server.hostKey));
    expect(failureIn(await connect())).toMatchObject({ kind: 'config' });
  });
});

describe('a rekey', () => {
  test('with the same key goes on, though known_hosts has changed meanwhile', async () => {
    await world.know(knownLine(server.port, server.hostKey));
    const remote = world.remote();
    const machine = machineAt(server.port);
    valueIn(await remote.exec(machine, ['true'], { deadlineMs }));
    await world.know();
    for (const client of server.clients) {
      await new Promise<void>((resolve) => {
        client.rekey(() => resolve());
      });
    }
    expect(valueIn(await remote.exec(machine, ['echo', 'same line'], { deadlineMs })).stdout).toBe(
      'same line\n',
    );
    expect(server.accepted()).toBe(1);
  });

  test('with another key is refused', async () => {
    await world.know(knownLine(22, server.hostKey));
    const said = `hostname nas\nport 22\nuser root\nuserknownhostsfile ${world.knownHostsPath}\n`;
    await world.know(`nas ${keyField(server.hostKey)}`);
    const parsed = parseSshConfig('nas', said, { home: world.home, name: 'me', uid: 0, env: {} });
    if (!parsed.ok) throw new Error(parsed.failure);
    const prepared = await createHostKeys('strict', sshLimitsDefault).prepare(parsed.value, 'nas');
    if (!prepared.ok) throw new Error(prepared.failure.message);
    expect(prepared.value.again(server.hostKey.blob)).toBeNull();
    expect(await prepared.value.verify(server.hostKey.blob)).toBeNull();
    expect(prepared.value.again(newKey().blob)).toMatchObject({ problem: { kind: 'hostkey-mismatch' } });
    expect(prepared.value.again(server.hostKey.blob)).toEqual({ problem: null });
  });
});
