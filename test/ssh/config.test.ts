import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LocalUser, parseSshConfig } from '../../src/ssh/config.ts';
import { parseProxyJump } from '../../src/ssh/jump.ts';

const local: LocalUser = {
  home: '/home/ada',
  name: 'ada',
  uid: 1000,
  env: { SSH_AUTH_SOCK: '/run/agent', OTHER_SOCK: '/run/other' },
};
const minimal = 'hostname nas.lan\nport 22\nuser ada\n';
const parse = (more: string, who: LocalUser = local) => {
  const result = parseSshConfig('nas', `${minimal}${more}`, who);
  if (!result.ok) throw new Error(result.failure);
  return result.value;
};
const problem = (text: string): string => {
  const result = parseSshConfig('nas', text, local);
  return result.ok ? 'none' : result.failure;
};

describe('what ssh -G says', () => {
  test('is read into values, paths made whole', () => {
    const config = parse(
      [
        'identityfile ~/.ssh/id_%h_%r',
        'identityfile ~bob/.ssh/id',
        'identityfile ${NOT_SET}/id',
        'identityfile /keys/100%%',
        'userknownhostsfile ~/.ssh/known_hosts /etc/more',
        'globalknownhostsfile none',
        'identitiesonly yes',
        'stricthostkeychecking true',
        'hashknownhosts yes',
        'hostkeyalias the-nas',
        'hostkeyalgorithms ssh-ed25519,rsa-sha2-512',
        'proxyjump ada@bastion:2222,inner',
        'connecttimeout 7',
        'addressfamily inet6',
      ].join('\n'),
    );
    expect(config).toMatchObject({
      identityFiles: ['/home/ada/.ssh/id_nas.lan_ada', '/keys/100%'],
      userKnownHostsFiles: ['/home/ada/.ssh/known_hosts', '/etc/more'],
      globalKnownHostsFiles: [],
      identitiesOnly: true,
      strictHostKeys: true,
      hashKnownHosts: true,
      hostKeyAlias: 'the-nas',
      hostKeyAlgorithms: ['ssh-ed25519', 'rsa-sha2-512'],
      proxyJump: [
        { user: 'ada', host: 'bastion', port: 2222 },
        { user: null, host: 'inner', port: null },
      ],
      connectTimeoutMs: 7_000,
      addressFamily: 6,
    });
  });

  test('names the agent in any of its ways', () => {
    expect(parse('').agentSocket).toBe('/run/agent');
    expect(parse('', { ...local, env: {} }).agentSocket).toBeNull();
    expect(parse('identityagent SSH_AUTH_SOCK').agentSocket).toBe('/run/agent');
    expect(parse('identityagent none').agentSocket).toBeNull();
    expect(parse('identityagent $OTHER_SOCK').agentSocket).toBe('/run/other');
    expect(parse('identityagent ~/agent').agentSocket).toBe('/home/ada/agent');
    expect(problem(`${minimal}identityagent $NOT_SET`)).toContain('IdentityAgent');
  });

  test('that cannot be honoured is refused, not passed over', () => {
    expect(problem(`${minimal}proxycommand nc %h %p`)).toContain('ProxyCommand');
    expect(problem(`${minimal}knownhostscommand /bin/keys`)).toContain('KnownHostsCommand');
    expect(problem(`${minimal}userknownhostsfile ~bob/known_hosts`)).toContain('UserKnownHostsFile');
    expect(problem(`${minimal}userknownhostsfile \${WHERE}/k`)).toContain('UserKnownHostsFile');
    expect(problem(`${minimal}proxyjump -oX`)).toContain('ProxyJump');
    expect(problem('port 22\nuser ada\n')).toContain('hostname');
    expect(problem('hostname -oX\nport 22\nuser ada\n')).toContain('hostname');
    expect(problem('hostname nas\nport 99999\nuser ada\n')).toContain('port');
    expect(problem('')).toContain('hostname');
  });

  test('never makes the reader throw', () => {
    const keyword = fc.constantFrom(
      'hostname',
      'port',
      'user',
      'identityfile',
      'identityagent',
      'proxyjump',
      'userknownhostsfile',
      'hostkeyalias',
      'connecttimeout',
      'addressfamily',
    );
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('none', '~', '%', '%h', '${HOME}', '${', 'a b', '-x', '[::1]:22', 'ssh://a@b:1/'),
    );
    const line = fc.tuple(keyword, value).map((pair) => pair.join(' '));
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.string())), (lines) => {
        const result = parseSshConfig('nas', lines.join('\n'), local);
        if (!result.ok) return;
        expect(result.value.hostname).not.toMatch(/^-|\s/u);
        for (const path of [...result.value.identityFiles, ...result.value.userKnownHostsFiles])
          expect(path.startsWith('/')).toBe(true);
      }),
    );
  });
});

describe('ProxyJump', () => {
  test.each([
    ['none', []],
    ['a', [{ host: 'a', user: null, port: null }]],
    [
      'u@a:2222,b',
      [
        { host: 'a', user: 'u', port: 2222 },
        { host: 'b', user: null, port: null },
      ],
    ],
    ['ssh://u@a:22/', [{ host: 'a', user: 'u', port: 22 }]],
    ['[fe80::1]:22', [{ host: 'fe80::1', user: null, port: 22 }]],
    ['u@fe80::1', [{ host: 'fe80::1', user: 'u', port: null }]],
  ])('%s', (text, hops) => {
    expect(parseProxyJump(text, 8)).toEqual(hops);
  });
  test.each(['a:0', 'a:99999', 'a,', '-x', 'u -x@a', '@a', 'a b', '[::1', 'a:22:x]'])(
    '%s is refused',
    (text) => {
      expect(parseProxyJump(text, 8)).toBeNull();
    },
  );
  test('longer than the bound is refused', () => {
    expect(parseProxyJump('a,b,c', 2)).toBeNull();
  });
});
