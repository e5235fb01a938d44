import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ProcessResult, runProcess } from '../../src/process/run.ts';
import { build, checkout, evaluate, refusal, standIn } from './nix.ts';

/** Generations of one machine, each with one thing changed. Built in one go. */
const generations = {
  first: `{
    environment.etc."first-only/note".text = "of the first generation";
    environment.etc."motd".text = "one\\n";
    services.nginx.enable = true;
    boot.kernelParams = [ "quiet" "loglevel=3" ];
  }`,
  etc: `{ environment.etc."motd".text = "two\\n"; services.nginx.enable = true; boot.kernelParams = [ "quiet" "loglevel=3" ]; }`,
  kernel: '{ lab-stand-in.kernelVersion = "6.12.2"; }',
  initrd: '{ lab-stand-in.initrdVersion = "2"; }',
  systemd: '{ lab-stand-in.systemdVersion = "258.1"; }',
  params: '{ boot.kernelParams = [ "quiet" ]; }',
  plain: '{ }',
  generation: '{ lab-stand-in.generation = "later"; }',
  heavy: '{ lab-stand-in.payloadMiB = 3; lab-stand-in.switchInhibitors.systemd = "258"; }',
  units: `{
    lab-stand-in.failedUnit = "broken.service";
    lab-stand-in.units."raw.service" = "[Service]\\nExecStart=/bin/true\\n\\n[Install]\\nWantedBy=multi-user.target\\n";
    environment.systemPackages = [ (system { }).pkgs.git ];
  }`,
  exit1: '{ lab-stand-in.switchExitCode = 1; }',
  exit2: '{ lab-stand-in.switchExitCode = 2; }',
  exit4: '{ lab-stand-in.switchExitCode = 4; }',
  exit100: '{ lab-stand-in.switchExitCode = 100; }',
} as const;
type Generation = keyof typeof generations;
const names = Object.keys(generations) as Generation[];

let paths: Readonly<Record<string, string>>;
const toplevel = (name: Generation): string => paths[name] ?? '';

beforeAll(async () => {
  const list = names.map((name) => `(system ${generations[name]}).config.system.build.toplevel`);
  const outputs = await build(`[ ${list.join(' ')} ]`);
  paths = Object.fromEntries(names.map((name, index) => [name, outputs[index] ?? '']));
});

const parts = ['kernel', 'initrd', 'kernel-modules', 'systemd', 'kernel-params'] as const;
const partsOf = async (name: Generation): Promise<readonly string[]> =>
  Promise.all(
    parts.map((part) =>
      part === 'kernel-params'
        ? readFile(`${toplevel(name)}/${part}`, 'utf8')
        : readlink(`${toplevel(name)}/${part}`),
    ),
  );

describe('a toplevel', () => {
  test('is a real store path with what a NixOS toplevel has', async () => {
    expect(toplevel('first')).toMatch(/^\/nix\/store\/[a-z0-9]{32}-nixos-system-box-26\.05\.stand-in$/);
    expect(await readdir(toplevel('first'))).toEqual(
      expect.arrayContaining(['activate', 'bin', 'etc', 'init', 'nixos-version', 'sw', 'system', ...parts]),
    );
    expect(await readFile(`${toplevel('first')}/nixos-version`, 'utf8')).toBe('26.05.stand-in');
    expect(await readFile(`${toplevel('first')}/kernel-params`, 'utf8')).toBe('quiet loglevel=3');
    expect(await readFile(`${toplevel('first')}/etc/motd`, 'utf8')).toBe('one\n');
    expect(await readFile(`${toplevel('first')}/kernel`, 'utf8')).toContain('6.12.1');
  });

  test('changes the parts that the knobs name, and no other', async () => {
    const plain = await partsOf('plain');
    const changed = async (name: Generation): Promise<readonly string[]> => {
      const other = await partsOf(name);
      return parts.filter((_, index) => other[index] !== plain[index]);
    };
    expect(await changed('kernel')).toEqual(['kernel', 'initrd', 'kernel-modules']);
    expect(await changed('initrd')).toEqual(['initrd']);
    expect(await changed('systemd')).toEqual(['systemd']);
    expect(await changed('params')).toEqual(['kernel-params']);
    expect(await changed('generation')).toEqual([]);
    expect(toplevel('generation')).not.toBe(toplevel('plain'));
  });

  test('weighs what it is told to weigh', async () => {
    expect((await readFile(`${toplevel('heavy')}/lab-stand-in/payload`)).byteLength).toBe(3 * 1024 * 1024);
    expect(JSON.parse(await readFile(`${toplevel('heavy')}/switch-inhibitors`, 'utf8'))).toEqual({
      systemd: '258',
    });
  });

  test('holds units with the links that start them, and the programs of its packages', async () => {
    const system = `${toplevel('units')}/etc/systemd/system`;
    expect((await readdir(`${system}/multi-user.target.wants`)).sort()).toEqual([
      'broken.service',
      'raw.service',
    ]);
    expect(await readFile(`${system}/broken.service`, 'utf8')).toContain('exit 1');
    expect(await readdir(`${toplevel('units')}/sw/bin`)).toEqual(['git']);
    expect(await readFile(`${toplevel('first')}/etc/systemd/system/nginx.service`, 'utf8')).toMatch(
      /ExecStart=\/usr\/bin\/perl \/nix\/store\/\S+-listener\.pl http:80$/m,
    );
  });
});

