import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { quoteForRemoteShell } from '../../src/ssh/quote.ts';
import { announcedLine, createAnnouncement, stopLine } from '../../src/ssh/remote-shell.ts';

const words = (text: string): readonly string[] => text.split('\0').slice(0, -1);
const shell = async (name: string, line: string): Promise<string> => {
  const result = await runProcess([name, '-c', line], { deadlineMs: 10_000 });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result.stdout;
};

const nasty = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom(
      "'",
      '"',
      '\\',
      '$',
      '`',
      '(',
      ')',
      '\n',
      ' ',
      '*',
      '~',
      '!',
      '-',
      '=',
      '{',
      'a',
      '\r',
      '\t',
      '#',
      ';',
      '&',
      '\u0001',
      'ü',
    ),
  }),
);
const argv = fc.array(
  nasty.map((word) => word.replaceAll('\0', '')),
  { maxLength: 8 },
);

describe('words for a remote shell', () => {
  test.each(['/bin/sh', '/bin/bash'])('arrive in %s as they were', async (name) => {
    await fc.assert(
      fc.asyncProperty(argv, async (given) => {
        const line = `printf '%s\\0' x ${quoteForRemoteShell(given)}`;
        expect(words(await shell(name, line)).slice(1)).toEqual(given);
      }),
      { numRuns: 100 },
    );
  });

  test('arrive through the announcement too, which says the session and is taken off again', async () => {
    await fc.assert(
      fc.asyncProperty(argv, async (given) => {
        const line = announcedLine('lab:nonce', ['printf', '%s\\0', 'x', ...given]);
        const announcement = createAnnouncement('lab:nonce');
        const own = announcement.push(Buffer.from(await shell('/bin/sh', line)));
        expect(words(own.toString('utf8')).slice(1)).toEqual(given);
        expect(announcement.session()?.leader).toMatch(/^\d+$/);
      }),
      { numRuns: 60 },
    );
  });

  test('that are plain stay readable', () => {
    expect(quoteForRemoteShell(['systemctl', 'is-active', 'a@b.service', '--', '/nix/store/x-1.0'])).toBe(
      'systemctl is-active a@b.service -- /nix/store/x-1.0',
    );
  });

  test('keep backslashes out of single quotes, where fish would read them', () => {
    expect(quoteForRemoteShell(['a\\b', "c'd"])).toBe(`'a'"\\\\"'b' 'c'\\''d'`);
  });

  test('hide from fish and zsh what these expand at the beginning of a word', () => {
    expect(quoteForRemoteShell(['%self', '=ls', '--format=%h'])).toBe(`'%self' '=ls' --format=%h`);
  });

  test('cannot hold a NUL byte', () => {
    expect(() => quoteForRemoteShell(['a\0b'])).toThrow(TypeError);
  });
});

test('a line is refused by a login shell that would take it to pieces, which says so', async () => {
  // tcsh has this variable, and nobody else.
  const env = { tcsh: '6.24.07' };
  for (const line of [
    announcedLine('lab:nonce', ['touch', '/nowhere']),
    stopLine({ leader: '1', startedAt: '1' }, 'ada', true),
  ]) {
    // To it a quote ends with its line: what comes first stands on a line of its own.
    expect(line.split('\n')[0]?.replaceAll(/"[^"]*"/gu, '')).not.toMatch(/["']/u);
    expect(await runProcess(['/bin/sh', '-c', line], { deadlineMs: 20_000, env })).toMatchObject({
      code: 126,
      stdout: '',
      stderr: expect.stringContaining('its login shell is tcsh'),
    });
  }
});

describe('the announcement', () => {
  const cut = (text: string, sizes: readonly number[]): readonly Buffer[] => {
    const parts: Buffer[] = [];
    let rest = Buffer.from(text);
    for (const size of sizes) {
      parts.push(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    return [...parts, rest];
  };

  test('is found however the stream is cut, after whatever was printed before', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.array(fc.nat(9), { maxLength: 30 }), (before, own, sizes) => {
        fc.pre(!before.includes('lab:n '));
        const announcement = createAnnouncement('lab:n');
        const got = cut(`${before}lab:n 123 456\n${own}`, sizes).map((part) => announcement.push(part));
        expect(Buffer.concat([...got, announcement.flush()]).toString()).toBe(own);
        expect(announcement.session()).toEqual({ leader: '123', startedAt: '456' });
      }),
    );
  });

  test('that never comes leaves the output whole, and holds no more than a bound', () => {
    const announcement = createAnnouncement('lab:n');
    const chunk = Buffer.alloc(50_000, 'x');
    expect(announcement.push(chunk)).toHaveLength(0);
    expect(announcement.push(chunk)).toHaveLength(100_000);
    expect(announcement.session()).toBeNull();
    const short = createAnnouncement('lab:n');
    short.push(Buffer.from('no shell here'));
    expect(short.flush().toString()).toBe('no shell here');
  });
});
