import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type FlakeRef, rootOf } from './flake-ref.ts';

/** The root of a source tree in the store, wherever the store lies. Inputs are called `source` as well as the flake. */
const sourcePattern = /((?:\/[\w.+-]+)+\/[0-9a-df-np-sv-z]{32}-source)\b(\/?)/gu;

const flakeBytesMax = 4 * 1024 * 1024;
const textOf = async (path: string): Promise<string | null> => {
  try {
    return (await stat(path)).size > flakeBytesMax ? null : await readFile(path, 'utf8');
  } catch {
    return null;
  }
};

/** Whether everything at the top of a tree lies at the top of the repository as well. */
const isPartOf = async (source: string, root: string): Promise<boolean> => {
  try {
    const [names, known] = await Promise.all([readdir(source), readdir(root)]);
    const there = new Set(known);
    return names.every((name) => there.has(name));
  } catch {
    return false;
  }
};

/** Puts paths of the repository, relative to its root, in the place of paths into its copy in the store. */
export type MapSourcePaths = (text: string) => Promise<string>;

/**
 * A tree in the store is the flake's own when its flake.nix is the one that lies in the repository; trees of
 * inputs keep their store paths.
 */
export const createSourceMapper = (flake: FlakeRef): MapSourcePaths => {
  if (flake.kind === 'remote') return async (text) => text;
  const { root, directory } = flake;
  const flakeFile = join(relative(root, directory), 'flake.nix');
  const own = new Map<string, boolean>();
  return async (text) => {
    const sources = new Set([...text.matchAll(sourcePattern)].map((match) => match[1] ?? ''));
    for (const source of sources) {
      if (own.has(source)) continue;
      const [copy, original] = await Promise.all([
        textOf(join(source, flakeFile)),
        textOf(join(root, flakeFile)),
      ]);
      // A copy without flake.nix is the flake's own when git does not track that file.
      own.set(source, copy === null ? await isPartOf(source, root) : copy === original);
    }
    return text.replace(sourcePattern, (whole, source: string, slash: string) =>
      own.get(source) !== true ? whole : slash === '' ? root : '',
    );
  };
};

/** Whether a path of the repository exists there although Nix did not find it: git does not track it. */
export const liesInRepository = async (flake: FlakeRef, path: string): Promise<boolean> => {
  const root = rootOf(flake);
  if (flake.kind !== 'git' || root === null || path === '' || path.startsWith('/') || path.includes('..')) {
    return false;
  }
  try {
    await stat(join(root, path));
    return true;
  } catch {
    return false;
  }
};
