import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { changesMax, diffClosures } from '../../src/plan/closure-diff.ts';
import {
  bytesWords,
  changeWords,
  closureSizeWords,
  diffSummary,
  growthWords,
} from '../../src/plan/closure-words.ts';
import { packageOf } from '../../src/plan/package-name.ts';
import type { ClosurePath } from '../../src/ports.ts';
import { storePath } from '../../src/sim/random.ts';

const path = (name: string, bytes = 1_000, content = ''): ClosurePath => ({
  path: storePath(content, name),
  bytes,
});

test.each([
  ['openssl-3.0.15', 'openssl', '3.0.15', ''],
  ['openssl-3.0.15-bin', 'openssl', '3.0.15', 'bin'],
  ['linux-6.12.11-modules', 'linux', '6.12.11', 'modules'],
  ['initrd-linux-6.12.11', 'initrd-linux', '6.12.11', ''],
  ['perl5.40.0-Crypt-URandom-0.36', 'perl5.40.0-Crypt-URandom', '0.36', ''],
  ['vim-plugin-0-unstable', 'vim-plugin', '0-unstable', ''],
  ['vim-plugin-0-unstable-2026-01-02', 'vim-plugin', '0-unstable-2026-01-02', ''],
  ['glibc-2.40-66-lib32', 'glibc', '2.40-66', 'lib32'],
  ['unit-nginx.service', 'unit-nginx.service', '', ''],
  ['etc', 'etc', '', ''],
  ['firefox-unwrapped', 'firefox-unwrapped', '', ''],
  ['nixos-system-nas-26.05.20261120.abcdef0', 'nixos-system-nas', '26.05.20261120.abcdef0', ''],
  ['-1', '-1', '', ''],
])('%s is %s, version "%s", output "%s"', (file, name, version, output) => {
  expect(packageOf(storePath('', file))).toEqual({ name, version, output });
});

const word = fc.stringMatching(/^[a-z]{1,6}$/);
const version = fc.stringMatching(/^[0-9]{1,2}(\.[0-9]{1,2}){0,2}$/);
const fileName = fc
  .tuple(word, fc.option(version), fc.option(fc.constantFrom('bin', 'man', 'unstable', 'lib64')))
  .map(([name, number, more]) =>
    [name, ...(number === null ? [] : [number]), ...(more === null ? [] : [more])].join('-'),
  );
const closure = fc.uniqueArray(
  fc.record({ file: fileName, content: fc.constantFrom('a', 'b'), bytes: fc.integer({ min: 0, max: 1e9 }) }),
  { maxLength: 20, selector: ({ file, content }) => `${content} ${file}` },
);
const pathsOf = (items: readonly { file: string; content: string; bytes: number }[]): ClosurePath[] =>
  items.map(({ file, content, bytes }) => path(file, bytes, content));

describe('names of packages', () => {
  it('lose nothing of the file name', () => {
    fc.assert(
      fc.property(fileName, (file) => {
        const parts = packageOf(storePath('', file));
        expect([parts.name, parts.version, parts.output].filter((part) => part !== '').join('-')).toBe(file);
        expect(parts.name).not.toBe('');
      }),
    );
  });
  it('can be made of anything', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(packageOf(text).name).toBeTypeOf('string');
      }),
    );
  });
});

