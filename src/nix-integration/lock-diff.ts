import type { LockChange, LockedRef } from '../ports.ts';
import { withoutPasswords } from '../text/passwords.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { inputAt, type Lock, type LockNode, nodeAt, type Reference } from './lock.ts';

/** An input as seen by its path from the root. */
type Input = {
  readonly node: LockNode;
  /** The path that it follows, or null when it has a node of its own. */
  readonly follows: string | null;
};

const pathsMax = 20_000;
const followsMax = 64;

/** The key of the node at a path from the root, through follows; null for a dead end or a circle of follows. */
const keyAt = (lock: Lock, path: readonly string[], hops = 0): string | null => {
  if (hops > followsMax) return null;
  let key = lock.root;
  for (const name of path) {
    const node = nodeAt(lock, key);
    const input = node === null ? null : inputAt(node, name);
    const next = input === null || typeof input === 'string' ? input : keyAt(lock, input, hops + 1);
    if (next === null || nodeAt(lock, next) === null) return null;
    key = next;
  }
  return key;
};

/**
 * All inputs by path (`home-manager/nixpkgs`). What lies below a followed input is told at the path that it follows.
 * Bounded, and safe from circles: a path never meets a node twice.
 */
const inputsByPath = (lock: Lock): ReadonlyMap<string, Input> => {
  const found = new Map<string, Input>();
  const visit = (key: string, path: readonly string[], above: readonly string[]) => {
    const node = nodeAt(lock, key);
    for (const name of Object.keys(node?.inputs ?? {})) {
      if (node === null || found.size >= pathsMax) return;
      const input = inputAt(node, name);
      if (input === null) continue;
      const here = [...path, name];
      const target = typeof input === 'string' ? input : keyAt(lock, input);
      const reached = target === null ? null : nodeAt(lock, target);
      if (target === null || reached === null) continue;
      const follows = typeof input === 'string' ? null : input.join('/');
      found.set(sanitiseLine(here.join('/')), { node: reached, follows });
      if (follows === null && !above.includes(target)) visit(target, here, [...above, target]);
    }
  };
  visit(lock.root, [], [lock.root]);
  return found;
};

const branchOf = (original: Reference | undefined): string =>
  original?.ref === undefined ? '' : `/${original.ref}`;

/** The address of an input as people write it, without revision and hash. */
const urlOf = (node: LockNode): string => {
  const locked = node.locked ?? node.original;
  if (locked === undefined) return 'unknown';
  const folder = locked.dir === undefined ? '' : `?dir=${locked.dir}`;
  switch (locked.type) {
    case 'github':
    case 'gitlab':
    case 'sourcehut':
      return `${locked.type}:${locked.owner ?? ''}/${locked.repo ?? ''}${branchOf(node.original)}${folder}`;
    case 'git':
    case 'hg':
      return `${locked.type}+${locked.url ?? ''}${folder}`;
    case 'path':
      return `path:${locked.path ?? ''}${folder}`;
    case 'indirect':
      return `flake:${locked.id ?? ''}${folder}`;
    default:
      return `${locked.url ?? locked.type}${folder}`;
  }
};

const refOf = (node: LockNode): LockedRef => ({
  url: sanitiseLine(withoutPasswords(urlOf(node))),
  rev: node.locked?.rev === undefined ? null : sanitiseLine(node.locked.rev, 80),
  lastModified: node.locked?.lastModified === undefined ? null : node.locked.lastModified * 1000,
});

/** Two nodes that lock the same tree. */
const sameTree = (a: LockNode, b: LockNode): boolean => {
  const [x, y] = [a.locked, b.locked];
  if (x === undefined || y === undefined) return x === y;
  const keys = [
    'type',
    'owner',
    'repo',
    'host',
    'url',
    'path',
    'id',
    'dir',
    'rev',
    'narHash',
    'lastModified',
  ] as const;
  return keys.every((key) => x[key] === y[key]);
};

/**
 * What moved between two locks, by path from the root, sorted by path. An input that follows another one before and
 * after is not told: it moved where the other did.
 */
export const diffLocks = (before: Lock, after: Lock): readonly LockChange[] => {
  const old = inputsByPath(before);
  const now = inputsByPath(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.flatMap((input): readonly LockChange[] => {
    const from = old.get(input);
    const to = now.get(input);
    if (from === undefined && to !== undefined) {
      return to.follows === null ? [{ input, kind: 'added', from: null, to: refOf(to.node) }] : [];
    }
    if (from !== undefined && to === undefined) {
      return from.follows === null ? [{ input, kind: 'removed', from: refOf(from.node), to: null }] : [];
    }
    if (from === undefined || to === undefined) return [];
    if (sameTree(from.node, to.node)) return [];
    if (from.follows !== null && from.follows === to.follows) return [];
    return [{ input, kind: 'updated', from: refOf(from.node), to: refOf(to.node) }];
  });
};
