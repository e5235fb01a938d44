import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, freemem, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/clock.ts';
import { createNix, type NixSettings } from '../src/nix-integration/create-nix.ts';
import type { Nix } from '../src/ports.ts';
import { type ProcessResult, type RunProcess, runProcess } from '../src/process/run.ts';
import { nameOf } from './fleet.ts';
import { leaveNothing } from './leave-nothing.ts';

/**
 * A folder with a Nix store of its own and made-up flakes in it, so that a benchmark leaves nothing behind and never
 * asks the network.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const fleetExpression = readFileSync(join(root, 'nix', 'fleet.nix'), 'utf8');
const settings = [
  { name: 'sandbox', value: 'false' },
  { name: 'build-users-group', value: '' },
  { name: 'substituters', value: '' },
  { name: 'flake-registry', value: '' },
] as const;
const deadlineMs = 600_000;

/** Where nixosSystem comes from: the project's stand-in, or a checkout of the real nixpkgs. */
export type Nixpkgs = {
  readonly label: string;
  readonly input: string;
  /** Nix text of a function from modules to a configuration. */
  readonly system: string;
};

export const standIn: Nixpkgs = {
  label: "the tests' stand-in for nixpkgs",
  input: `url = "path:${join(root, 'test', 'nixpkgs-stand-in')}";`,
  system: 'modules: nixpkgs.lib.nixosSystem { system = "x86_64-linux"; inherit modules; }',
};

/** The checkout at `path`, or a sentence that says why it is none that can evaluate a machine. */
export const realNixpkgs = (path: string): Nixpkgs | string => {
  if (!existsSync(join(path, 'nixos', 'lib', 'eval-config.nix')))
    return `LAB_REAL_NIXPKGS=${path} holds no nixos/lib/eval-config.nix: a whole checkout is needed`;
  const version = ['lib/.version', '.version']
    .map((name) => join(path, name))
    .filter((name) => existsSync(name))
    .map((name) => readFileSync(name, 'utf8').trim())[0];
  return {
    label: `the real nixpkgs ${version ?? basename(path)}`,
    input: `url = "path:${path}"; flake = false;`,
    system:
      'modules: import (nixpkgs + "/nixos/lib/eval-config.nix") { system = "x86_64-linux"; inherit modules; }',
  };
};

/** An ordinary server with an ordinary lab.machine, as Nix text from `index`. */
const machineModule = `index: {
  networking.hostName = nameOf index;
  fileSystems."/" = { device = "/dev/disk/by-label/nixos"; fsType = "ext4"; };
  boot.loader.systemd-boot.enable = true;
  boot.initrd.availableKernelModules = [ "nvme" "xhci_pci" ];
  networking.firewall.allowedTCPPorts = [ 80 443 ];
  services.openssh.enable = true;
  services.postgresql.enable = true;
  lab.machine = {
    role = "server";
    groups = [ "servers" "rack-\${toString (index / 10)}" ];
    rebootOrder = index;
    dependencies = if index == 0 then [ ] else [ (nameOf (index - 1)) ];
    addresses = [ "10.77.0.\${toString index}" ];
    ssh.user = "lab";
    healthChecks = [
      "systemd:sshd.service"
      { type = "tcp"; port = 5432; }
      { type = "http"; url = "http://localhost:3000/health"; retries = 10; }
    ];
    orchestration = { deployStrategy = "blue-green"; rebootDelay = 60; criticalityLevel = "high"; };
    reboot.deadlines.up = 900;
  };
}`;

const flakeText = (nixpkgs: Nixpkgs, count: number): string => `{
  inputs.nixpkgs = { ${nixpkgs.input} };
  outputs = { self, nixpkgs }:
    let
      nixosSystem = ${nixpkgs.system};
      digits = text: if builtins.stringLength text < 4 then digits "0\${text}" else text;
      nameOf = index: "m\${digits (toString index)}";
      machine = ${machineModule};
    in
    {
      nixosConfigurations = builtins.listToAttrs (
        builtins.genList (index: {
          name = nameOf index;
          value = nixosSystem [ ./lab/lab-machine.nix (machine index) ];
        }) ${count}
      );
    };
}
`;

