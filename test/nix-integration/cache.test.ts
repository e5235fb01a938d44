import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { flakeText, machineText, makeWorld, moveLock, succeeded } from './world.ts';

const world = makeWorld();
afterAll(world.remove);

const folder = join(world.folder, 'evaluations');
const started: string[] = [];
beforeEach(() => {
  started.length = 0;
});
const watching: typeof runProcess = (argv, options) => {
  started.push(argv[0] ?? '');
  return runProcess(argv, options);
};
const searchPath = process.env.PATH ?? '';
const nixFor = (flake: string, more = {}) =>
  world.nix(flake, { runProcess: watching, cache: { folder, searchPath }, ...more });
/** The role of the machine `nas`, and whether Nix was started to learn it. */
const ask = async (flake: string, more = {}) => {
  started.length = 0;
  const { fleet } = succeeded(await nixFor(flake, more).evaluate({}));
  return [fleet.machines.find(({ name }) => name === 'nas')?.role, started.includes('nix')];
};

const flake = (role: string) =>
  flakeText({
    nas: `let role = import ./role.nix; in ${machineText('nas', `{ role = "${role}" + role; }`)}`,
  });

test('a second evaluation of the same tree starts no Nix, and every change of the tree starts one', async () => {
  const lab = world.repository('lab', { 'flake.nix': flake('a'), 'role.nix': '"1"' });
  expect(await ask(lab)).toEqual(['a1', true]);
  expect(await ask(lab)).toEqual(['a1', false]);

  world.tree('lab', { 'role.nix': '"2"' });
  expect(await ask(lab)).toEqual(['a2', true]);
  expect(await ask(lab)).toEqual(['a2', false]);
  world.tree('lab', { 'role.nix': '"3"' });
  expect(await ask(lab)).toEqual(['a3', true]);
  world.git(lab, 'add', '-A');
  world.git(lab, 'commit', '-q', '-m', 'three');
  expect(await ask(lab)).toEqual(['a3', true]);
  expect(await ask(lab)).toEqual(['a3', false]);
  world.tree('lab', { 'role.nix': '"2"' });
  expect(await ask(lab)).toEqual(['a2', true]);

  world.tree('lab', { untracked: 'not seen by Nix' });
  expect(await ask(lab)).toEqual(['a2', false]);
  world.git(lab, 'add', '-N', 'untracked');
  expect(await ask(lab)).toEqual(['a2', true]);
});

test('settings, the fleet expression, overrides and the environment belong to the key', async () => {
  const lab = world.repository('keyed', { 'flake.nix': flake('k'), 'role.nix': '"1"' });
  expect(await ask(lab)).toEqual(['k1', true]);
  expect(await ask(lab)).toEqual(['k1', false]);
  expect((await ask(lab, { settings: [{ name: 'cores', value: '1' }] }))[1]).toBe(true);
  expect((await ask(lab, { env: { ...world.env, NIX_X: '1' } }))[1]).toBe(true);
  const other = 'names: configurations: (throw "another expression")';
  started.length = 0;
  const { fleet } = succeeded(await nixFor(lab, { fleetExpression: other }).evaluate({}));
  expect(fleet.machines).toEqual([]);
  expect(started).toContain('nix');
});

test('nothing is kept of an evaluation with a failure in it', async () => {
  const text = flakeText({ nas: machineText('nas', '{ role = "x"; }'), broken: 'throw "x"' });
  const lab = world.repository('failing', { 'flake.nix': text });
  expect(await ask(lab)).toEqual(['x', true]);
  expect(await ask(lab)).toEqual(['x', true]);
});

test('nothing is kept where git looks away, before the first commit, or when purity is given up', async () => {
  const lab = world.repository('unsure', { 'flake.nix': flake('u'), 'role.nix': '"1"' });
  world.git(lab, 'update-index', '--assume-unchanged', 'role.nix');
  expect(await ask(lab)).toEqual(['u1', true]);
  expect(await ask(lab)).toEqual(['u1', true]);
  world.git(lab, 'update-index', '--no-assume-unchanged', 'role.nix');
  const impure = { settings: [{ name: 'pure-eval', value: 'false' }] };
  expect((await ask(lab, impure))[1]).toBe(true);
  expect((await ask(lab, impure))[1]).toBe(true);

  const unborn = world.tree('unborn', { 'flake.nix': flake('b'), 'role.nix': '"1"' });
  world.git(unborn, 'init', '-q');
  world.git(unborn, 'add', '-A');
  expect(await ask(unborn)).toEqual(['b1', true]);
  expect(await ask(unborn)).toEqual(['b1', true]);
});