describe('the difference of two closures', () => {
  it('of one with itself is nothing', () => {
    fc.assert(
      fc.property(closure, (items) => {
        const diff = diffClosures(pathsOf(items), pathsOf(items));
        expect(diff.changes).toEqual([]);
        expect(diff.rebuilt).toEqual({ count: 0, bytes: 0 });
      }),
    );
  });

  it('backwards is the same with its sides exchanged', () => {
    fc.assert(
      fc.property(closure, closure, (a, b) => {
        const there = diffClosures(pathsOf(a), pathsOf(b));
        const back = diffClosures(pathsOf(b), pathsOf(a));
        expect(
          new Set(
            back.changes.map(({ name, from, to, bytes }) => ({ name, from: to, to: from, bytes: 0 - bytes })),
          ),
        ).toEqual(
          new Set(there.changes.map(({ name, from, to, bytes }) => ({ name, from, to, bytes: 0 + bytes }))),
        );
        expect(back.counts).toEqual({
          ...there.counts,
          added: there.counts.removed,
          removed: there.counts.added,
        });
        expect(back.rebuilt.count).toBe(there.rebuilt.count);
      }),
    );
  });

  it('accounts for every byte that the closure grows by', () => {
    fc.assert(
      fc.property(closure, closure, (a, b) => {
        const { changes, rebuilt, before, after } = diffClosures(pathsOf(a), pathsOf(b));
        // What is in both under one path has one size; here the same path may be given two, so both sides take b's.
        const sizes = new Map(pathsOf(b).map((one) => [one.path, one.bytes]));
        const same = pathsOf(a).map((one) => ({ ...one, bytes: sizes.get(one.path) ?? one.bytes }));
        const again = diffClosures(same, pathsOf(b));
        const told = again.changes.reduce((sum, { bytes }) => sum + bytes, 0) + again.rebuilt.bytes;
        expect(told).toBe(again.after.bytes - again.before.bytes);
        expect([changes.length, rebuilt.count, before.paths, after.paths]).toEqual([
          again.changes.length,
          again.rebuilt.count,
          a.length,
          b.length,
        ]);
      }),
    );
  });

  it('tells what is updated, added, removed and built anew', () => {
    const before = [
      path('linux-6.12.8', 100_000_000),
      path('linux-6.12.8-modules', 50_000_000),
      path('openssl-3.0.14', 8_000_000),
      path('openssl-3.0.14-bin', 1_000_000),
      path('python3-3.11.2', 100),
      path('python3-3.12.1', 100),
      path('nano-8.7', 2_000_000),
      path('etc', 500, 'old'),
      path('unit-a.service', 10),
    ];
    const after = [
      path('linux-6.12.11', 101_000_000),
      path('linux-6.12.11-modules', 50_000_000),
      path('openssl-3.0.15', 8_000_000),
      path('openssl-3.0.15-bin', 1_000_000),
      path('python3-3.12.1', 100),
      path('python3-3.9.1', 100),
      path('htop-3.4.1', 3_000_000),
      path('etc', 600, 'new'),
      path('unit-a.service', 10),
    ];
    const diff = diffClosures(before, after);
    expect(diff.changes.map(changeWords)).toEqual([
      'linux 6.12.8 → 6.12.11',
      'openssl 3.0.14 → 3.0.15',
      'python3 3.11.2 → 3.9.1',
      '+ htop 3.4.1',
      '- nano 8.7',
    ]);
    expect(diff.rebuilt).toEqual({ count: 1, bytes: 100 });
    expect(closureSizeWords(diff)).toBe(
      'closure 161 MB → 163 MB (+2.0 MB); 1 package of the same version built anew',
    );
    expect(diffSummary(diff, 2)).toBe(
      'linux 6.12.8 → 6.12.11, openssl 3.0.14 → 3.0.15, 1 other package updated, 1 added, 1 removed, 1 built anew, closure +2.0 MB',
    );
  });

  it('says of versions beside each other which goes', () => {
    const two = [path('python3-3.11'), path('python3-3.12')];
    const [goes] = diffClosures(two, two.slice(1)).changes;
    const [comes] = diffClosures(two.slice(1), two).changes;
    expect([goes, comes].map((change) => change !== undefined && changeWords(change))).toEqual([
      'python3 3.11 goes; one version stays',
      'python3 3.11 comes; one version stays',
    ]);
  });

  it('is bounded, and counts what it leaves out', () => {
    const many = Array.from({ length: changesMax + 5 }, (_, index) => path(`p${index}-1`));
    const { changes, counts } = diffClosures([], many);
    expect([changes.length, counts.added]).toEqual([changesMax, changesMax + 5]);
  });
});

test('sizes in words', () => {
  expect([0, 816, 1_500, 999_400, 34_000_000, 2_100_000_000].map(bytesWords)).toEqual([
    '0 B',
    '816 B',
    '1.5 kB',
    '999 kB',
    '34 MB',
    '2.1 GB',
  ]);
  expect([0, 34_000_000, -816].map(growthWords)).toEqual(['', '+34 MB', '-816 B']);
});
