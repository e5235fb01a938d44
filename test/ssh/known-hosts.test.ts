import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import {
  hostKeyNames,
  judgeHostKey,
  knownKeyTypes,
  matchesKnownHost,
  parseKnownHosts,
  selectKnownHosts,
} from '../../src/ssh/known-hosts.ts';
import { hashedHostField } from '../../src/ssh/known-hosts-record.ts';
import { keyField, newKey } from './support/keys.ts';

const [one, two, three] = [newKey('one'), newKey('two'), newKey('three')];
const rsaLike = `ssh-rsa ${Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('ssh-rsa'), Buffer.from([0, 0, 0, 1, 3])]).toString('base64')}`;

const judge = (text: string, host: string, key = one, port = 22, alias: string | null = null) =>
  judgeHostKey(selectKnownHosts(parseKnownHosts('kh', text), hostKeyNames(host, port, alias)), key.blob);

describe('what known_hosts says of a key', () => {
  test('known, by name, among several names, whatever the case', () => {
    expect(judge(`nas,10.0.0.2 ${keyField(one)} comment here`, '10.0.0.2')).toMatchObject({
      kind: 'known',
      at: { line: 1 },
    });
    expect(judge(`NAS ${keyField(one)}`, 'nas').kind).toBe('known');
    expect(judge(`nas ${keyField(one)}`, 'NAS').kind).toBe('known');
  });

  test('another key is a mismatch that names the line', () => {
    const text = `# fleet\n\nother ${keyField(one)}\nnas ${keyField(two)}\n`;
    expect(judge(text, 'nas')).toMatchObject({ kind: 'mismatch', at: { file: 'kh', line: 4 } });
  });

  test('a key of another type is a mismatch too, not something new', () => {
    expect(judge(`nas ${rsaLike}`, 'nas').kind).toBe('mismatch');
  });

  test('one of several keys is enough', () => {
    expect(judge(`nas ${keyField(two)}\nnas ${keyField(one)}`, 'nas')).toMatchObject({
      kind: 'known',
      at: { line: 2 },
    });
  });

  test('a line behind a byte order mark makes nobody known, and who it speaks of is not unknown; others are read', () => {
    const text = `\ufeffnas ${keyField(one)}\nweb ${keyField(two)}\n`;
    for (const key of [one, two])
      expect(judge(text, 'nas', key)).toMatchObject({ kind: 'behind-mark', at: { file: 'kh', line: 1 } });
    expect(judge(text, 'web', two)).toMatchObject({ kind: 'known', at: { line: 2 } });
    expect(judge(text, 'app').kind).toBe('unknown');
    expect(judge(text, 'nas', one, 2222).kind).toBe('behind-mark');
    expect(judge(text, 'nas', two, 2222).kind).toBe('unknown');
    expect(judge(`${text}nas ${keyField(one)}`, 'nas')).toMatchObject({ kind: 'known', at: { line: 3 } });
    expect(judge(`${text}nas ${keyField(two)}`, 'nas').kind).toBe('mismatch');
    expect(judge(`\ufeff@revoked * ${keyField(one)}\nnas ${keyField(one)}`, 'nas').kind).toBe('revoked');
    expect(judge(`\ufeff# fleet\nnas ${keyField(one)}`, 'nas').kind).toBe('known');
  });

  test('patterns and their negation', () => {
    const text = `*.lan,!guest.lan,10.0.0.? ${keyField(one)}`;
    expect(judge(text, 'nas.lan').kind).toBe('known');
    expect(judge(text, '10.0.0.7').kind).toBe('known');
    expect(judge(text, '10.0.0.77').kind).toBe('unknown');
    expect(judge(text, 'guest.lan').kind).toBe('unknown');
  });

  test('hashed names', () => {
    const text = `${hashedHostField('nas.lan', Buffer.alloc(20, 7))} ${keyField(one)}`;
    expect(judge(text, 'nas.lan').kind).toBe('known');
    expect(judge(text, 'nas.lam').kind).toBe('unknown');
  });

  test('another port is another name; the name alone is good for the same key and says nothing of others', () => {
    const withPort = `[nas]:2222 ${keyField(one)}`;
    expect(judge(withPort, 'nas', one, 2222).kind).toBe('known');
    expect(judge(withPort, 'nas', one, 22).kind).toBe('unknown');
    expect(judge(withPort, 'nas', two, 2222).kind).toBe('mismatch');
    const alone = `nas ${keyField(one)}`;
    expect(judge(alone, 'nas', one, 2222).kind).toBe('known');
    expect(judge(alone, 'nas', two, 2222).kind).toBe('unknown');
  });

  test('HostKeyAlias stands for name and port', () => {
    expect(judge(`the-nas ${keyField(one)}`, '10.0.0.2', one, 2222, 'the-nas').kind).toBe('known');
    expect(judge(`[10.0.0.2]:2222 ${keyField(one)}`, '10.0.0.2', one, 2222, 'the-nas').kind).toBe('unknown');
  });

  test('a revocation comes before everything, wherever it stands', () => {
    const text = `nas ${keyField(one)}\n@revoked * ${keyField(one)}`;
    expect(judge(text, 'nas')).toMatchObject({ kind: 'revoked', at: { line: 2 } });
    expect(judge(`@revoked nas ${keyField(one)}`, 'nas', one, 2222).kind).toBe('revoked');
    expect(judge(`@revoked * ${keyField(two)}\nnas ${keyField(one)}`, 'nas').kind).toBe('known');
  });

  test('certificate authorities are told apart from nothing known, and give way to a key', () => {
    expect(judge(`@cert-authority *.lan ${keyField(three)}`, 'nas.lan').kind).toBe('ca-only');
    expect(judge(`@cert-authority *.lan ${keyField(one)}`, 'nas.lan').kind).toBe('ca-only');
    expect(judge(`@cert-authority *.lan ${keyField(three)}\nnas.lan ${keyField(one)}`, 'nas.lan').kind).toBe(
      'known',
    );
  });

  test('lines that make no sense are passed over', () => {
    const text = [
      'nas',
      'nas ssh-ed25519',
      `nas ssh-ed25519 not*base64`,
      `nas ssh-rsa ${one.public.split(' ')[1]}`,
      `@unknown nas ${keyField(one)}`,
      `|1|short|hash ${keyField(one)}`,
      `|2|${Buffer.alloc(20).toString('base64')}|${Buffer.alloc(20).toString('base64')} ${keyField(one)}`,
    ].join('\n');
    expect(parseKnownHosts('kh', text)).toEqual([]);
  });

  test('the key types to ask a server for are those known under its own name', () => {
    const types = (text: string, port: number) =>
      knownKeyTypes(selectKnownHosts(parseKnownHosts('kh', text), hostKeyNames('nas', port, null)));
    expect(types(`nas ${rsaLike}\nnas ${keyField(one)}\n@revoked nas ${keyField(two)}`, 22)).toEqual([
      'ssh-rsa',
      'ssh-ed25519',
    ]);
    expect(types(`[nas]:2222 ${rsaLike}\nnas ${keyField(one)}`, 2222)).toEqual(['ssh-rsa']);
    expect(types(`nas ${keyField(one)}`, 2222)).toEqual(['ssh-ed25519']);
  });

  test('no text makes the reader throw or take long', () => {
    const field = fc.oneof(
      fc.constantFrom(
        '@revoked',
        '@cert-authority',
        'nas',
        '*',
        '!nas',
        '|1|',
        '[nas]:22',
        'ssh-ed25519',
        '#',
      ),
      fc.string(),
      fc.base64String(),
    );
    const lines = fc.array(
      fc.array(field, { maxLength: 6 }).map((words) => words.join(' ')),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(lines, fc.string(), (text, host) => {
        judge(text.join('\n'), host);
      }),
    );
    const hostile = `${'*a'.repeat(500)}b ${keyField(one)}`;
    expect(judge(hostile, 'a'.repeat(1_000)).kind).toBe('unknown');
  });
});

