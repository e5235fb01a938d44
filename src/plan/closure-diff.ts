import type { ClosurePath } from '../ports.ts';
import { packageOf } from './package-name.ts';

/** What differs between two closures, package by package: what is worth knowing before one takes the place of the other. */

export type PackageChange = {
  readonly name: string;
  readonly kind: 'updated' | 'added' | 'removed';
  /** Versions that go, and that come, in order; none where the package has no version. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Versions that are in both. */
  readonly kept: number;
  /** By how much it grows, bytes. */
  readonly bytes: number;
};

export type ClosureDiff = {
  /** Bounded, the updated first, then the added and the removed, each by name. */
  readonly changes: readonly PackageChange[];
  /** All of each kind, those that are not among `changes` included. */
  readonly counts: Readonly<Record<PackageChange['kind'], number>>;
  /** Packages of the same version that were built anew, and by how much they grow together. */
  readonly rebuilt: { readonly count: number; readonly bytes: number };
  readonly before: ClosureSize;
  readonly after: ClosureSize;
};
type ClosureSize = { readonly paths: number; readonly bytes: number };

/** More than people read; a whole release of NixOS changes about as many. */
export const changesMax = 1_000;

type Package = { readonly versions: Set<string>; readonly paths: Set<string>; bytes: number };

const packagesOf = (closure: readonly ClosurePath[]): ReadonlyMap<string, Package> => {
  const packages = new Map<string, Package>();
  for (const { path, bytes } of closure) {
    const { name, version } = packageOf(path);
    const known = packages.get(name) ?? { versions: new Set(), paths: new Set(), bytes: 0 };
    known.versions.add(version);
    known.paths.add(path);
    known.bytes += bytes;
    packages.set(name, known);
  }
  return packages;
};

/** Numbers by their value: 3.9 before 3.12. */
let collator: Intl.Collator | null = null;
/** Made when first wanted: the screen loads this, and seldom compares versions before its first frame. */
const byVersion = (one: string, other: string): number => {
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(one, other);
};
const versionsIn = (some: ReadonlySet<string>, others: ReadonlySet<string> | undefined): readonly string[] =>
  [...some].filter((version) => version !== '' && others?.has(version) !== true).sort(byVersion);

const sizeOf = (closure: readonly ClosurePath[]): ClosureSize => ({
  paths: closure.length,
  bytes: closure.reduce((sum, { bytes }) => sum + bytes, 0),
});

const same = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((item) => b.has(item));

const kinds = ['updated', 'added', 'removed'] as const;

/** Compares two closures. Pure; what stands in both counts for nothing. */
export const diffClosures = (before: readonly ClosurePath[], after: readonly ClosurePath[]): ClosureDiff => {
  const [old, wanted] = [packagesOf(before), packagesOf(after)];
  const changes: PackageChange[] = [];
  let [rebuilt, rebuiltBytes] = [0, 0];
  for (const name of new Set([...old.keys(), ...wanted.keys()])) {
    const [from, to] = [old.get(name), wanted.get(name)];
    const bytes = (to?.bytes ?? 0) - (from?.bytes ?? 0);
    if (from !== undefined && to !== undefined && same(from.versions, to.versions)) {
      if (!same(from.paths, to.paths)) [rebuilt, rebuiltBytes] = [rebuilt + 1, rebuiltBytes + bytes];
      continue;
    }
    changes.push({
      name,
      kind: from === undefined ? 'added' : to === undefined ? 'removed' : 'updated',
      from: from === undefined ? [] : versionsIn(from.versions, to?.versions),
      to: to === undefined ? [] : versionsIn(to.versions, from?.versions),
      kept: [...(from?.versions ?? [])].filter((version) => to?.versions.has(version) === true).length,
      bytes,
    });
  }
  changes.sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || byVersion(a.name, b.name));
  const countOf = (kind: PackageChange['kind']): number =>
    changes.filter((change) => change.kind === kind).length;
  return {
    changes: changes.slice(0, changesMax),
    counts: { updated: countOf('updated'), added: countOf('added'), removed: countOf('removed') },
    rebuilt: { count: rebuilt, bytes: rebuiltBytes },
    before: sizeOf(before),
    after: sizeOf(after),
  };
};
