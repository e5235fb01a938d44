import { expect, test } from 'vitest';
import { type NixCall, withoutSecrets } from '../../src/nix-integration/argv.ts';
import { buildByHand, withTrace } from '../../src/nix-integration/by-hand.ts';

const token = 'github.com=ghp_0123456789';
const call: NixCall = {
  url: '/srv/lab',
  features: { leadingDot: false, updateNamesInputs: true },
  overrides: [],
  settings: [
    { name: 'access-tokens', value: token },
    { name: 'extra-access-tokens', value: token },
    { name: 'max-jobs', value: '4' },
  ],
};
const cause = { kind: 'evaluation', message: 'no such option', remedy: 'Correct it.', detail: [] };

test('a command to be typed by hand, which goes into records and reports, holds no token', () => {
  for (const command of [withTrace(cause, call, 'nas').remedy, buildByHand(call, 'nas')]) {
    expect(command).not.toContain('ghp_');
    expect(command).toContain(
      '--option access-tokens ... --option extra-access-tokens ... --option max-jobs 4',
    );
  }
});

test('nor does what a run keeps of how its flake was opened', () => {
  expect(withoutSecrets(call.settings)).toEqual([{ name: 'max-jobs', value: '4' }]);
});

test('a password in a URL is in no command that is shown', () => {
  const secretive: NixCall = {
    ...call,
    url: 'git+https://me:s3cret@git.lan/lab',
    overrides: [{ input: 'nixpkgs', url: 'https://s3cret@git.lan/nixpkgs.tar.gz' }],
  };
  for (const command of [withTrace(cause, secretive, 'nas').remedy, buildByHand(secretive, 'nas')]) {
    expect(command).not.toContain('s3cret');
    expect(command).toContain('git+https://me:...@git.lan/lab#nixosConfigurations');
  }
});
