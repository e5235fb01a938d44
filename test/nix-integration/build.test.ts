import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Progress } from '../../src/ports.ts';
import { runProcess } from '../../src/process/run.ts';
import { failureOf, makeWorld, succeeded } from './world.ts';

const world = makeWorld();
afterAll(world.remove);

const flakeNix = `{
  outputs = { self }:
    let
      make = name: script: needs: derivation {
        inherit name needs;
        system = "${process.arch === 'arm64' ? 'aarch64-linux' : 'x86_64-linux'}";
        builder = "/bin/sh";
        args = [ "-c" "PATH=/bin:/usr/bin\\n\${script}" ];
      };
      part = name: make name "echo \${name} > $out" [ ];
      broken = make "broken-part" "echo one; echo two >&2; exit 3" [ ];
      system = name: script: needs: { config.system.build.toplevel = make "nixos-system-\${name}" script needs; };
      whole = ''
        mkdir $out
        ln -s \${part "kernel"} $out/kernel
        ln -s \${part "initrd"} $out/initrd
        ln -s \${part "modules"} $out/kernel-modules
        ln -s \${part "systemd"} $out/systemd
        echo "quiet  splash " > $out/kernel-params
      '';
    in
    {
      nixosConfigurations = {
        good = system "good" whole [ ];
        bare = system "bare" "echo nothing to boot; mkdir $out" [ ];
        late = system "late" "mkdir $out" [ ];
        bad = system "bad" "echo no such luck; exit 1" [ ];
        needs-broken = system "needs-broken" "mkdir $out" [ broken ];
        also-needs-broken = system "also-needs-broken" "mkdir $out" [ broken ];
        assertion.config.system.build.toplevel = throw "\\nFailed assertions:\\n- the disk is missing";
        text.config.system.build.toplevel = { drvPath = "x"; outPath = "y"; };
      };
    };
}
`;
const lab = world.repository('lab', { 'flake.nix': flakeNix });
const all = ['good', 'bare', 'bad', 'needs-broken', 'also-needs-broken', 'assertion', 'text', 'nowhere'];
const rootsDir = join(world.folder, 'roots');

test('toplevels are evaluated without being built', async () => {
  const { built, failed } = await world.nix(lab).toplevels(all, {});
  expect(built.map(({ machine, parts }) => [machine, parts])).toEqual(
    all.slice(0, 5).map((name) => [name, null]),
  );
  expect(built[0]?.drvPath).toMatch(/-nixos-system-good\.drv$/);
  expect(failed.map(({ machine, phase, message }) => [machine, phase, message])).toEqual([
    ['assertion', 'evaluate', 'Failed assertions: - the disk is missing'],
    ['text', 'evaluate', 'config.system.build.toplevel is not a derivation.'],
    ['nowhere', 'evaluate', expect.stringContaining("attribute 'nowhere' missing")],
  ]);
});

test('a build goes as far as it goes, and blames the derivation that failed', async () => {
  const lines: string[] = [];
  const told: Progress[] = [];
  const nix = world.nix(lab, { rootsDir });
  const { built, failed } = await nix.build(all, {
    onProgress: (line, progress) => {
      lines.push(line);
      if (progress !== undefined) told.push(progress);
    },
  });

  expect(built.map(({ machine }) => machine)).toEqual(['good', 'bare']);
  const [good, bare] = built;
  const part = (name: string) => expect.stringMatching(new RegExp(`^${world.folder}/nix/store/.*-${name}$`));
  expect(good?.parts).toEqual({
    kernel: part('kernel'),
    initrd: part('initrd'),
    modules: part('modules'),
    params: 'quiet  splash',
    systemd: part('systemd'),
  });
  expect(bare?.parts).toEqual({ kernel: null, initrd: null, modules: null, params: null, systemd: null });

  const byMachine = new Map(failed.map((failure) => [failure.machine, failure]));
  expect([...byMachine.keys()].toSorted()).toEqual(
    ['also-needs-broken', 'assertion', 'bad', 'needs-broken', 'nowhere', 'text'].toSorted(),
  );
  expect(byMachine.get('bad')).toMatchObject({
    kind: 'build',
    phase: 'build',
    message: expect.stringMatching(/^Building nixos-system-bad failed: .*exit code 1/),
    remedy: expect.stringMatching(/^See the whole log: nix log \/.*-nixos-system-bad\.drv$/),
    detail: ['no such luck'],
  });
  for (const machine of ['needs-broken', 'also-needs-broken']) {
    expect(byMachine.get(machine)).toMatchObject({
      kind: 'build',
      message: expect.stringMatching(/^Building broken-part failed: .*exit code 3/),
      detail: ['one', 'two'],
    });
  }
  expect(lines).toContain('building nixos-system-good');
  expect(lines).toContain('evaluated 8 of 8 systems');
  expect(lines.some((line) => /^built \d+ of \d+/.test(line))).toBe(true);

  // Nix does not say which build failed before the end, so no system that failed may be called built on the way.
  for (const name of told.flatMap((progress) => progress.built)) expect(['good', 'bare']).toContain(name);
  expect(told.at(-1)?.amounts.find(({ of }) => of === 'builds')?.done).toBeGreaterThanOrEqual(5);

  const roots = readdirSync(rootsDir).map((name) => realpathSync(join(rootsDir, name)));
  expect(roots.toSorted()).toEqual([good?.outPath, bare?.outPath].toSorted());
});