test('inputs that the lock does not settle keep nothing; overridden local ones are followed', async () => {
  const input = world.repository('input', { 'flake.nix': '{ outputs = _: { role = "one"; }; }' });
  const text = `{
  inputs.input.url = "git+file://${input}";
  outputs = { self, input }: { nixosConfigurations.nas = ${machineText('nas', '{ role = input.role; }')}; };
}`;
  const lab = world.repository('inputs', { 'flake.nix': text });
  expect(await ask(lab)).toEqual(['one', true]);
  expect(await ask(lab)).toEqual(['one', true]);
  await moveLock(nixFor(lab));
  expect(await ask(lab)).toEqual(['one', true]);
  expect(await ask(lab)).toEqual(['one', false]);

  const stand = world.tree('stand', { 'flake.nix': '{ outputs = _: { role = "stand"; }; }' });
  const overrides = { overrides: [{ input: 'input', url: `path:${stand}` }] };
  expect(await ask(lab, overrides)).toEqual(['stand', true]);
  expect(await ask(lab, overrides)).toEqual(['stand', false]);
  world.tree('stand', { 'flake.nix': '{ outputs = _: { role = "moved"; }; }' });
  expect(await ask(lab, overrides)).toEqual(['moved', true]);
});

test('a flake outside git is kept by the state of its files', async () => {
  const lab = world.tree('plain', { 'flake.nix': flake('p'), 'role.nix': '"1"' });
  expect(await ask(lab)).toEqual(['p1', true]);
  expect(await ask(lab)).toEqual(['p1', false]);
  world.tree('plain', { 'role.nix': '"2"' });
  expect(await ask(lab)).toEqual(['p2', true]);
});

test('a spoilt cache is as none, and only the newest evaluations are kept', async () => {
  const lab = world.repository('spoilt', { 'flake.nix': flake('s'), 'role.nix': '"1"' });
  expect(await ask(lab)).toEqual(['s1', true]);
  for (const name of readdirSync(folder))
    writeFileSync(join(folder, name), '{"version":1,"records":{"nas":"{}"}}');
  expect(await ask(lab)).toEqual(['s1', true]);
  expect(await ask(lab)).toEqual(['s1', false]);
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'not JSON');
  expect(await ask(lab)).toEqual(['s1', true]);
  for (let turn = 0; turn < 20; turn += 1) {
    writeFileSync(join(folder, `evaluation-${'0'.repeat(60)}${turn}.json`), '{}');
  }
  world.tree('spoilt', { 'role.nix': '"2"' });
  expect(await ask(lab)).toEqual(['s2', true]);
  expect(readdirSync(folder).length).toBe(16);
  expect(await ask(lab)).toEqual(['s2', false]);
});

test('a cache folder that cannot be written costs time, not truth', async () => {
  const lab = world.repository('readonly', { 'flake.nix': flake('r'), 'role.nix': '"1"' });
  const file = join(world.tree('blocked', { file: '' }), 'file');
  chmodSync(file, 0o400);
  expect(await ask(lab, { cache: { folder: file, searchPath } })).toEqual(['r1', true]);
});

test('a flake that is changed between its machines and their systems is not built: run again', async () => {
  const lab = world.repository('moved', { 'flake.nix': flake('m'), 'role.nix': '"1"' });
  const nix = nixFor(lab);
  succeeded(await nix.evaluate({}));
  world.tree('moved', { 'role.nix': '"2"' });
  const { built, failed } = await nix.build(['nas'], {});
  expect(built).toEqual([]);
  expect(failed).toMatchObject([{ kind: 'flake-changed', machine: 'nas' }]);
  // Of one state again, it is built, or fails for what it is.
  succeeded(await nix.evaluate({}));
  expect((await nix.build(['nas'], {})).failed).not.toMatchObject([{ kind: 'flake-changed' }]);
});
