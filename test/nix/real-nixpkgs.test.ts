import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkout, evaluate, nix, standIn } from './nix.ts';

/**
 * The stand-in against the real thing: `LAB_REAL_NIXPKGS=/path/to/nixpkgs npx vitest run test/nix/real-nixpkgs`.
 * A checkout of nixpkgs, or its `lib` alone; with the whole, the machines of hosts/ are evaluated on it, too.
 */
const nixpkgs = process.env.LAB_REAL_NIXPKGS;

/** The option that an error message is about, and what it says of it. */
const gist = (stderr: string): string => {
  const text = stderr.replaceAll(/\u001b\[[0-9;]*m/g, '');
  const error = text.slice(text.lastIndexOf('error:')).replaceAll(/\s+/g, ' ');
  const option = /(lab\.machine[^`']*)[`']/.exec(error)?.[1] ?? error.slice(0, 200);
  const kinds = [
    'is not of type',
    'does not exist',
    'conflicting',
    'no value defined',
    'read-only',
    'null and not null',
  ];
  const kind = kinds.find((words) => error.includes(words)) ?? 'other';
  return `${option}: ${kind}`;
};

if (nixpkgs === undefined) {
  test('the comparison with the real nixpkgs DID NOT RUN: LAB_REAL_NIXPKGS is not set', () => {
    console.warn(
      '\nNOT COMPARED: the stand-in for nixpkgs was not held against the real one on this machine.\n' +
        'Set LAB_REAL_NIXPKGS to a checkout of nixpkgs (its lib/ is enough) to do so.\n',
    );
    // What the comparison would have used is there.
    expect(existsSync(`${checkout}/test/nix/cases.nix`)).toBe(true);
  });
} else {
  const cases = (lib: string): string =>
    `(import ${checkout}/test/nix/evaluate.nix { lib = import ${lib}; })`;

  describe(`the module on the lib of ${nixpkgs}`, () => {
    test('gives the same values, problems and refusals for every case', async () => {
      const [mine, real] = await Promise.all([
        evaluate(`${cases(`${standIn}/lib`)}.table`),
        evaluate(`${cases(`${nixpkgs}/lib`)}.table`),
      ]);
      expect(mine).toEqual(real);
    });

    test('refuses with the same reason for the same option', async () => {
      const names = (await evaluate(
        `builtins.attrNames (import ${checkout}/test/nix/cases.nix { inherit lib; }).refused`,
      )) as readonly string[];
      expect(names.length).toBeGreaterThan(40);
      for (const name of names) {
        const [mine, real] = await Promise.all(
          [`${standIn}/lib`, `${nixpkgs}/lib`].map((lib) =>
            nix('eval', '--impure', '--json', '--expr', `${cases(lib)}.refused "${name}"`),
          ),
        );
        expect(`${name}: ${gist(mine?.stderr ?? '')}`).toBe(`${name}: ${gist(real?.stderr ?? '')}`);
      }
    });
  });

  test('the stand-in’s NixOS under the real lib gives the same systems, to the last byte', async () => {
    const [mine, real] = await Promise.all(
      [`${standIn}/lib`, `${nixpkgs}/lib`].map((lib) =>
        evaluate(`
          let
            lib = import ${lib};
            packages.x86_64-linux = import ${standIn}/packages.nix { inherit lib; system = "x86_64-linux"; };
            other = {
              lib = lib // { nixosSystem = import ${standIn}/nixos { inherit lib packages; }; };
              legacyPackages = packages;
            };
            outputs = (import ${checkout}/flake.nix).outputs { self = outputs; nixpkgs = other; };
            # The two libs have versions of their own.
            versioned = machine: machine.extendModules { modules = [ { system.nixos.version = "same"; } ]; };
          in
          builtins.mapAttrs (_: m: (versioned m).config.system.build.toplevel.outPath) outputs.nixosConfigurations`),
      ),
    );
    expect(Object.keys(mine as object)).toHaveLength(4);
    expect(mine).toEqual(real);
  });

  if (existsSync(`${nixpkgs}/nixos/lib/eval-config.nix`)) {
    test('the machines of hosts/ evaluate on the whole of it, and say the same of themselves', async () => {
      const machine = 'm: removeAttrs m.config.lab.machine [ "problems" ]';
      const real = await evaluate(`
        let
          lib = import ${nixpkgs}/lib;
          nixosSystem = given: import ${nixpkgs}/nixos/lib/eval-config.nix ({ inherit lib; system = null; } // given);
          other = { lib = lib // { inherit nixosSystem; }; legacyPackages = { }; };
          outputs = (import ${checkout}/flake.nix).outputs { self = outputs; nixpkgs = other; };
        in
        builtins.mapAttrs (_: ${machine}) outputs.nixosConfigurations`);
      expect(real).toEqual(await evaluate(`builtins.mapAttrs (_: ${machine}) flake.nixosConfigurations`));
    }, 600_000);
  } else {
    console.warn(`\nNOT COMPARED: ${nixpkgs} is lib alone, so hosts/ were not evaluated on a real NixOS.\n`);
  }
}
