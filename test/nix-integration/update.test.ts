import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { lockHash } from '../../src/nix-integration/lock-file.ts';
import { proposeUpdate, type UpdateContext } from '../../src/nix-integration/update.ts';
import { runProcess } from '../../src/process/run.ts';
import { failureOf, makeWorld, moveLock, succeeded } from './world.ts';

const world = makeWorld();
afterAll(world.remove);

const input = (name: string, value: number): string =>
  world.repository(name, { 'flake.nix': `{ outputs = _: { value = ${value}; }; }` });
const one = input('one', 1);
const two = input('two', 1);

const flakeNix = `{
  inputs.one.url = "git+file://${one}";
  inputs.two.url = "git+file://${two}";
  inputs.two.inputs = { };
  outputs = { self, one, two }: {
    nixosConfigurations.nas = {
      config = {
        networking.hostName = "nas";
        lab.machine.role = "value " + toString one.value;
      };
      pkgs.stdenv.hostPlatform.system = "x86_64-linux";
    };
  };
}
`;
const lab = world.repository('lab', { 'flake.nix': flakeNix });
const lockPath = join(lab, 'flake.lock');
const lockText = () => (existsSync(lockPath) ? readFileSync(lockPath, 'utf8') : null);
const revOf = (folder: string) => world.git(folder, 'rev-parse', 'HEAD').trim();
const roleOf = async () => {
  const { fleet } = succeeded(await world.nix(lab).evaluate({}));
  expect(fleet.failed).toEqual([]);
  return fleet.machines[0]?.role;
};

test('a flake without a lock file evaluates, and evaluating writes none', async () => {
  expect(await roleOf()).toBe('value 1');
  expect(lockText()).toBeNull();
});

test('the first update adds every input, and restoring removes the lock again', async () => {
  const { changes, write, remark } = await moveLock(world.nix(lab));
  expect(write.previous).toBeNull();
  expect(remark).toBe('flake.lock is new');
  expect(changes).toEqual([
    {
      input: 'one',
      kind: 'added',
      from: null,
      to: { url: `git+file://${one}`, rev: revOf(one), lastModified: expect.any(Number) },
    },
    expect.objectContaining({ input: 'two', kind: 'added' }),
  ]);
  expect(Math.abs((changes[0]?.to?.lastModified ?? 0) - Date.now())).toBeLessThan(3_600_000);
  expect(world.git(lab, 'status', '--porcelain')).toBe(' A flake.lock\n');
  succeeded(await world.nix(lab).restoreLock(write));
  expect(lockText()).toBeNull();
  expect(world.git(lab, 'status', '--porcelain')).toBe('');
  await moveLock(world.nix(lab));
  world.git(lab, 'add', 'flake.lock');
  world.git(lab, 'commit', '-q', '-m', 'lock');
});

test('a preview tells what would move and moves nothing; the update moves it; restoring brings the old text back', async () => {
  const before = lockText();
  expect(succeeded(await world.nix(lab).proposeUpdate([], {}))).toEqual({
    changes: [],
    notAsked: [],
    remark: null,
    write: null,
  });
  expect(succeeded(await world.nix(lab).proposeUpdate(['one'], {})).remark).toBe(
    'already the newest: one; the other inputs were not asked',
  );
  const oldRev = revOf(one);
  input('one', 2);
  input('two', 2);

  const { changes: preview } = succeeded(await world.nix(lab).proposeUpdate(['one'], {}));
  expect(preview.map(({ input: path, kind, from, to }) => [path, kind, from?.rev, to?.rev])).toEqual([
    ['one', 'updated', oldRev, revOf(one)],
  ]);
  expect(succeeded(await world.nix(lab).proposeUpdate([], {})).changes.map((change) => change.input)).toEqual(
    ['one', 'two'],
  );
  expect(lockText()).toBe(before);
  expect(await roleOf()).toBe('value 1');

  const { changes, write } = await moveLock(world.nix(lab), ['one']);
  expect(changes).toEqual(preview);
  expect(write.previous).toBe(before);
  expect(await roleOf()).toBe('value 2');

  const moved = lockText() ?? '';
  for (const [others, said] of [
    [moved.replace('"root"', '"root" '), /no longer what lab wrote/u],
    [null, /no longer what lab wrote/u],
  ] as const) {
    if (others === null) rmSync(lockPath);
    else writeFileSync(lockPath, others);
    const refused = failureOf(await world.nix(lab).restoreLock(write));
    expect(refused).toMatchObject({ kind: 'lock-changed', remedy: expect.stringContaining('git') });
    expect(refused.message).toMatch(said);
    expect(lockText()).toBe(others);
  }
  writeFileSync(lockPath, moved);
  succeeded(await world.nix(lab).restoreLock(write));
  expect(lockText()).toBe(before);
  succeeded(await world.nix(lab).restoreLock(write));
  expect(lockText()).toBe(before);
  expect(await roleOf()).toBe('value 1');
});

