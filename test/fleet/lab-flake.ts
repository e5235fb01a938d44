import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestFleet } from './fleet.ts';
import { checked } from './host-scripts.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
/** What of the checkout makes the flake that others use as their input. */
const partsOfFlake = [
  'flake.nix',
  'flake.lock',
  'hosts',
  'nix',
  'package.json',
  'package-lock.json',
] as const;

/** Options of NixOS as JSON: `{ lab: { machine: … }, services: … }`. */
export type NixOptions = { readonly [option: string]: unknown };

/** One machine of the flake; see flake/flake.nix. */
export type FlakeMachine = {
  readonly example?: string;
  readonly config?: NixOptions;
  readonly force?: NixOptions;
  readonly program?: readonly string[];
};
export type FlakeMachines = Readonly<Record<string, FlakeMachine>>;

/** A flake of the fleet's machines, in git, on a nixpkgs of its own that can be moved on. Lives and dies with the fleet. */
export type LabFlake = {
  readonly folder: string;
  /** The repository of its input `nixpkgs`: a copy of the stand-in. */
  readonly nixpkgs: string;
  /** Describes the machines anew, all of them, and commits. */
  describe(machines: FlakeMachines): Promise<void>;
  /**
   * A commit in nixpkgs that the next update brings: `from` becomes `to` in the file `path`. Throws when `from` is not
   * there once.
   */
  release(path: string, from: string, to: string): Promise<void>;
  /** The same, for what every machine boots: the update is a reason to reboot. */
  releaseKernel(version: string): Promise<void>;
};

const knobs = 'nixos/modules/knobs.nix';
const kernelDefault = /(kernelVersion = lib\.mkOption \{\s+type = types\.str;\s+default = )"[^"]*";/u;

const flakeIn = (fleet: TestFleet, root: string): LabFlake => {
  const folder = join(root, 'flake');
  const nixpkgs = join(root, 'nixpkgs');
  const commit = async (repository: string, message: string): Promise<void> => {
    for (const words of [
      ['add', '--all'],
      ['commit', '--quiet', '--allow-empty', '--message', message],
    ])
      checked(`git ${words[0]}`, await fleet.run(['git', '-C', repository, ...words]));
  };
  const edit = async (path: string, change: (text: string) => string): Promise<void> => {
    const text = await readFile(join(nixpkgs, path), 'utf8');
    const changed = change(text);
    if (changed === text) throw new Error(`nothing changes in ${path} of the stand-in`);
    await writeFile(join(nixpkgs, path), changed);
  };
  return {
    folder,
    nixpkgs,
    describe: async (machines) => {
      await writeFile(join(folder, 'machines.json'), `${JSON.stringify(machines, null, 2)}\n`);
      await commit(folder, 'Describe the machines');
    },
    release: async (path, from, to) => {
      await edit(path, (text) => {
        if (text.split(from).length !== 2)
          throw new Error(`"${from}" is not once in ${path} of the stand-in`);
        return text.replace(from, () => to);
      });
      await commit(nixpkgs, `${path}: ${to}`);
    },
    releaseKernel: async (version) => {
      await edit(knobs, (text) => text.replace(kernelDefault, `$1${JSON.stringify(version)};`));
      await commit(nixpkgs, `linux: ${version}`);
    },
  };
};

const nixSystem = (): string => (process.arch === 'arm64' ? 'aarch64-linux' : 'x86_64-linux');

/** Makes the flake of a fleet, with its lock file. Its machines are those given. */
export const makeLabFlake = async (fleet: TestFleet, machines: FlakeMachines): Promise<LabFlake> => {
  const root = join(fleet.directory, 'lab');
  const made = flakeIn(fleet, root);
  const lab = join(root, 'checkout');
  await mkdir(made.folder, { recursive: true });
  await cp(join(checkout, 'test', 'nixpkgs-stand-in'), made.nixpkgs, { recursive: true });
  for (const part of partsOfFlake) await cp(join(checkout, part), join(lab, part), { recursive: true });
  const template = await readFile(new URL('flake/flake.nix', import.meta.url), 'utf8');
  await writeFile(
    join(made.folder, 'flake.nix'),
    template
      .replace('@nixpkgs@', `git+file://${made.nixpkgs}`)
      .replace('@lab@', `path:${lab}`)
      .replace('@system@', nixSystem()),
  );
  for (const repository of [made.nixpkgs, made.folder])
    checked('git init', await fleet.run(['git', 'init', '--quiet', repository]));
  await made.release('README.md', '# A stand-in for nixpkgs', '# The nixpkgs of this fleet');
  await made.describe(machines);
  const features = ['--extra-experimental-features', 'nix-command flakes'];
  checked('nix flake lock', await fleet.run(['nix', ...features, 'flake', 'lock', made.folder]));
  await made.describe(machines);
  return made;
};

/** The flake that was made for this fleet earlier. */
export const openLabFlake = (fleet: TestFleet): LabFlake => flakeIn(fleet, join(fleet.directory, 'lab'));

/** Waits that suit hosts which boot in a second, instead of those that suit real machines. */
export const quickly = {
  lab: {
    machine: {
      orchestration: { rebootDelay: 0 },
      // They have booted moments ago, all of them.
      reboot: { stable: 1, minUptime: 0, deadlines: { down: 60, up: 180, healthy: 120 } },
    },
  },
} as const satisfies NixOptions;

/** The machines of hosts/ that are in this fleet, without the long waits; the other hosts as machines with a web page. */
export const exampleMachines = async (fleet: TestFleet): Promise<FlakeMachines> => {
  const entries = await readdir(join(checkout, 'hosts'), { withFileTypes: true });
  const examples = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name));
  return Object.fromEntries(
    fleet.hosts.map(({ name, address }): [string, FlakeMachine] => [
      name,
      examples.has(name)
        ? { example: name, force: quickly }
        : {
            config: {
              lab: {
                machine: {
                  role: 'web-server',
                  groups: ['extra'],
                  addresses: [address],
                  ssh: { user: 'lab' },
                  healthChecks: ['http://localhost:80/'],
                },
              },
              services: { nginx: { enable: true } },
            },
            force: quickly,
          },
    ]),
  );
};
