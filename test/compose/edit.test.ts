import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { editArgv } from '../../src/compose/edit.ts';

const flakeWith = (...files: readonly string[]): string => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-edit-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of files) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  return folder;
};

test('the file of the machine, wherever people keep it; else flake.nix', () => {
  const flake = flakeWith('flake.nix', 'hosts/nas/configuration.nix', 'machines/web.nix');
  const edit = (machine: string, env = {}) => editArgv(machine, { flake, cwd: '/', env });
  expect(edit('nas')).toEqual(['vi', join(flake, 'hosts/nas/configuration.nix')]);
  expect(edit('web', { EDITOR: 'nano' })).toEqual(['nano', join(flake, 'machines/web.nix')]);
  expect(edit('other', { VISUAL: 'code --wait', EDITOR: 'nano' })).toEqual([
    'code',
    '--wait',
    join(flake, 'flake.nix'),
  ]);
});

test('a flake by another name of its folder', () => {
  const flake = flakeWith('flake.nix');
  for (const name of [`path:${flake}`, `git+file://${flake}?dir=.`, `${flake}#x`])
    expect(editArgv('nas', { flake: name, cwd: '/', env: {} })).toEqual(['vi', join(flake, 'flake.nix')]);
});

test('a flake that lies elsewhere has no file here, and its password is not told', () => {
  expect(
    editArgv('nas', { flake: 'https://amy:hunter2@example.org/lab.tar', cwd: '/', env: {} }),
  ).toMatchObject({ message: 'https://amy:...@example.org/lab.tar is no folder of this machine' });

  expect(editArgv('nas', { flake: 'github:amy/lab', cwd: '/', env: {} })).toMatchObject({
    message: 'github:amy/lab is no folder of this machine',
  });
});