test('overridden inputs stay as they are when all are moved', async () => {
  const lines: string[] = [];
  const nix = world.nix(lab, { overrides: [{ input: 'one', url: `path:${one}` }] });
  const preview = succeeded(await nix.proposeUpdate([], { onProgress: (line) => lines.push(line) }));
  expect(preview.changes.map((change) => change.input)).toEqual(['two']);
  expect(preview).toMatchObject({ notAsked: ['one'], remark: 'not asked, because overridden: one' });
  expect(lines).toContain('left as they are, because overridden: one');
  const { fleet } = succeeded(await nix.evaluate({}));
  expect(fleet.machines[0]?.role).toBe('value 2');
  const both = ['one', 'two'].map((name) => ({ input: name, url: `path:${join(world.folder, name)}` }));
  const before = lockText();
  for (const without of [false, true]) {
    if (without) rmSync(lockPath);
    const overridden = world.nix(lab, { overrides: both });
    const told = {
      changes: [],
      notAsked: ['one', 'two'],
      write: null,
      remark: `nothing was asked: ${without ? 'there is no flake.lock, and ' : ''}every input is overridden (one, two)`,
    };
    expect(succeeded(await overridden.proposeUpdate([], {}))).toEqual(told);
    expect(lockText()).toBe(without ? null : before);
  }
  // Nix cannot lock some inputs only: without a lock file nothing is claimed, and nothing is written.
  expect(failureOf(await nix.proposeUpdate([], {}))).toMatchObject({
    kind: 'no-lock-file',
    message: expect.stringContaining('one (overridden)'),
    remedy: expect.stringContaining(`flake lock ${lab}`),
  });
  expect(failureOf(await nix.proposeUpdate(['two'], {}))).toMatchObject({ kind: 'no-lock-file' });
  writeFileSync(lockPath, before ?? '');
});

test('a Nix that writes the new lock elsewhere is asked for it there, and what it leaves out does not move', async () => {
  const before = lockText() ?? '';
  for (const [written, moved] of [
    [before.replace(/"rev": "[0-9a-f]{40}"/u, `"rev": "${'0'.repeat(40)}"`), ['one']],
    [before, []],
    [null, []],
  ] as const) {
    const folders: string[] = [];
    const nix = world.nix(lab, {
      runProcess: async (argv, options) => {
        if (argv.at(-2) !== '--output-lock-file') {
          const answer = await runProcess(argv, options);
          return argv.includes('--version') ? { ...answer, stdout: 'nix (Nix) 2.24.1\n' } : answer;
        }
        const path = argv.at(-1) ?? '';
        folders.push(dirname(path));
        if (written !== null) writeFileSync(path, written);
        return runProcess(['true'], options);
      },
    });
    const proposed = succeeded(await nix.proposeUpdate([], {}));
    expect(proposed.changes.map((change) => change.input)).toEqual(moved);
    expect(proposed.write?.text ?? null).toBe(moved.length === 0 ? null : written);
    expect([lockText(), folders.map((folder) => existsSync(folder))]).toEqual([before, [false]]);
  }
});

