import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Machine } from '../../src/fleet/machine.ts';
import type { ProcessResult } from '../../src/process/run.ts';
import { checkout, nix, standIn } from './nix.ts';

/** A flake of machines in all states of health, evaluated as `lab` does it: the file is an argument of `--apply`. */
const flakeText = `{
  inputs.nixpkgs.url = "path:${standIn}";
  inputs.modules = { url = "path:${checkout}/nix/modules"; flake = false; };
  outputs = { nixpkgs, modules, ... }:
    let
      inherit (nixpkgs) lib;
      plain = module: lib.nixosSystem {
        modules = [ { nixpkgs.hostPlatform = "x86_64-linux"; } module ];
      };
      machine = module: plain { imports = [ "\${modules}/lab-machine.nix" module ]; };
      removed = { options.services.redis.enable = lib.mkOption { visible = false; apply = _: abort "removed"; }; };
    in {
      nixosConfigurations = {
        full = machine {
          networking.hostName = "full-host";
          lab.machine = {
            role = "nas";
            groups = [ "infrastructure" ];
            rebootOrder = 3;
            dependencies = [ "bare" ];
            addresses = [ "10.1.1.1" "10.1.1.2" ];
            ssh.port = 2222;
            healthChecks = [
              { type = "http"; url = "http://localhost/"; expectedBody = "ok"; timeout = 7; retries = 1; interval = 2; }
              "tcp:22"
              { type = "tcp"; port = 443; from = "orchestrator"; name = "outside"; }
              "systemd:sshd.service"
              "command:test \\"a b\\" = 'a b'"
            ];
            orchestration.rebootDelay = 0;
          };
        };
        bare = machine { networking.hostName = "bare"; };
        foreign = plain { networking.hostName = "foreign"; };
        seed-module = plain {
          networking.hostName = "seed";
          imports = [ {
            options.lab.machine = lib.mkOption { type = lib.types.attrs; };
            config.lab.machine = {
              role = "web"; groups = [ ]; rebootOrder = 1; dependencies = [ ];
              healthChecks = [ { type = "tcp"; port = 80; url = null; command = null; } ];
              orchestration = { deployStrategy = "rolling"; rebootDelay = 600; criticalityLevel = "low"; };
            };
          } ];
        };
        old-style = {
          config.networking.hostName = "old";
          options = { };
          pkgs.stdenv.hostPlatform.system = "aarch64-linux";
        };
        before-21-11 = {
          config.networking.hostName = "before";
          config.nixpkgs.localSystem.system = "aarch64-linux";
          options = throw "all modules were evaluated once more";
        };
        crossed-before-21-11 = {
          config.networking.hostName = "crossed";
          config.nixpkgs = { localSystem.system = "x86_64-linux"; crossSystem.system = "armv7l-linux"; };
        };
        incomplete = machine { lab.machine.healthChecks = [ { type = "http"; } ]; };
        typo = machine { lab.machine.rolle = "nas"; };
        loops = machine ({ config, ... }: { networking.hostName = config.networking.hostName; });
        services = machine {
          imports = [ removed ];
          services.nginx.enable = true;
          services.nfs.server.enable = true;
          services.printing.enable = false;
          services.samba.enable = lib.mkIf false true;
          services.jellyfin.enable = lib.mkForce true;
          services.desktopManager.plasma6.enable = true;
          services.postgresql.enable = throw "nobody can say";
        };
        services-removed = machine { imports = [ removed ]; services.redis.enable = true; };
      };
    };
}`;

let folder: string;
let fleet: string;
let services: string;
beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/lab-fleet-expression-`);
  await writeFile(`${folder}/flake.nix`, flakeText);
  fleet = await readFile(`${checkout}/nix/fleet.nix`, 'utf8');
  services = await readFile(`${checkout}/nix/enabled-services.nix`, 'utf8');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const apply = (expression: string, names: readonly string[]): Promise<ProcessResult> =>
  nix(
    'eval',
    '--json',
    '--no-write-lock-file',
    '--show-trace',
    `path:${folder}#nixosConfigurations`,
    '--apply',
    `(${expression}) [ ${names.map((name) => JSON.stringify(name)).join(' ')} ]`,
  );
const records = async (...names: readonly string[]): Promise<readonly Record<string, unknown>[]> => {
  const result = await apply(fleet, names);
  if (result.code !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout) as Record<string, unknown>[];
};
const markers = (stderr: string): readonly string[] =>
  [...stderr.matchAll(/^trace: @lab (\w+ [\w-]+)/gm)].map((match) => match[1] ?? '');

