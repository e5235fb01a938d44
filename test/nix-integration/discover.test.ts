import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { flakeText, machineText, makeWorld, succeeded } from './world.ts';

const world = makeWorld();
afterAll(world.remove);

const files = {
  'flake.nix': flakeText({
    nas: machineText('nas', '{ }'),
    renamed: machineText('other-name', '{ }'),
    homeless: machineText('homeless', '{ }'),
    foreign: '{ config.networking.hostName = "foreign"; pkgs.stdenv.hostPlatform.system = "x86_64-linux"; }',
    broken: 'throw "broken"',
  }),
  'hosts/README.md': 'a file is no machine',
  'hosts/.hidden/x': '',
  'elsewhere/configuration.nix': '{ }',
  'hosts/renamed/configuration.nix': '{ }',
  'hosts/foreign/configuration.nix': '{ }',
  'hosts/broken/configuration.nix': '{ }',
  'hosts/forgotten/configuration.nix': '{ }',
};

test('folders, configurations and host names are held against each other', async () => {
  const folder = world.repository('git', files);
  symlinkSync('../elsewhere', join(folder, 'hosts/nas'));
  const { fleet, discrepancies } = succeeded(await world.nix(folder).evaluate({}));
  expect(fleet.failed.map(({ name }) => name)).toEqual(['broken']);
  expect(discrepancies.map(({ kind, machine }) => [kind, machine])).toEqual([
    ['without-lab-module', 'foreign'],
    ['folder-without-configuration', 'forgotten'],
    ['configuration-without-folder', 'homeless'],
    ['hostname-differs', 'renamed'],
  ]);
  expect(discrepancies.find(({ machine }) => machine === 'forgotten')?.message).toContain('git add -N');
  expect(discrepancies.find(({ machine }) => machine === 'renamed')?.message).toContain('other-name');
});

test('a flake that Nix copies whole at every call is named slow', async () => {
  const folder = world.tree('plain', files);
  const kinds = async (flake: string) =>
    succeeded(await world.nix(flake).evaluate({})).discrepancies.map(({ kind }) => kind);
  expect(await kinds(folder)).toContain('slow-flake');
  expect(await kinds(`path:${folder}`)).toContain('slow-flake');
  expect(await kinds(world.repository('tracked', files))).not.toContain('slow-flake');
});

test('a flake without a folder hosts is not compared with one', async () => {
  const folder = world.repository('flat', { 'flake.nix': flakeText({ nas: machineText('nas', '{ }') }) });
  expect(succeeded(await world.nix(folder).evaluate({})).discrepancies).toEqual([]);
});

test('an input that the lock file does not settle is named, an overridden one is not', async () => {
  const input = world.repository('input', { 'flake.nix': '{ outputs = _: { }; }' });
  const machines = flakeText({ nas: machineText('nas', '{ }') })
    .replace('{', `{\n  inputs.input.url = "git+file://${input}";`)
    .replace('{ self }:', '{ self, input }:');
  const folder = world.repository('unlocked', { 'flake.nix': machines });
  const { discrepancies } = succeeded(await world.nix(folder).evaluate({}));
  expect(discrepancies).toEqual([
    expect.objectContaining({
      kind: 'slow-flake',
      message: expect.stringContaining('does not settle input'),
    }),
  ]);
  const overrides = [{ input: 'input', url: `path:${input}` }];
  expect(succeeded(await world.nix(folder, { overrides }).evaluate({})).discrepancies).toEqual([]);
});