export type NixWorld = {
  readonly version: string;
  readonly folder: string;
  /** Writes a flake of so many machines, committed and locked, its nixpkgs already in the store; gives its folder. */
  readonly flakeOf: (nixpkgs: Nixpkgs, count: number) => Promise<string>;
  /** What `lab` uses. Its own cache is off unless `more` turns it on. */
  readonly labNix: (flake: string, more?: Partial<NixSettings>) => Nix;
  /** What a person would type to see one machine: `nix eval` of its lab.machine. */
  readonly evalOne: (flake: string, index: number) => Promise<void>;
  readonly remove: () => void;
};

const succeeded = (what: string, result: ProcessResult): ProcessResult => {
  if (result.code !== 0) throw new Error(`${what}: ${result.startError ?? result.stderr.slice(-2_000)}`);
  return result;
};

/** null where there is no Nix. */
export const openNixWorld = async (): Promise<NixWorld | null> => {
  const asked = await runProcess(['nix', '--version'], { deadlineMs });
  if (asked.code !== 0) return null;
  const folder = mkdtempSync(join(tmpdir(), 'lab-bench-nix-'));
  const remove = leaveNothing(() => {
    // The store is read-only.
    execFileSync('chmod', ['-R', 'u+w', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  const env = {
    NIX_STORE_DIR: join(folder, 'nix/store'),
    NIX_STATE_DIR: join(folder, 'nix/var'),
    NIX_LOG_DIR: join(folder, 'nix/log'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    HOME: folder,
  };
  const nix = (...words: readonly string[]): Promise<ProcessResult> =>
    runProcess(
      [
        'nix',
        '--extra-experimental-features',
        'nix-command flakes',
        ...settings.flatMap(({ name, value }) => ['--option', name, value]),
        ...words,
      ],
      { deadlineMs, env },
    );
  const git = (where: string, ...words: readonly string[]): void => {
    const who = [
      '-c',
      'user.name=Bench',
      '-c',
      'user.email=bench@example.org',
      '-c',
      'init.defaultBranch=main',
    ];
    execFileSync('git', [...who, '-C', where, ...words], {
      env: { ...process.env, HOME: folder },
      stdio: 'pipe',
    });
  };
  let flakes = 0;
  return {
    version: asked.stdout.trim(),
    folder,
    flakeOf: async (nixpkgs, count) => {
      flakes += 1;
      const flake = join(folder, `flake-${flakes}`);
      mkdirSync(flake);
      cpSync(join(root, 'nix', 'modules'), join(flake, 'lab'), { recursive: true });
      writeFileSync(join(flake, 'flake.nix'), flakeText(nixpkgs, count));
      git(flake, 'init', '-q');
      git(flake, 'add', '-A');
      succeeded('nix flake lock', await nix('flake', 'lock', flake));
      git(flake, 'add', '-A');
      git(flake, 'commit', '-q', '-m', `${count} machines`);
      return flake;
    },
    labNix: (flake, more = {}) =>
      createNix({
        flake,
        cwd: folder,
        runProcess,
        clock: systemClock,
        resources: { cores: availableParallelism(), freeMemoryBytes: freemem },
        fleetExpression,
        settings,
        env,
        ...more,
      }),
    evalOne: async (flake, index) => {
      const attribute = `${flake}#nixosConfigurations.${nameOf(index)}.config.lab.machine`;
      const result = succeeded(
        'nix eval',
        await nix('eval', '--json', '--option', 'eval-cache', 'false', attribute),
      );
      if (!result.stdout.includes('rebootDelay')) throw new Error(`nix eval: ${result.stdout.slice(0, 500)}`);
    },
    remove,
  };
};

/** Counts the Nix processes that are started. */
export const countingNix = (): { readonly runProcess: RunProcess; readonly started: () => number } => {
  let started = 0;
  return {
    runProcess: (argv, options) => {
      if (argv[0]?.startsWith('nix') === true) started += 1;
      return runProcess(argv, options);
    },
    started: () => started,
  };
};

/** Evaluates the flake and makes sure that all of its machines came out well. */
export const evaluateAll = async (nix: Nix, count: number): Promise<void> => {
  const evaluated = await nix.evaluate({});
  if (!evaluated.ok) throw new Error(JSON.stringify(evaluated.failure));
  const { machines, failed } = evaluated.value.fleet;
  if (machines.length !== count)
    throw new Error(`${machines.length} of ${count} machines: ${JSON.stringify(failed[0])}`);
};
