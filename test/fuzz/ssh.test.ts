import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { startScript } from '../../src/remote/start-unit.ts';
import { parseSshConfig } from '../../src/ssh/config.ts';
import { socketProblem, sshError } from '../../src/ssh/errors.ts';
import { type ExpandContext, expandPath } from '../../src/ssh/expand.ts';
import { matchesHostPatterns } from '../../src/ssh/host-pattern.ts';
import { parseProxyJump } from '../../src/ssh/jump.ts';
import { judgeHostKey, parseKnownHosts, selectKnownHosts } from '../../src/ssh/known-hosts.ts';
import { quoteForRemoteShell } from '../../src/ssh/quote.ts';
import { announcedLine, createAnnouncement } from '../../src/ssh/remote-shell.ts';
import { claim } from '../remote/machine.ts';
import { damaged, expectCalm, hostileText, hostileWord, hugeTexts, soon, timeBoxed } from './hostile.ts';

/** What ssh and its files say, and what is said to the shells behind them. */

const local = { home: '/home/ada', name: 'ada', uid: 1_000, env: { SSH_AUTH_SOCK: '/run/agent' } };
const keywords = [
  ...['hostname', 'port', 'user', 'addressfamily', 'bindaddress', 'connecttimeout', 'identityfile'],
  ...['identitiesonly', 'identityagent', 'userknownhostsfile', 'globalknownhostsfile', 'revokedhostkeys'],
  ...['hashknownhosts', 'stricthostkeychecking', 'hostkeyalias', 'hostkeyalgorithms', 'proxyjump'],
  ...['proxycommand', 'knownhostscommand', 'pubkeyauthentication', '__proto__', 'constructor'],
];
const good = 'hostname nas.lan\nport 22\nuser ada\nuserknownhostsfile ~/.ssh/known_hosts\n';
const configText = fc.oneof(
  { weight: 2, arbitrary: damaged(good) },
  {
    weight: 3,
    arbitrary: fc
      .array(fc.tuple(fc.constantFrom(...keywords), hostileText(3)), { maxLength: 8 })
      .map((lines) => good + lines.map(([keyword, value]) => `${keyword} ${value}\n`).join('')),
  },
  { weight: 1, arbitrary: hostileText() },
);

describe('what ssh -G says', () => {
  test('is a configuration or a sentence, and names no path that is not whole', () => {
    fc.assert(
      fc.property(configText, (text) => {
        const parsed = parseSshConfig('nas', text, local);
        if (!parsed.ok) {
          const { message } = sshError({
            ...{ kind: 'config' as const, host: 'nas', phase: 'config' as const },
            ...{ message: parsed.failure, remedy: '' },
          });
          expectCalm([message]);
          return;
        }
        const { value } = parsed;
        for (const path of [
          ...value.identityFiles,
          ...value.userKnownHostsFiles,
          ...value.globalKnownHostsFiles,
        ])
          expect(path).toMatch(/^\/[^\0]*$/su);
        expect(value.port).toBeGreaterThan(0);
        // A host that begins with a dash would be an option to whoever is handed it.
        expect(value.hostname).not.toMatch(/^-|[\s\0]/u);
        expect(value.user).not.toMatch(/^-|\0/u);
      }),
      timeBoxed(4_000),
    );
  });

  test.each(hugeTexts)('of 10 MB of %s is read soon', async (_name, huge) => {
    await soon('as it is', () => parseSshConfig('nas', huge, local));
    for (const keyword of keywords)
      await soon(keyword, () =>
        parseSshConfig('nas', `${good}${keyword} ${huge.slice(0, 300_000)}\n`, local),
      );
  });

  test('jumps and paths of any form are read without a throw', () => {
    const context: ExpandContext = {
      ...{ home: '/home/ada', localUser: 'ada', localUid: 1, env: {}, alias: 'nas' },
      ...{ hostname: 'nas', hostKeyAlias: null, port: 22, user: 'ada' },
    };
    fc.assert(
      fc.property(hostileText(), (text) => {
        parseProxyJump(text, 8);
        const path = expandPath(text, context);
        if (path !== null) expect(path).toMatch(/^\/[^\0]*$/su);
      }),
      timeBoxed(4_000),
    );
  });
});

describe('known_hosts', () => {
  const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIGqZ8KJwWxZ2cRYkqVQ8dY4cH0vJmB1Q0mF3s3n3bL1P';
  const lines = [
    `nas.lan ssh-ed25519 ${key}`,
    `@revoked * ssh-ed25519 ${key}`,
    `@cert-authority *.lan ssh-ed25519 ${key}`,
    `|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= ssh-ed25519 ${key}`,
  ];
  test('of any content is read as the lines that make sense, and knows no key that is not in it', () => {
    const text = fc
      .array(fc.oneof(fc.constantFrom(...lines), fc.constantFrom(...lines).chain(damaged), hostileText()), {
        maxLength: 8,
      })
      .map((all) => all.join('\n'));
    const other = Buffer.concat([
      Buffer.from([0, 0, 0, 11]),
      Buffer.from('ssh-ed25519'),
      Buffer.alloc(36, 7),
    ]);
    fc.assert(
      fc.property(text, hostileText(2), (content, name) => {
        const known = parseKnownHosts('/etc/known_hosts', content);
        for (const host of ['nas.lan', name]) {
          const verdict = judgeHostKey(selectKnownHosts(known, { name: host, withoutPort: null }), other);
          expect(verdict.kind).not.toBe('known');
        }
      }),
      timeBoxed(3_000),
    );
  });
  test.each(hugeTexts)('of 10 MB of %s is read soon', async (_name, huge) => {
    const known = await soon('parsing', () => parseKnownHosts('/etc/known_hosts', huge));
    await soon('selecting', () => selectKnownHosts(known, { name: 'nas.lan', withoutPort: null }));
    await soon('matching', () => matchesHostPatterns('a'.repeat(255), [huge, huge.slice(0, 1_000)]));
    await soon('matching', () => matchesHostPatterns('a'.repeat(255), ['*a'.repeat(500)]));
  });
});