test('its packages of programs lead to programs, those that the shell knows itself too', async () => {
  const [coreutils = ''] = await build('[ (system { }).pkgs.coreutils ]');
  for (const name of ['true', 'test', 'echo', 'cat'])
    expect(await realpath(`${coreutils}/bin/${name}`)).toMatch(/^\/(usr\/)?bin\//u);
});

describe('switch-to-configuration', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(`${tmpdir()}/lab-stand-in-`);
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  const fresh = async (): Promise<string> => mkdtemp(`${root}/host-`);
  const run = (host: string, name: Generation, action: string): Promise<ProcessResult> =>
    runProcess([`${toplevel(name)}/bin/switch-to-configuration`, action], {
      deadlineMs: 20_000,
      env: { LAB_STAND_IN_ROOT: host },
    });
  const current = (host: string): Promise<string | null> =>
    readlink(`${host}/run/current-system`).catch(() => null);
  const bootDefault = (host: string): Promise<string | null> =>
    readFile(`${host}/boot/default-toplevel`, 'utf8').catch(() => null);

  test('switch makes it live and the boot default; test only live; boot only the default', async () => {
    const host = await fresh();
    expect(await run(host, 'first', 'switch')).toMatchObject({ code: 0 });
    expect(await current(host)).toBe(toplevel('first'));
    expect(await bootDefault(host)).toBe(`${toplevel('first')}\n`);

    expect(await run(host, 'etc', 'test')).toMatchObject({ code: 0 });
    expect(await current(host)).toBe(toplevel('etc'));
    expect(await bootDefault(host)).toBe(`${toplevel('first')}\n`);

    expect(await run(host, 'kernel', 'boot')).toMatchObject({ code: 0 });
    expect(await current(host)).toBe(toplevel('etc'));
    expect(await bootDefault(host)).toBe(`${toplevel('kernel')}\n`);

    expect(await run(host, 'plain', 'dry-activate')).toMatchObject({ code: 0 });
    expect(await current(host)).toBe(toplevel('etc'));
    expect(await bootDefault(host)).toBe(`${toplevel('kernel')}\n`);
  });

  test('links the files of the generation below /etc, takes away those of the one before, and spares others', async () => {
    const host = await fresh();
    await mkdir(`${host}/etc/systemd/system`, { recursive: true });
    await writeFile(`${host}/etc/hostname`, 'mine\n');
    await symlink('/dev/null', `${host}/etc/systemd/system/masked.service`);
    await run(host, 'first', 'switch');
    expect(await readFile(`${host}/etc/motd`, 'utf8')).toBe('one\n');
    expect(await readFile(`${host}/etc/first-only/note`, 'utf8')).toBe('of the first generation');
    expect(await readlink(`${host}/etc/systemd/system/nginx.service`)).toMatch(/^\/nix\/store\//);

    await run(host, 'etc', 'switch');
    expect(await readFile(`${host}/etc/motd`, 'utf8')).toBe('two\n');
    await expect(readdir(`${host}/etc/first-only`)).rejects.toThrow('ENOENT');

    await run(host, 'plain', 'switch');
    expect((await readdir(`${host}/etc/systemd/system`)).sort()).toEqual(['masked.service']);
    expect(await readFile(`${host}/etc/hostname`, 'utf8')).toBe('mine\n');
  });

  test.each([
    ['exit1', 1, null, null],
    ['exit2', 2, 'live', 'default'],
    ['exit4', 4, 'live', 'default'],
    ['exit100', 100, null, 'default'],
  ] as const)(
    '%s: ends with %i, having done what NixOS has done by then',
    async (name, code, live, entry) => {
      const host = await fresh();
      const result = await run(host, name, 'switch');
      expect(result).toMatchObject({ code });
      expect(await current(host)).toBe(live === null ? null : toplevel(name));
      expect(await bootDefault(host)).toBe(entry === null ? null : `${toplevel(name)}\n`);
      if (code === 4)
        expect(result.stderr).toContain('warning: the following units failed: lab-stand-in.service');
    },
  );

  test('two at once: the second is refused by the lock', async () => {
    const host = await fresh();
    await mkdir(`${host}/run/nixos`, { recursive: true });
    const lock = `${host}/run/nixos/switch-to-configuration.lock`;
    const result = await runProcess(
      ['flock', lock, `${toplevel('plain')}/bin/switch-to-configuration`, 'switch'],
      { deadlineMs: 20_000, env: { LAB_STAND_IN_ROOT: host } },
    );
    expect(result).toMatchObject({ code: 1, stderr: 'Could not acquire lock\n' });
    expect(await current(host)).toBeNull();
  });

  test('knows four actions', async () => {
    expect(await run(await fresh(), 'plain', 'rollback')).toMatchObject({ code: 1 });
  });

  test('refuses a machine that is not there to be thrown away', async () => {
    const overlay = await runProcess(['stat', '-f', '-c', '%T', '/'], { deadlineMs: 5_000 });
    if (overlay.stdout.trim() === 'overlayfs') {
      console.warn(
        'NOT CHECKED: this machine’s root is an overlay, which counts as a test host, so nothing would be refused',
      );
      return;
    }
    // As nobody: if the refusal were broken, this machine would not suffer for it.
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const result = await runProcess(
      [...(process.getuid?.() === 0 ? nobody : []), `${toplevel('plain')}/activate`],
      { deadlineMs: 20_000 },
    );
    expect(result).toMatchObject({ code: 1 });
    expect(result.stderr).toMatch(/stand-in for tests/);
  });
});

describe('the module system', () => {
  test.each([
    [
      'an option that does not exist',
      '{ services.ngnix.enable = true; }',
      "error: The option `services.ngnix' does not exist. Definition values: - In `<unknown-file>': { enable = true; } Did you mean `services.nginx'?",
    ],
    [
      'a value of another type',
      '{ networking.hostName = lib.mkForce 5; }',
      "error: A definition for option `networking.hostName' is not of type `string'. Definition values: - In `<unknown-file>': 5",
    ],
    [
      'an unknown option in a definition that is off',
      '{ nonsense = lib.mkIf false true; }',
      "error: The option `nonsense' does not exist.",
    ],
    [
      'a module that mixes both forms',
      '{ config = { }; services = { }; }',
      'has an unsupported attribute `services',
    ],
    ['a file that is not there', '{ imports = [ /nonexistent/module.nix ]; }', '/nonexistent/module.nix'],
    [
      'an option declared twice',
      '{ options.networking.hostName = lib.mkOption { }; }',
      "The option `networking.hostName' in",
    ],
    [
      'a failed assertion',
      '{ assertions = [ { assertion = false; message = "one"; } { assertion = true; message = "two"; } ]; }',
      'error: Failed assertions: - one',
    ],
  ])('says of %s what nixpkgs says', async (_, module, message) => {
    expect(await refusal(`(system ${module}).config.system.build.toplevel.drvPath`)).toContain(message);
  });

  test('evaluates one machine down to its derivation in little time', async () => {
    const started = performance.now();
    const count = 20;
    await evaluate(
      `map (n: (system { networking.hostName = "box\${toString n}"; }).config.system.build.toplevel.drvPath) (lib.range 1 ${count})`,
    );
    // It is a hundredth of this on a computer that has nothing else to do.
    expect((performance.now() - started) / count).toBeLessThan(1_500);
  });
});

test('this folder is a flake of its own that needs no lock and no network', async () => {
  expect(await evaluate(`builtins.attrNames ((import ${standIn}/flake.nix).outputs { })`)).toEqual([
    'legacyPackages',
    'lib',
  ]);
  expect(await evaluate(`builtins.pathExists ${checkout}/test/nixpkgs-stand-in/flake.lock`)).toBe(false);
});
