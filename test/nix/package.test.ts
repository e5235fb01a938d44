import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkout, evaluate } from './nix.ts';

/**
 * nix/package.nix needs a real nixpkgs and a network to be built. What can be said without: it names files that exist,
 * and has npm fetch every package of the lock file by its name, held to the hash that the lock file gives.
 */
const package_ = `import ${checkout}/nix/package.nix {
  lib = lib // { fileset = { unions = map toString; toSource = source: source.fileset; }; };
  buildNpmPackage = given: given;
  importNpmLock = { __functor = _: given: given.packageSourceOverrides; npmConfigHook = null; };
  cacert = "/cacert"; stdenvNoCC.mkDerivation = given: { inherit (given) name buildPhase outputHash outputHashMode; };
  git = "/git"; nix = "/nix"; openssh = "/openssh"; makeWrapper = null;
  nodejs_24 = { outPath = "/node"; meta.mainProgram = "node"; };
}`;

type Package = {
  readonly pname: string;
  readonly version: string;
  readonly src: readonly string[];
  readonly npmDeps: Readonly<
    Record<string, { readonly name: string; readonly buildPhase: string; readonly outputHash: string }>
  >;
  readonly installPhase: string;
};

test('the Nix package is made of files that exist, and of packages with a hash each', async () => {
  const found = (await evaluate(
    `{ inherit (${package_}) pname version src npmDeps installPhase; }`,
  )) as Package;
  expect(found.pname).toBe('lab');
  expect(found.src.filter((path) => !existsSync(path))).toEqual([]);

  const lock = JSON.parse(readFileSync(`${checkout}/package-lock.json`, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
  };
  const locked = Object.keys(lock.packages).filter((path) => path !== '');
  expect(locked.length).toBeGreaterThan(50);
  expect(Object.keys(found.npmDeps).sort()).toEqual(locked.sort());
  for (const path of locked) expect(found.npmDeps[path]?.outputHash).toBe(lock.packages[path]?.integrity);
  expect(found.npmDeps['node_modules/@biomejs/biome']?.buildPhase).toMatch(
    / '?@biomejs\/biome@\d+\.\d+\.\d+'?\n/,
  );
  expect(found.installPhase).toContain('--suffix PATH : /git/bin:/nix/bin:/openssh/bin');
});