describe('beside ssh-keygen -F', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lab-kh-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Line number → marker, as ssh-keygen finds them. */
  const asked = async (file: string, host: string): Promise<ReadonlyMap<number, string>> => {
    const result = await runProcess(['ssh-keygen', '-F', host, '-f', file], { deadlineMs: 10_000 });
    expect(result.startError).toBeNull();
    return new Map(
      [...result.stdout.matchAll(/^# Host .* found: line (\d+) ?(REVOKED|CA)?/gmu)].map((match) => [
        Number(match[1]),
        match[2] ?? '',
      ]),
    );
  };

  const name = fc.constantFrom(
    'nas',
    'nas.lan',
    'web.lan',
    '10.0.0.2',
    '[nas]:2222',
    '[10.0.0.2]:22',
    'fe80::1',
    'NAS',
    'x',
  );
  const pattern = fc.oneof(
    name,
    fc.constantFrom(
      '*',
      '*.lan',
      '10.0.0.?',
      '!nas.lan',
      '!*',
      'n?s',
      '[nas]:*',
      '*a*',
      '!x',
      'na',
      '**',
      '?',
      '',
    ),
  );
  // Whole keys only: ssh-keygen -F also lists lines whose key cannot be read, which no connection would use.
  const key = fc.constantFrom(keyField(one), keyField(two), keyField(three));
  const line = fc
    .tuple(
      fc.constantFrom('', '', '', '@revoked ', '@cert-authority ', '#', ' ', '\t', '@nonsense '),
      fc.oneof(
        fc.array(pattern, { minLength: 1, maxLength: 4 }).map((patterns) => patterns.join(',')),
        name.map((host) => hashedHostField(host, Buffer.alloc(20, 3))),
      ),
      fc.constantFrom(' ', '\t', '  '),
      key,
      fc.constantFrom('', ' a comment'),
    )
    .map((parts) => parts.join(''));

  test('the same lines are found, with the same markers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 12 }), name, async (lines, host) => {
        const file = join(folder, 'known_hosts');
        const text = `${lines.join('\n')}\n`;
        await writeFile(file, text);
        const ours = new Map(
          parseKnownHosts(file, text)
            .filter((known) => matchesKnownHost(known, host))
            .map((known) => [
              known.line,
              { none: '', revoked: 'REVOKED', 'cert-authority': 'CA' }[known.marker],
            ]),
        );
        expect(ours).toEqual(await asked(file, host));
      }),
      { numRuns: 150 },
    );
  });
});
