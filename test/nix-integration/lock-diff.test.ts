import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Lock, parseLock } from '../../src/nix-integration/lock.ts';
import { diffLocks } from '../../src/nix-integration/lock-diff.ts';

const github = (repo: string, rev: string, day: number, ref?: string) => ({
  locked: { type: 'github', owner: 'NixOS', repo, rev, narHash: `sha256-${rev}`, lastModified: day * 86_400 },
  original: { type: 'github', owner: 'NixOS', repo, ...(ref === undefined ? {} : { ref }) },
});

const lockOf = (nodes: unknown): Lock => {
  const { lock } = parseLock(JSON.stringify({ version: 7, root: 'root', nodes }));
  if (lock === null) throw new Error('not a lock');
  return lock;
};

test('an update reads as input, from and to with dates', () => {
  const before = lockOf({
    root: { inputs: { nixpkgs: 'nixpkgs' } },
    nixpkgs: github('nixpkgs', 'aaa', 10, 'nixos-25.05'),
  });
  const after = lockOf({
    root: { inputs: { nixpkgs: 'nixpkgs_2', home: 'home' } },
    nixpkgs_2: github('nixpkgs', 'bbb', 12, 'nixos-25.05'),
    home: { locked: { type: 'git', url: 'file:///srv/home', rev: 'ccc', narHash: 'x' } },
  });
  expect(diffLocks(before, after)).toEqual([
    {
      input: 'home',
      kind: 'added',
      from: null,
      to: { url: 'git+file:///srv/home', rev: 'ccc', lastModified: null },
    },
    {
      input: 'nixpkgs',
      kind: 'updated',
      from: { url: 'github:NixOS/nixpkgs/nixos-25.05', rev: 'aaa', lastModified: 864_000_000 },
      to: { url: 'github:NixOS/nixpkgs/nixos-25.05', rev: 'bbb', lastModified: 1_036_800_000 },
    },
  ]);
});

test('another order or numbering of nodes is no change', () => {
  const before = lockOf({
    root: { inputs: { a: 'a', b: 'b' } },
    a: { ...github('a', '1', 1), inputs: { nixpkgs: 'nixpkgs' } },
    b: { ...github('b', '1', 1), inputs: { nixpkgs: 'nixpkgs_2' } },
    nixpkgs: github('nixpkgs', 'x', 1),
    nixpkgs_2: github('nixpkgs', 'y', 1),
  });
  const after = lockOf({
    root: { inputs: { b: 'b', a: 'a' } },
    a: { ...github('a', '1', 1), inputs: { nixpkgs: 'nixpkgs_2' } },
    b: { ...github('b', '1', 1), inputs: { nixpkgs: 'nixpkgs' } },
    nixpkgs: github('nixpkgs', 'y', 1),
    nixpkgs_2: github('nixpkgs', 'x', 1),
  });
  expect(diffLocks(before, after)).toEqual([]);
});

const follows = (path: readonly string[]) =>
  lockOf({
    root: { inputs: { home: 'home', nixpkgs: 'nixpkgs' } },
    home: { ...github('home', '1', 1), inputs: { nixpkgs: path } },
    nixpkgs: github('nixpkgs', path.length === 1 ? 'new' : 'old', 1),
  });

test('an input that follows another is not told twice, one that begins to follow is', () => {
  const own = lockOf({
    root: { inputs: { home: 'home', nixpkgs: 'nixpkgs' } },
    home: { ...github('home', '1', 1), inputs: { nixpkgs: 'nixpkgs_2' } },
    nixpkgs: github('nixpkgs', 'old', 1),
    nixpkgs_2: github('nixpkgs', 'own', 1),
  });
  const before = lockOf({
    root: { inputs: { home: 'home', nixpkgs: 'nixpkgs' } },
    home: { ...github('home', '1', 1), inputs: { nixpkgs: ['nixpkgs'] } },
    nixpkgs: github('nixpkgs', 'old', 1),
  });
  const after = follows(['nixpkgs']);
  expect(diffLocks(before, after).map(({ input }) => input)).toEqual(['nixpkgs']);
  expect(diffLocks(own, after).map(({ input, from }) => [input, from?.rev])).toEqual([
    ['home/nixpkgs', 'own'],
    ['nixpkgs', 'old'],
  ]);
});

test('inputs below an input are named by their path', () => {
  const withDeep = (rev: string) =>
    lockOf({
      root: { inputs: { a: 'a' } },
      a: { ...github('a', '1', 1), inputs: { b: 'b' } },
      b: { ...github('b', '1', 1), inputs: { c: 'c' } },
      c: github('c', rev, 1),
    });
  expect(diffLocks(withDeep('1'), withDeep('2')).map(({ input, kind }) => [input, kind])).toEqual([
    ['a/b/c', 'updated'],
  ]);
  expect(diffLocks(withDeep('1'), lockOf({ root: {} })).map(({ input, kind }) => [input, kind])).toEqual([
    ['a', 'removed'],
    ['a/b', 'removed'],
    ['a/b/c', 'removed'],
  ]);
});

test('what is no lock is said to be none', () => {
  for (const text of ['', '{', '[]', '{"version":4,"root":"root","nodes":{"root":{}}}']) {
    expect(parseLock(text)).toMatchObject({ lock: null, problem: expect.stringMatching(/./) });
  }
  expect(parseLock('{"version":7,"root":"gone","nodes":{}}')).toMatchObject({
    lock: null,
    problem: expect.stringContaining('root node is missing'),
  });
});

// Any graph: circles, dangling keys, follows that lead nowhere or to themselves.
const key = fc.constantFrom('root', 'a', 'b', 'c', 'd', '__proto__', 'missing');
const inputName = fc.constantFrom('a', 'b', 'c', 'toString', '__proto__');
const anyNodes = fc.dictionary(
  key,
  fc.record(
    {
      inputs: fc.dictionary(inputName, fc.oneof(key, fc.array(inputName, { maxLength: 4 }))),
      locked: fc.record(
        { type: fc.constantFrom('git', 'path', 'github', 'odd'), rev: fc.string({ maxLength: 2 }) },
        { requiredKeys: ['type'] },
      ),
    },
    { requiredKeys: [] },
  ),
  { noNullPrototype: true },
);
const anyLock = anyNodes.map((nodes) => {
  const { lock } = parseLock(JSON.stringify({ version: 7, root: 'root', nodes: { root: {}, ...nodes } }));
  if (lock === null) throw new Error('the arbitrary makes locks only');
  return lock;
});

test('any two locks: the diff ends, is empty against itself, and turns round', () => {
  const turned = { added: 'removed', removed: 'added', updated: 'updated' } as const;
  fc.assert(
    fc.property(anyLock, anyLock, (a, b) => {
      expect(diffLocks(a, a)).toEqual([]);
      const there = diffLocks(a, b);
      const back = diffLocks(b, a);
      expect(
        back.map(({ input, kind, from, to }) => ({ input, kind: turned[kind], from: to, to: from })),
      ).toEqual(there);
      expect(new Set(there.map(({ input }) => input)).size).toBe(there.length);
    }),
    { numRuns: 1_000 },
  );
});