test('words of servers and sockets are calm where they are told', () => {
  fc.assert(
    fc.property(hostileText(), (text) => {
      const { what, remedy } = socketProblem(new Error(text));
      const error = sshError({
        kind: 'protocol',
        host: 'nas',
        phase: 'tcp',
        message: `nas: ${what}`,
        remedy,
      });
      expectCalm([error.message, error.remedy]);
    }),
    timeBoxed(3_000),
  );
});

describe('an announcement', () => {
  test('is found in whatever login shells print, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(
        hostileText(),
        hostileText(),
        fc.array(fc.nat({ max: 30 }), { maxLength: 20 }),
        (before, after, cuts) => {
          const nonce = 'n0123456789abcdef';
          const bytes = Buffer.from(`${before}\n${nonce} 12 34\n${after}`);
          const announcement = createAnnouncement(nonce);
          const out: Buffer[] = [];
          let from = 0;
          for (const length of [...cuts, bytes.length]) {
            out.push(announcement.push(bytes.subarray(from, from + length)));
            from += length;
          }
          out.push(announcement.flush());
          expect(Buffer.concat(out).toString()).toBe(Buffer.from(after).toString());
        },
      ),
      timeBoxed(2_000),
    );
  });
});

describe('what goes to a shell', () => {
  let place = '';
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'lab-canary-'));
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));
  const shells = ['/bin/sh', '/bin/bash'].filter((shell) => existsSync(shell));

  test.each(shells)('arrives in %s as it was, and nothing of it is run', async (shell) => {
    await fc.assert(
      fc.asyncProperty(fc.array(hostileWord, { minLength: 1, maxLength: 6 }), async (words) => {
        // Lone surrogates are no text and become what stands for them, as everywhere on the way out.
        const sent = words.map((word) => word.toWellFormed());
        const line = `printf '%s\\0' ${quoteForRemoteShell(sent)}`;
        const { stdout, stderr } = await runProcess([shell, '-c', line], { deadlineMs: 10_000, cwd: place });
        expect({ words: stdout.split('\0').slice(0, -1), stderr }).toEqual({ words: sent, stderr: '' });
        expect(readdirSync(place)).toEqual([]);
      }),
      timeBoxed(400),
    );
  });

  test('through the announcement as well', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(hostileWord, { minLength: 1, maxLength: 4 }), async (words) => {
        const sent = words.map((word) => word.toWellFormed());
        const line = announcedLine('n0123456789abcdef', ['printf', '%s\\0', ...sent]);
        const { stdout } = await runProcess(['/bin/sh', '-c', line], { deadlineMs: 10_000, cwd: place });
        expect(
          stdout
            .slice(stdout.indexOf('\n') + 1)
            .split('\0')
            .slice(0, -1),
        ).toEqual(sent);
        expect(readdirSync(place)).toEqual([]);
      }),
      timeBoxed(200),
    );
  });

  test('as arguments of the scripts for machines: data, whatever is in them', async () => {
    await fc.assert(
      fc.asyncProperty(hostileWord, hostileWord, async (description, argument) => {
        // No place to detach to: the script reads all of its arguments and refuses.
        const script = startScript
          .replaceAll(/(?<![A-Za-z0-9._-])\/(?=(?:nix|run|proc|var\/lib)\b)/gu, `${place}/machine/`)
          .replace('mkdir -p "$detached"', 'false');
        const claimed = ['', claim.run, claim.owner, '60', 'grey-area'];
        const argv = [
          'sh',
          '-c',
          script,
          'sh',
          ...claimed,
          'lab-x',
          description,
          'exit 9',
          '/run/nowhere',
          argument,
          'exit 9',
          argument,
        ];
        const line = quoteForRemoteShell(argv.map((word) => word.toWellFormed()));
        const { stdout } = await runProcess(['/bin/sh', '-c', line], { deadlineMs: 20_000, cwd: place });
        expect(stdout).toMatch(/\noutcome=refused\n.*\nlab-end\n$/su);
        expect(readdirSync(place)).toEqual(['machine']);
        expect(
          readdirSync(join(place, 'machine')).filter((name) => name !== 'run' && name !== 'var'),
        ).toEqual([]);
        rmSync(join(place, 'machine'), { recursive: true });
      }),
      timeBoxed(100),
    );
  });
});
