import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkout, evaluate } from './nix.ts';

/**
 * nix/package.nix needs a real nixpkgs and a network to be built. What can be said without: it names files that exist,
 * and gives every package of the lock file an address.
 */
const package_ = `import ${checkout}/nix/package.nix {
  lib = lib // { fileset = { unions = map toString; toSource = source: source.fileset; }; };
  buildNpmPackage = given: given;
  importNpmLock = { __functor = _: given: given.packageLock.packages; npmConfigHook = null; };
  git = "/git"; nix = "/nix"; openssh = "/openssh"; makeWrapper = null;
  nodejs_24 = { outPath = "/node"; meta.mainProgram = "node"; };
}`;

type Package = {
  readonly pname: string;
  readonly version: string;
  readonly src: readonly string[];
  readonly npmDeps: Readonly<
    Record<string, { readonly version?: string; readonly integrity?: string; readonly resolved?: string }>
  >;
  readonly installPhase: string;
};

test('the Nix package is made of files that exist, and of packages with an address each', async () => {
  const found = (await evaluate(
    `{ inherit (${package_}) pname version src npmDeps installPhase; }`,
  )) as Package;
  expect(found.pname).toBe('lab');
  expect(found.src.filter((path) => !existsSync(path))).toEqual([]);

  const packages = Object.entries(found.npmDeps).filter(([path]) => path !== '');
  expect(packages.length).toBeGreaterThan(50);
  expect(
    packages.filter(([, { integrity, resolved }]) => integrity === undefined || resolved === undefined),
  ).toEqual([]);
  expect(found.npmDeps['node_modules/@biomejs/biome']?.resolved).toMatch(
    /^https:\/\/[a-z.]+\/@biomejs\/biome\/-\/biome-\d+\.\d+\.\d+\.tgz$/,
  );
  expect(found.npmDeps['node_modules/zod']?.resolved).toMatch(
    /^https:\/\/[a-z.]+\/zod\/-\/zod-\d+\.\d+\.\d+\.tgz$/,
  );
  expect(found.installPhase).toContain('--suffix PATH : /git/bin:/nix/bin:/openssh/bin');
});