test('a failing update leaves the lock as it is', async () => {
  const before = lockText();
  rmSync(join(two, '.git'), { recursive: true });
  const failure = failureOf(await world.nix(lab).proposeUpdate(['two'], {}));
  expect(failure).toMatchObject({ phase: 'update', machine: null });
  expect(lockText()).toBe(before);
});

test('unknown inputs, words that look like flags and remote flakes are refused without a Nix update', async () => {
  const nix = world.nix(lab, {
    runProcess: (argv, options) => {
      // Reading flake.nix by itself, and without the network, is no update.
      const reads = argv.includes('--file') && argv.includes('--offline');
      if (!argv.includes('--version') && !reads) throw new Error(`started ${argv.join(' ')}`);
      return runProcess(argv, options);
    },
  });
  expect(failureOf(await nix.proposeUpdate(['three'], {}))).toMatchObject({
    kind: 'unknown-input',
    message: 'The flake has no input three.',
    remedy: 'Its inputs are: one, two.',
  });
  expect(failureOf(await nix.proposeUpdate(['tow'], {}))).toMatchObject({
    kind: 'unknown-input',
    remedy: 'Did you mean two? Its inputs are: one, two.',
  });
  const locked = lockText() ?? '';
  rmSync(lockPath);
  expect(failureOf(await nix.proposeUpdate(['tow'], {}))).toMatchObject({
    remedy: 'Did you mean two? Its inputs are: one, two.',
  });
  writeFileSync(lockPath, locked);
  expect(failureOf(await nix.proposeUpdate(['--impure'], {}))).toMatchObject({ kind: 'unknown-input' });
  const remote = world.nix('github:nobody/nothing', {
    runProcess: (argv, options) => runProcess(argv[1] === '--version' ? argv : ['false'], options),
  });
  expect(failureOf(await remote.proposeUpdate([], {}))).toMatchObject({ kind: 'not-local' });
  expect(failureOf(await remote.restoreLock({ path: null, previous: '{}', movedHash: null }))).toMatchObject({
    kind: 'not-local',
  });
});

test('a broken lock file is named, and a restored one keeps its mode', async () => {
  const good = lockText();
  world.tree('lab', { 'flake.lock': 'no lock' });
  expect(failureOf(await world.nix(lab).proposeUpdate([], {}))).toMatchObject({
    kind: 'lock-file',
    message: expect.stringContaining('not JSON'),
  });
  const mode = statSync(lockPath).mode;
  const broken = lockHash('no lock');
  succeeded(await world.nix(lab).restoreLock({ path: null, previous: good, movedHash: broken }));
  expect(lockText()).toBe(good);
  expect(statSync(lockPath).mode).toBe(mode);
});

test('an update that has no room for its own work says so, and moves nothing', async () => {
  const folder = world.repository('roomless', { 'flake.nix': '{ outputs = _: { }; }' });
  const context: UpdateContext = {
    nix: { runProcess, env: {} },
    flake: { kind: 'git', url: folder, root: folder, directory: folder },
    call: {
      url: folder,
      features: { leadingDot: true, updateNamesInputs: true },
      overrides: [],
      settings: [],
    },
    mapPaths: async (text) => text,
    now: () => 0,
    deadlineMs: 20_000,
    questionMs: 20_000,
    signal: undefined,
    onProgress: undefined,
  };
  vi.stubEnv('TMPDIR', join(folder, 'not', 'there'));
  try {
    expect(failureOf(await proposeUpdate(context, []))).toMatchObject({
      kind: 'scratch-folder',
      message: expect.stringContaining('ENOENT'),
      remedy: expect.stringContaining('TMPDIR'),
    });
  } finally {
    vi.unstubAllEnvs();
  }
});
