import { execFileSync, spawnSync } from 'node:child_process';
import { realpathSync, symlinkSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { exitCodeOfFailure } from '../../src/run/report.ts';
import { failureOf, flakeText, machineText, makeWorld, succeeded } from './world.ts';

const world = makeWorld();
afterAll(world.remove);

const nas = { nas: machineText('nas', '{ }') };
const failureFor = async (flake: string, more = {}) => failureOf(await world.nix(flake, more).evaluate({}));

test('no flake.nix, no folder, an attribute, nonsense: said before Nix is asked', async () => {
  world.tree('empty', { 'README.md': '' });
  world.tree('circle', { 'README.md': '' });
  for (const name of ['loop', 'circle/flake.nix'])
    symlinkSync(`${world.folder}/${name}`, `${world.folder}/${name}`);
  const never = { runProcess: () => expect.fail('started a process') };
  for (const [flake, message] of [
    [`${world.folder}/empty`, /is not a flake: there is no flake\.nix/],
    ['./empty', /is not a flake/],
    [`path:${world.folder}/empty`, /is not a flake/],
    [`git+file://${world.folder}/empty?dir=x`, /is not a flake/],
    [`${world.folder}/nowhere`, /There is no folder/],
    // Root may read all, so links in a circle stand for what cannot be looked at.
    [`${world.folder}/loop`, /loop is there cannot be told: ELOOP/],
    [`${world.folder}/circle`, /circle\/flake\.nix is there cannot be told: ELOOP/],
    ['.#nas', /names an attribute/],
    ['github:me/lab#nas', /names an attribute/],
    ['--impure', /is not a flake reference/],
    ['', /is not a flake reference/],
    ['a\nb', /is not a flake reference/],
  ] as const) {
    const failure = await failureFor(flake, never);
    expect(failure).toMatchObject({ kind: 'flake-reference', phase: 'evaluate', machine: null });
    expect(failure.message).toMatch(message);
    expect(failure.remedy).not.toBe('');
  }
  expect((await failureFor('#nas', never)).remedy).toBe('Give the flake alone: .');
});

test('no failure repeats the password in the address of a flake', async () => {
  for (const flake of [
    'git+https://me:s3cret@127.0.0.1:1/lab.git',
    'git+https://me:s3cret@git.lan/lab#nas',
  ]) {
    const failure = JSON.stringify(await failureFor(flake));
    expect(failure).toContain('me:...@');
    expect(failure).not.toContain('s3cret');
  }
});

test('a link to a flake is that flake', async () => {
  const none = world.repository('linked-to', { 'flake.nix': '{ outputs = { self }: { }; }' });
  symlinkSync(none, `${world.folder}/link`);
  expect(await failureFor(`${world.folder}/link`)).toMatchObject({ kind: 'no-configurations' });
});

test('a flake without machines', async () => {
  const none = world.repository('none', { 'flake.nix': '{ outputs = { self }: { }; }' });
  expect(await failureFor(none)).toMatchObject({
    kind: 'no-configurations',
    message: 'The flake has no nixosConfigurations.',
  });
  const bare = world.repository('bare', { 'flake.nix': flakeText({}) });
  expect(await failureFor(bare)).toMatchObject({ kind: 'no-configurations' });
});

test('a flake that is broken as a whole says where', async () => {
  const syntax = world.repository('syntax', { 'flake.nix': '{\n  outputs = ;\n}' });
  expect(await failureFor(syntax)).toMatchObject({
    kind: 'flake-syntax',
    message: expect.stringMatching(/syntax error.*\(flake\.nix:2:13\)/),
  });
  const list = world.repository('list', {
    'flake.nix': '{ outputs = { self }: { nixosConfigurations = [ 1 ]; }; }',
  });
  expect((await failureFor(list)).message).toMatch(
    /list while a set was expected|expected a set but found a list/,
  );
  const thrown = world.repository('thrown', {
    'flake.nix': '{ outputs = { self }: { nixosConfigurations = throw "not today"; }; }',
  });
  expect((await failureFor(thrown)).message).toContain('not today');
});

test('a lock file with the marks of a merge in it is pointed at', async () => {
  const merged = world.repository('merged', {
    'flake.nix': '{ outputs = { self }: { nixosConfigurations = { }; }; }',
    'flake.lock': '{\n<<<<<<< HEAD\n  "nodes": { "root": {} },\n  "root": "root",\n  "version": 7\n}\n',
  });
  const { kind, remedy } = await failureFor(merged);
  expect({ kind, remedy }).toMatchObject({
    kind: 'json',
    remedy: expect.stringContaining('flake.lock'),
  });
});

test('a flake as a whole that is written wrongly is an error of use, an input that cannot be fetched is not', async () => {
  const written: readonly (readonly [string, string])[] = [
    ['{ }', 'no-outputs'],
    ['[ ]', 'not-a-flake'],
    ['{ outputs = ; }', 'flake-syntax'],
    ['{ outputs = { self }: { }; foo = 1; }', 'flake-evaluation'],
    ['{ outputs = 3; }', 'flake-evaluation'],
    ['{ outputs = { self }: { nixosConfigurations = 1 + { }; }; }', 'flake-evaluation'],
    ['{ outputs = { self }: { nixosConfigurations = let x = x; in x; }; }', 'flake-evaluation'],
    ['{ outputs = { self }: { }; }', 'no-configurations'],
  ];
  for (const [at, [text, kind]] of written.entries()) {
    const failure = await failureFor(world.repository(`written-${at}`, { 'flake.nix': text }));
    expect(failure, text).toMatchObject({ kind, machine: null });
    expect(exitCodeOfFailure(failure), text).toBe(2);
  }
  const away = world.repository('away', {
    'flake.nix': `{ inputs.a.url = "git+file://${world.folder}/gone"; outputs = { self, a }: { nixosConfigurations = { }; }; }`,
  });
  expect(exitCodeOfFailure(await failureFor(away))).toBe(1);
});

test('the remedy for a machine is a command that can be run, and tells the trace', async () => {
  const broken = machineText('a.b', '{ role = throw "no such role"; }');
  const folder = world.repository('trace', {
    'flake.nix': `{
  inputs.one.url = "path:${world.folder}/nowhere";
  outputs = { self, one }: { nixosConfigurations = { "a.b" = ${broken}; c = ${machineText('c', '{ }')}; }; };
}`,
  });
  world.repository('input', { 'flake.nix': '{ outputs = _: { }; }' });
  const overrides = [{ input: 'one', url: `git+file://${world.folder}/input?ref=main` }];
  const { fleet } = succeeded(await world.nix(folder, { overrides }).evaluate({}));
  const remedy = fleet.failed.find(({ name }) => name === 'a.b')?.remedy ?? '';
  expect(remedy).toContain(`#nixosConfigurations."a.b".config.system.build.toplevel.drvPath`);
  const command = remedy.slice(remedy.indexOf('nix --'));
  const ran = spawnSync('sh', ['-c', command], { encoding: 'utf8', env: { ...process.env, ...world.env } });
  expect(ran.stderr).toMatch(/attribute 'system' missing|does not provide attribute/u);
  expect(ran.status).toBe(1);
});

test('packages that throw: a Nix that can leave them alone is asked to', async () => {
  const folder = world.repository('throwing', {
    'flake.nix': flakeText(nas, 'packages = throw "no packages today";'),
  });
  const sound = world.repository('quiet', { 'flake.nix': flakeText(nas) });
  const asked: string[] = [];
  /** A Nix that says it is a current one, and understands the dot. */
  const current: typeof runProcess = (argv, options) => {
    if (argv.includes('--version')) return runProcess(['echo', 'nix (Nix) 2.31.0'], options);
    const installable = argv.find((word) => word.includes('#')) ?? '';
    asked.push(installable);
    return runProcess(
      argv.map((word) => (word.endsWith('#.nixosConfigurations') ? `${sound}#nixosConfigurations` : word)),
      options,
    );
  };
  const { fleet } = succeeded(await world.nix(folder, { runProcess: current }).evaluate({}));
  expect(fleet.machines).toHaveLength(1);
  expect(asked).toEqual([`${folder}#nixosConfigurations`, `${folder}#.nixosConfigurations`]);

  const old: typeof runProcess = (argv, options) =>
    runProcess(argv.includes('--version') ? ['echo', 'nix (Nix) 2.8.0'] : argv, options);
  expect((await failureFor(folder, { runProcess: old })).message).toContain('no packages today');
});

test('a flake.nix that git does not track', async () => {
  const folder = world.repository('untracked', { 'README.md': '' });
  world.tree('untracked', { 'flake.nix': flakeText(nas) });
  expect(await failureFor(folder)).toMatchObject({
    kind: 'untracked',
    remedy: 'git add -N flake.nix',
  });
  world.git(folder, 'add', '-N', 'flake.nix');
  expect(succeeded(await world.nix(folder).evaluate({})).fleet.machines).toHaveLength(1);
});

test('Nix that is missing, too old, or something else', async () => {
  const folder = world.repository('sound', { 'flake.nix': flakeText(nas) });
  expect(await failureFor(folder, { env: { PATH: '/nowhere' } })).toMatchObject({
    kind: 'nix-missing',
    remedy: expect.stringContaining('Install Nix'),
  });
  const answering =
    (text: string): typeof runProcess =>
    (argv, options) =>
      runProcess(argv.includes('--version') ? ['echo', text] : argv, options);
  const version = (text: string) => world.nix(folder, { runProcess: answering(text) }).nixVersion();
  expect(failureOf(await version('nix (Nix) 2.3.16'))).toMatchObject({
    kind: 'nix-version',
    message: 'Nix 2.3.16 is too old.',
  });
  expect(failureOf(await version('nicks 1'))).toMatchObject({ kind: 'nix-version' });
  expect(succeeded(await world.nix(folder).nixVersion()).version).toMatch(/^\d+\.\d+/);
});

test('Nix that hangs meets its deadline', async () => {
  const folder = world.repository('hanging', { 'flake.nix': flakeText(nas) });
  const hanging: typeof runProcess = (argv, options) =>
    runProcess(argv.includes('eval') ? ['sleep', '60'] : argv, options);
  expect(await failureFor(folder, { runProcess: hanging, deadlines: { evaluationMs: 200 } })).toMatchObject({
    kind: 'timeout',
  });
});

test('partial JSON on stdout with exit 1, silence, noise and a signal are failures with words', async () => {
  const folder = world.repository('odd', { 'flake.nix': flakeText(nas) });
  const playing = (script: string) => ({
    runProcess: ((argv, options) =>
      runProcess(argv.includes('eval') ? ['sh', '-c', script] : argv, options)) as typeof runProcess,
  });
  expect(await failureFor(folder, playing('printf \'{"name":"nas",\'; exit 1'))).toMatchObject({
    kind: 'nix-silent',
  });
  expect(await failureFor(folder, playing('exit 0'))).toMatchObject({ kind: 'no-record' });
  const noise = await failureFor(folder, playing('head -c 10000000 /dev/zero | tr "\\0" x >&2; exit 1'));
  expect(noise.message.length).toBeLessThan(1_000);
  expect(await failureFor(folder, playing('kill -9 $$'))).toMatchObject({
    kind: 'nix-killed',
    message: expect.stringContaining('memory'),
  });
});

test('a machine without git says so, for a flake in a repository', async () => {
  const folder = world.repository('gitless', { 'flake.nix': flakeText(nas) });
  const nix = execFileSync('sh', ['-c', 'command -v nix'], { encoding: 'utf8' }).trim();
  const bin = world.tree('only-nix', { 'README.md': '' });
  symlinkSync(realpathSync(nix), `${bin}/nix`);
  const answer = await world.nix(folder, { env: { PATH: bin } }).evaluate({});
  // Since 2.20 Nix reads repositories by itself, and may need no git for this.
  if (!answer.ok)
    expect(failureOf(answer)).toMatchObject({
      kind: 'git-missing',
      remedy: 'Install git, or add it to PATH.',
    });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) {
  process.stderr.write('NOT TESTED: a repository owned by another user (only root can give a folder away)\n');
}
test.runIf(isRoot)('a repository that belongs to another user', async () => {
  const folder = world.repository('foreign', { 'flake.nix': flakeText(nas) });
  execFileSync('chown', ['-R', '65534', folder]);
  const failure = await failureFor(folder);
  execFileSync('chown', ['-R', '0', folder]);
  expect(failure).toMatchObject({
    kind: 'foreign-repository',
    remedy: expect.stringContaining(`safe.directory ${folder}`),
  });
});

test('flakes are found as folder, from below, relative, path: and git+file:, with a subfolder', async () => {
  const folder = world.repository('shapes', {
    'flake.nix': flakeText(nas),
    'hosts/nas/configuration.nix': '{ }',
    'sub/flake.nix': flakeText({ sub: machineText('sub', '{ }'), broken: 'throw "x" + import ./gone.nix' }),
  });
  const names = async (flake: string, cwd = world.folder) =>
    succeeded(await world.nix(flake, { cwd }).evaluate({})).fleet.machines.map(({ name }) => name);
  expect(await names(folder)).toEqual(['nas']);
  expect(await names('.', folder)).toEqual(['nas']);
  expect(await names('..', `${folder}/hosts`)).toEqual(['nas']);
  expect(await names('.', `${folder}/hosts/nas`)).toEqual(['nas']);
  expect(await names('shapes')).toEqual(['nas']);
  expect(await names('path:./shapes')).toEqual(['nas']);
  expect(await names(`path:${folder}`)).toEqual(['nas']);
  expect(await names(`git+file://${folder}`)).toEqual(['nas']);
  expect(await names(`git+file://${folder}?dir=sub`)).toEqual(['sub']);
  expect(await names(`${folder}/sub`)).toEqual(['sub']);
  expect(
    await names(`git+file://${folder}?ref=main&rev=${world.git(folder, 'rev-parse', 'HEAD').trim()}`),
  ).toEqual(['nas']);
});