test('how far a build is, is told with what is built on the way', async () => {
  const told: Progress[] = [];
  const { built } = await world.nix(lab).build(['good', 'late'], {
    onProgress: (_line, progress) => {
      if (progress !== undefined) told.push(progress);
    },
  });
  expect(built).toHaveLength(2);
  expect(told.flatMap((progress) => progress.built)).toEqual(['good', 'late']);
  expect(told[0]?.amounts).toContainEqual({ of: 'systems', done: 1, all: 2 });
  expect(told.at(-1)?.amounts).toContainEqual({ of: 'systems', done: 2, all: 2 });
});

test('what is built already has its parts without a build', async () => {
  const { built } = await world.nix(lab).toplevels(['good', 'bad'], {});
  expect(built.map(({ machine, parts }) => [machine, parts?.params ?? null])).toEqual([
    ['good', 'quiet  splash'],
    ['bad', null],
  ]);
});

test('the closure of what is built lists every path with its size; of what is not built it says so', async () => {
  const nix = world.nix(lab);
  const { built } = await nix.toplevels(['good', 'bad'], {});
  const [good, bad] = built;
  const closure = succeeded(await nix.closure(good?.outPath ?? '', {}));
  expect(closure.map(({ path }) => path.slice(path.lastIndexOf('/') + 34)).toSorted()).toEqual([
    'initrd',
    'kernel',
    'modules',
    'nixos-system-good',
    'systemd',
  ]);
  expect(closure.every(({ bytes }) => bytes > 0)).toBe(true);
  expect(failureOf(await nix.closure(bad?.outPath ?? '', {}))).toMatchObject({ kind: 'not-here' });
  expect(failureOf(await nix.closure(good?.outPath ?? '', { signal: AbortSignal.abort() }))).toMatchObject({
    kind: 'cancelled',
  });
});

test('a cancelled build fails every machine as cancelled', async () => {
  const abort = new AbortController();
  const nix = world.nix(lab, {
    runProcess: (argv, options) => {
      if (argv[0] === 'nix-store') abort.abort();
      return runProcess(argv, options);
    },
  });
  const { built, failed } = await nix.build(['bad', 'good'], { signal: abort.signal });
  expect(built).toEqual([]);
  expect(failed.map(({ machine, kind }) => [machine, kind])).toEqual([
    ['bad', 'cancelled'],
    ['good', 'cancelled'],
  ]);
});

test('without Nix each machine says so', async () => {
  const { failed } = await world.nix(lab, { env: { PATH: '/nowhere' } }).build(['good', 'bad'], {});
  expect(failed.map(({ machine, kind }) => [machine, kind])).toEqual([
    ['good', 'nix-missing'],
    ['bad', 'nix-missing'],
  ]);
});

test('building nothing starts nothing', async () => {
  const nix = world.nix(lab, { runProcess: () => expect.fail('started a process') });
  expect(await nix.build([], {})).toEqual({ built: [], failed: [] });
  expect(await nix.toplevels([], {})).toEqual({ built: [], failed: [] });
});