describe('the record of a machine', () => {
  test('has the shape of the program’s schema, with each check as its kind needs it', async () => {
    const [record] = await records('full');
    expect(record).toMatchObject({ labMachine: true });
    expect(Machine.parse(record)).toEqual({
      name: 'full',
      hostName: 'full-host',
      system: 'x86_64-linux',
      role: 'nas',
      groups: ['infrastructure'],
      rebootOrder: 3,
      dependencies: ['bare'],
      orchestrator: false,
      addresses: ['10.1.1.1', '10.1.1.2'],
      ssh: { host: null, port: 2222, user: null },
      healthChecks: [
        {
          type: 'http',
          name: null,
          from: 'target',
          timeoutSeconds: 7,
          retries: 1,
          intervalSeconds: 2,
          url: 'http://localhost/',
          expectedStatus: 200,
          expectedBody: 'ok',
        },
        {
          type: 'tcp',
          name: null,
          from: 'target',
          timeoutSeconds: 10,
          retries: 3,
          intervalSeconds: 5,
          host: 'localhost',
          port: 22,
        },
        {
          type: 'tcp',
          name: 'outside',
          from: 'orchestrator',
          timeoutSeconds: 10,
          retries: 3,
          intervalSeconds: 5,
          // Not the orchestrator's own localhost: where ssh would find the machine.
          host: '10.1.1.1',
          port: 443,
        },
        {
          type: 'systemd',
          name: null,
          from: 'target',
          timeoutSeconds: 10,
          retries: 3,
          intervalSeconds: 5,
          unit: 'sshd.service',
        },
        {
          type: 'command',
          name: null,
          from: 'target',
          timeoutSeconds: 10,
          retries: 3,
          intervalSeconds: 5,
          command: `test "a b" = 'a b'`,
        },
      ],
      orchestration: {
        deployStrategy: 'rolling',
        rebootDelay: 0,
        rebootDelayIsOwn: true,
        criticalityLevel: 'medium',
      },
      reboot: {
        policy: 'when-needed',
        deadlines: { down: 300, up: 600, healthy: 300 },
        stable: 30,
        blockOnUsers: 'active',
        minUptime: 300,
      },
    });
  });

  test('of a machine without the module says so, and has the module’s defaults', async () => {
    const [bare, foreign] = await records('bare', 'foreign');
    expect(foreign).toEqual({ ...bare, name: 'foreign', hostName: 'foreign', labMachine: false });
    expect(bare).toMatchObject({ name: 'bare', labMachine: true, role: null, rebootOrder: null });
    Machine.parse(foreign);
  });

  test('of machines with the user’s own smaller module, or made by hand, is complete all the same', async () => {
    const [seed, old] = (await records('seed-module', 'old-style')).map((record) => Machine.parse(record));
    expect(seed).toMatchObject({
      role: 'web',
      healthChecks: [{ type: 'tcp', host: 'localhost', port: 80 }],
      orchestration: { rebootDelay: 600, criticalityLevel: 'low' },
      ssh: { host: null, port: null, user: null },
    });
    expect(old).toMatchObject({ name: 'old-style', hostName: 'old', system: 'aarch64-linux', role: null });
  });

  test('of machines of an old NixOS is told from `config` alone, which costs half', async () => {
    const [plain, crossed] = await records('before-21-11', 'crossed-before-21-11');
    expect(plain).toMatchObject({ hostName: 'before', system: 'aarch64-linux' });
    expect(crossed).toMatchObject({ hostName: 'crossed', system: 'armv7l-linux' });
  });
});

describe('what is told on the way', () => {
  test('each machine is announced before it is evaluated and told when it is done, in order', async () => {
    const result = await apply(fleet, ['foreign', 'bare', 'full']);
    expect(markers(result.stderr)).toEqual([
      'begin foreign',
      'ok foreign',
      'begin bare',
      'ok bare',
      'begin full',
      'ok full',
    ]);
    const told = /^trace: @lab ok bare (\{.*\})$/m.exec(result.stderr)?.[1] ?? '';
    expect(JSON.parse(told)).toEqual((JSON.parse(result.stdout) as unknown[])[1]);
  });

  test.each([
    ['incomplete', 'lab.machine.healthChecks, entry 1 (http): a check of type "http" needs `url`'],
    ['typo', "The option `lab.machine.rolle' does not exist."],
    ['loops', 'infinite recursion encountered'],
    ['nowhere', 'the flake has no nixosConfigurations.nowhere'],
  ])('%s is the last to begin, and the error names it', async (name, cause) => {
    const result = await apply(fleet, ['bare', name, 'full']);
    expect(result.code).not.toBe(0);
    expect(markers(result.stderr)).toEqual(['begin bare', 'ok bare', `begin ${name}`]);
    expect(result.stderr).toContain(cause);
    expect(result.stderr).toContain(`@lab host ${name}`);
  });

  test('the files are small enough to be an argument and import nothing', () => {
    for (const text of [fleet, services]) {
      expect(Buffer.byteLength(text)).toBeLessThan(100 * 1024);
      expect(text).not.toMatch(/^[^#]*\bimport\b/m);
    }
  });
});

describe('the enabled services', () => {
  test('are those the configuration sets to true, one level down as well; what cannot be asked is left out', async () => {
    const result = await apply(services, ['services', 'bare']);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toEqual([
      { name: 'services', services: ['desktopManager.plasma6', 'jellyfin', 'nfs.server', 'nginx'] },
      { name: 'bare', services: [] },
    ]);
    expect(markers(result.stderr)).toEqual(['begin services', 'ok services', 'begin bare', 'ok bare']);
  });

  test('of a machine that sets a removed service are listed without it', async () => {
    const result = await apply(services, ['services-removed', 'bare']);
    expect(JSON.parse(result.stdout)).toEqual([
      { name: 'services-removed', services: [] },
      { name: 'bare', services: [] },
    ]);
  });
});
