/** What a store path is called: the package, its version, and which of its outputs it is. */
type PackageName = {
  readonly name: string;
  /** Empty where the name has none. */
  readonly version: string;
  /** `bin`, `man`, `lib` … of a package in several outputs; empty for the whole or the first. */
  readonly output: string;
};

/** Words that end a version rather than name an output: `-0-unstable`, `-2.0-beta`. */
const partsOfVersions: ReadonlySet<string> = new Set([
  'alpha',
  'beta',
  'git',
  'lts',
  'pre',
  'rc',
  'stable',
  'unstable',
]);

/**
 * `/nix/store/HASH-openssl-3.0.15-bin` → openssl, 3.0.15, bin. As Nix reads derivation names, a version begins behind the
 * first dash that no letter follows. An output can be told from a part of the name only where a version stands before it.
 */
export const packageOf = (path: string): PackageName => {
  const file = path.slice(path.lastIndexOf('/') + 1);
  const full = file.replace(/^[0-9a-z]{32}-/u, '');
  const [, name = full, rest = ''] = /^(.+?)-([^A-Za-z].*)$/u.exec(full) ?? [];
  const [, version = rest, word = ''] = /^(.+)-([a-z]+|lib32|lib64)$/u.exec(rest) ?? [];
  return partsOfVersions.has(word) ? { name, version: rest, output: '' } : { name, version, output: word };
};
