import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createNix, type NixSettings } from '../../src/nix-integration/create-nix.ts';
import type { LockProposal, LockWrite, Nix } from '../../src/ports.ts';
import { runProcess } from '../../src/process/run.ts';

/**
 * A folder for one test file with a Nix store of its own, so that tests of the real Nix leave nothing behind, need
 * no root and no group nixbld, and never ask the network. Fixture flakes have no inputs: their machines are plain
 * attribute sets of the shape that `nix/fleet.nix` reads.
 */

export const fleetExpression = readFileSync(new URL('../../nix/fleet.nix', import.meta.url), 'utf8');

export const settings = [
  { name: 'sandbox', value: 'false' },
  { name: 'build-users-group', value: '' },
  { name: 'substituters', value: '' },
  { name: 'flake-registry', value: '' },
] as const;

export type World = {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Writes files below `name` and gives the folder's path. */
  readonly tree: (name: string, files: Readonly<Record<string, string>>) => string;
  /** As `tree`, tracked by a git repository of its own with one commit. */
  readonly repository: (name: string, files: Readonly<Record<string, string>>) => string;
  readonly git: (folder: string, ...words: string[]) => string;
  readonly nix: (flake: string, more?: Partial<NixSettings>) => ReturnType<typeof createNix>;
  readonly remove: () => void;
};

export const makeWorld = (): World => {
  // Nix refuses paths through symbolic links such as /tmp on some systems; a plain temporary folder is none.
  const folder = mkdtempSync(join(tmpdir(), 'lab-nix-'));
  const env = {
    NIX_STORE_DIR: join(folder, 'nix/store'),
    NIX_STATE_DIR: join(folder, 'nix/var'),
    NIX_LOG_DIR: join(folder, 'nix/log'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    HOME: folder,
  };
  // Two processes that make a new store at the same time get into each other's way.
  execFileSync('nix-store', ['--init'], { env: { ...process.env, ...env } });
  const git = (where: string, ...words: string[]): string =>
    execFileSync(
      'git',
      [
        '-c',
        'user.name=Test',
        '-c',
        'user.email=test@example.org',
        '-c',
        'init.defaultBranch=main',
        '-C',
        where,
        ...words,
      ],
      { encoding: 'utf8', env: { ...process.env, HOME: folder }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
  const tree = (name: string, files: Readonly<Record<string, string>>): string => {
    const root = join(folder, name);
    for (const [path, text] of Object.entries(files)) {
      const whole = join(root, path);
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, text);
    }
    return root;
  };
  return {
    folder,
    env,
    git,
    tree,
    repository: (name, files) => {
      const root = tree(name, files);
      if (!existsSync(join(root, '.git'))) git(root, 'init', '-q');
      git(root, 'add', '-A');
      git(root, 'commit', '-q', '-m', 'fixture');
      return root;
    },
    nix: (flake, more = {}) =>
      createNix({
        flake,
        cwd: folder,
        runProcess,
        clock: systemClock,
        resources: { cores: 2, freeMemoryBytes: () => 2e9 },
        fleetExpression,
        settings,
        env,
        ...more,
      }),
    remove: () => {
      // The store is read-only.
      execFileSync('chmod', ['-R', 'u+w', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** A machine of a fixture flake, as Nix text. `lab` is the value of `config.lab.machine`. */
export const machineText = (hostName: string, lab: string, more = ''): string => `{
  config = {
    networking.hostName = "${hostName}";
    lab.machine = ${lab};
    ${more}
  };
  pkgs.stdenv.hostPlatform.system = "x86_64-linux";
}`;

/** A flake without inputs; `machines` are the attributes of nixosConfigurations as Nix text. */
export const flakeText = (machines: Readonly<Record<string, string>>, more = ''): string => `{
  outputs = { self }: {
    ${more}
    nixosConfigurations = {
${Object.entries(machines)
  .map(([name, text]) => `      ${JSON.stringify(name)} = ${text};`)
  .join('\n')}
    };
  };
}
`;

/** The value of a result that must have succeeded; its failure is shown otherwise. */
export const succeeded = <T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: unknown },
): T => {
  if (!result.ok) expect.fail(`failed: ${JSON.stringify(result.failure, null, 2)}`);
  return result.value;
};

/** The failure of a result that must have failed. */
export const failureOf = <F>(
  result: { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly failure: F },
): F => {
  if (result.ok) expect.fail(`succeeded: ${JSON.stringify(result.value, null, 2).slice(0, 2_000)}`);
  return result.failure;
};

/** Moves flake.lock as `lab` does, where something moves. */
export const moveLock = async (
  nix: Nix,
  inputs: readonly string[] = [],
): Promise<LockProposal & { readonly write: LockWrite }> => {
  const proposed = succeeded(await nix.proposeUpdate(inputs, {}));
  const { write } = proposed;
  if (write === null) throw new Error('nothing moves');
  succeeded(await nix.writeLock(write));
  return { ...proposed, write };
};
