import { withoutPasswords } from '../text/passwords.ts';
import type { FlakeRef } from './flake-ref.ts';
import type { NixFeatures } from './version.ts';

/**
 * The Nix commands `lab` runs, as values. No setting of the user's nix.conf is relied on: experimental features
 * and everything about the lock file are said on each command.
 */

/** `--override-input INPUT URL`. */
export type InputOverride = { readonly input: string; readonly url: string };
/** `--option NAME VALUE`, for whatever nix.conf may set. */
export type NixSetting = { readonly name: string; readonly value: string };

/** Settings whose value is a secret. */
const isSecret = ({ name }: NixSetting): boolean => /^(?:extra-)?access-tokens$/u.test(name);
/** What may be kept on a disk. */
export const withoutSecrets = (settings: readonly NixSetting[]): readonly NixSetting[] =>
  settings.filter((setting) => !isSecret(setting));

/** What all commands of one flake share. */
export type NixCall = {
  readonly url: FlakeRef['url'];
  readonly features: NixFeatures;
  readonly overrides: readonly InputOverride[];
  readonly settings: readonly NixSetting[];
};

type Argv = readonly string[];

const nix = ['nix', '--extra-experimental-features', 'nix-command flakes'] as const;
const machineReadable = ['--log-format', 'internal-json'] as const;
/** `--option NAME VALUE` for each. */
export const settingWords = (settings: readonly NixSetting[]): Argv =>
  settings.flatMap(({ name, value }) => ['--option', name, value]);
const overrideWords = (overrides: readonly InputOverride[]): Argv =>
  overrides.flatMap(({ input, url }) => ['--override-input', input, url]);

/** A `nix` command on the flake with the settings and overrides of the call. */
const commandFor = (call: NixCall, words: Argv): Argv => [
  ...nix,
  ...words,
  ...settingWords(call.settings),
  ...overrideWords(call.overrides),
];

/** The same for people to read, and to type: whoever has the secrets puts them in. */
export const commandShown = (call: NixCall, words: Argv): Argv =>
  commandFor(
    {
      ...call,
      settings: call.settings.map((setting) => (isSecret(setting) ? { ...setting, value: '...' } : setting)),
    },
    words,
  ).map(withoutPasswords);

export const versionArgv: Argv = ['nix', '--version'];

/**
 * Applies an expression to `nixosConfigurations` and prints JSON. The lock file is never written: where it is
 * missing or incomplete Nix locks in memory. Nix's own evaluation cache brings `nix eval` nothing.
 */
export const evalArgv = (call: NixCall, apply: string): Argv => [
  ...nix,
  'eval',
  '--json',
  '--no-write-lock-file',
  ...machineReadable,
  '--option',
  'eval-cache',
  'false',
  ...settingWords(call.settings),
  ...overrideWords(call.overrides),
  `${call.url}#${call.features.leadingDot ? '.' : ''}nixosConfigurations`,
  '--apply',
  apply,
];

/** Builds derivations, each as far as it goes. */
export const realiseArgv = (settings: readonly NixSetting[], drvPaths: readonly string[]): Argv => [
  'nix-store',
  '--realise',
  '--keep-going',
  ...machineReadable,
  ...settingWords(settings),
  ...drvPaths,
];

/** Prints those of the paths that the local store does not hold. */
export const invalidPathsArgv = (paths: readonly string[]): Argv => [
  'nix-store',
  '--check-validity',
  '--print-invalid',
  ...paths,
];

/** Prints all that a derivation needs to be built, itself included. */
export const requisitesArgv = (drvPath: string): Argv => ['nix-store', '--query', '--requisites', drvPath];

/** Roots for paths already built: the first at `link`, the next at `link-2` and so on. */
export const rootsArgv = (paths: readonly string[], link: string): Argv => [
  'nix-store',
  '--realise',
  '--add-root',
  link,
  ...paths,
];

/** Prints the names of the inputs that a flake.nix declares, from that file alone. */
export const declaredInputsArgv = (file: string): Argv => [
  ...nix,
  '--offline',
  'eval',
  '--json',
  ...machineReadable,
  '--file',
  file,
  '--apply',
  'f: builtins.attrNames (removeAttrs (if builtins.isFunction (f.outputs or null) then builtins.functionArgs f.outputs else { }) [ "self" ] // (f.inputs or { }))',
];

/**
 * Computes the lock after an update of the inputs named (none: all) and writes it to `lockPath`, if anything moves. From
 * Nix 2.19 on. Overrides have no place here: Nix would not write the lock.
 */
export const updateIntoArgv = (call: NixCall, inputs: readonly string[], lockPath: string): Argv => [
  ...nix,
  'flake',
  'update',
  ...machineReadable,
  ...settingWords(call.settings),
  '--flake',
  call.url,
  ...inputs,
  '--output-lock-file',
  lockPath,
];

/** Prints metadata whose `locks` are what an update would write. Before Nix 2.19, which has no other way. */
export const lockPreviewArgv = (call: NixCall, inputs: readonly string[]): Argv => [
  ...nix,
  'flake',
  'metadata',
  '--json',
  '--no-write-lock-file',
  ...machineReadable,
  ...settingWords(call.settings),
  ...(inputs.length === 0 ? ['--recreate-lock-file'] : inputs.flatMap((input) => ['--update-input', input])),
  call.url,
];

/**
 * Copies a closure to a machine. Signatures are not asked for: the sender is the authority over what the machine
 * runs, and a receiving daemon heeds the flag only for users it trusts (root, or `trusted-users`).
 */
export const copyArgv = (
  settings: readonly NixSetting[],
  destination: string,
  paths: readonly string[],
): Argv => [
  ...nix,
  'copy',
  ...machineReadable,
  ...settingWords(settings),
  '--to',
  `ssh-ng://${destination}`,
  '--substitute-on-destination',
  '--no-check-sigs',
  ...paths,
];
