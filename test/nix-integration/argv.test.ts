import { expect, test } from 'vitest';
import { evaluateNamed, listAndEvaluate, nixString, toplevelOf } from '../../src/nix-integration/apply.ts';
import {
  copyArgv,
  evalArgv,
  invalidPathsArgv,
  lockPreviewArgv,
  type NixCall,
  realiseArgv,
  requisitesArgv,
  rootsArgv,
  updateIntoArgv,
  versionArgv,
} from '../../src/nix-integration/argv.ts';
import { featuresOf, parseNixVersion } from '../../src/nix-integration/version.ts';

const callFor = (version: string, more: Partial<NixCall> = {}): NixCall => ({
  url: '/home/me/lab',
  features: featuresOf(parseNixVersion(version)),
  overrides: [],
  settings: [],
  ...more,
});
const old = callFor('nix (Nix) 2.8.0');
const current = callFor('nix (Nix) 2.31.2');
const given: Partial<NixCall> = {
  overrides: [{ input: 'nixpkgs', url: 'path:/srv/nixpkgs' }],
  settings: [{ name: 'substituters', value: '' }],
};
const flakes = ['nix', '--extra-experimental-features', 'nix-command flakes'];
const json = ['--log-format', 'internal-json'];

test('evaluation, on old and on current Nix', () => {
  expect(evalArgv(old, 'x: x')).toEqual([
    ...flakes,
    'eval',
    '--json',
    '--no-write-lock-file',
    ...json,
    '--option',
    'eval-cache',
    'false',
    '/home/me/lab#nixosConfigurations',
    '--apply',
    'x: x',
  ]);
  expect(evalArgv({ ...current, ...given }, 'x: x')).toEqual([
    ...flakes,
    'eval',
    '--json',
    '--no-write-lock-file',
    ...json,
    '--option',
    'eval-cache',
    'false',
    '--option',
    'substituters',
    '',
    '--override-input',
    'nixpkgs',
    'path:/srv/nixpkgs',
    '/home/me/lab#.nixosConfigurations',
    '--apply',
    'x: x',
  ]);
});

test('update: the new lock is told by metadata on old Nix, written elsewhere on current; overrides are not said', () => {
  const metadata = [...flakes, 'flake', 'metadata', '--json', '--no-write-lock-file', ...json];
  expect(lockPreviewArgv({ ...old, ...given }, [])).toEqual([
    ...metadata,
    '--option',
    'substituters',
    '',
    '--recreate-lock-file',
    '/home/me/lab',
  ]);
  expect(lockPreviewArgv(old, ['nixpkgs', 'home'])).toEqual([
    ...metadata,
    '--update-input',
    'nixpkgs',
    '--update-input',
    'home',
    '/home/me/lab',
  ]);
  const into = ['--output-lock-file', '/tmp/x/flake.lock'];
  const update = [...flakes, 'flake', 'update', ...json, '--flake', '/home/me/lab'];
  expect(updateIntoArgv(current, [], '/tmp/x/flake.lock')).toEqual([...update, ...into]);
  expect(updateIntoArgv(current, ['a', 'b'], '/tmp/x/flake.lock')).toEqual([...update, 'a', 'b', ...into]);
});

test('the store', () => {
  expect(realiseArgv([{ name: 'cores', value: '2' }], ['/nix/store/a.drv', '/nix/store/b.drv'])).toEqual([
    'nix-store',
    '--realise',
    '--keep-going',
    ...json,
    '--option',
    'cores',
    '2',
    '/nix/store/a.drv',
    '/nix/store/b.drv',
  ]);
  expect(invalidPathsArgv(['/nix/store/a'])).toEqual([
    'nix-store',
    '--check-validity',
    '--print-invalid',
    '/nix/store/a',
  ]);
  expect(requisitesArgv('/nix/store/a.drv')).toEqual([
    'nix-store',
    '--query',
    '--requisites',
    '/nix/store/a.drv',
  ]);
  expect(rootsArgv(['/nix/store/a', '/nix/store/b'], '/var/lib/lab/roots/toplevel')).toEqual([
    'nix-store',
    '--realise',
    '--add-root',
    '/var/lib/lab/roots/toplevel',
    '/nix/store/a',
    '/nix/store/b',
  ]);
  expect(versionArgv).toEqual(['nix', '--version']);
});

test('copy', () => {
  expect(copyArgv([], 'admin@nas', ['/nix/store/a'])).toEqual([
    ...flakes,
    'copy',
    ...json,
    '--to',
    'ssh-ng://admin@nas',
    '--substitute-on-destination',
    '--no-check-sigs',
    '/nix/store/a',
  ]);
});

test('expressions quote names, and fit into one argument with the greatest chunk', () => {
  expect(nixString('a "b" ${c} \\ d')).toBe('"a \\"b\\" \\${c} \\\\ d"');
  expect(evaluateNamed('FLEET', ['a', 'b'])).toBe('(FLEET\n) [ "a" "b" ]');
  expect(toplevelOf('a')).toContain('configurations."a".config.system.build.toplevel');
  expect(listAndEvaluate('FLEET', 2)).toContain('(FLEET\n  )');
});

test('versions of every flavour, and what they can', () => {
  const read = (line: string) => {
    const version = parseNixVersion(line);
    return version === null
      ? null
      : [version.text, version.flavour, ...Object.values(featuresOf(version))].join(' ');
  };
  expect(
    [
      'nix (Nix) 2.8.0',
      'nix (Nix) 2.18.9',
      'nix (Nix) 2.19.0pre20231019_abc',
      'nix (Nix) 2.26.3\n',
      'nix (Determinate Nix 3.8.2) 2.30.1',
      'nix (Lix, like Nix) 2.91.1\nSystem type: x86_64-linux',
      'nix (Nix) 3.0',
      'command not found',
      '',
    ].map(read),
  ).toEqual([
    '2.8.0 nix false false',
    '2.18.9 nix false false',
    '2.19.0pre20231019_abc nix false true',
    '2.26.3 nix true true',
    '2.30.1 nix true true',
    '2.91.1 lix false true',
    '3.0 nix true true',
    null,
    null,
  ]);
});
