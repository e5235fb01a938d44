import { fileURLToPath } from 'node:url';
import { type ProcessResult, runProcess } from '../../src/process/run.ts';

/** The checkout, without a slash at its end. */
export const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const standIn = `${checkout}/test/nixpkgs-stand-in`;

const deadlineMs = 120_000;

/** Runs `nix` with what these tests need: flakes, no sandbox, no build users, no network. */
export const nix = (...words: readonly string[]): Promise<ProcessResult> =>
  runProcess(
    [
      'nix',
      '--extra-experimental-features',
      'nix-command flakes',
      '--option',
      'sandbox',
      'false',
      '--option',
      'build-users-group',
      '',
      '--option',
      'substituters',
      '',
      ...words,
    ],
    { deadlineMs },
  );

/** What stands before every expression: `lib`, `system` (a NixOS of the stand-in) and `flake` (this one's outputs). */
const prelude = `
  nixpkgs = (import ${standIn}/flake.nix).outputs { };
  inherit (nixpkgs) lib;
  flake = (import ${checkout}/flake.nix).outputs { self = flake; inherit nixpkgs; };
  system = module: lib.nixosSystem {
    modules = [
      ${checkout}/nix/modules/lab-machine.nix
      { nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux"; networking.hostName = lib.mkDefault "box"; }
      module
    ];
  };
`;
const withPrelude = (expression: string): string => `let ${prelude} in ${expression}`;

const refused = (result: ProcessResult): Error =>
  new Error(result.startError === null ? result.stderr : `${result.startError}: is Nix installed?`);

/** The value of an expression, over the stand-in. */
export const evaluate = async (expression: string): Promise<unknown> => {
  const result = await nix('eval', '--impure', '--json', '--expr', withPrelude(expression));
  if (result.code !== 0) throw refused(result);
  return JSON.parse(result.stdout);
};

/** What Nix says when it refuses an expression: from `error:` on, colours and line breaks smoothed out. */
export const refusal = async (expression: string): Promise<string> => {
  const result = await nix('eval', '--impure', '--json', '--expr', withPrelude(expression));
  if (result.code === 0) throw new Error(`expected a refusal, got ${result.stdout.slice(0, 1_000)}`);
  if (result.startError !== null) throw refused(result);
  const text = result.stderr.replaceAll(/\u001b\[[0-9;]*m/g, '');
  const error = text
    .slice(text.lastIndexOf('error:'))
    .replace("(use '--show-trace' to show detailed location information)", '');
  return error.replaceAll(/\s+/g, ' ').trim();
};

/** Builds the derivations of a list and gives their outputs, in order. */
export const build = async (listExpression: string): Promise<readonly string[]> => {
  const outputs = await evaluate(`map (d: { drv = d.drvPath; out = d.outPath; }) (${listExpression})`);
  const wanted = outputs as readonly { readonly drv: string; readonly out: string }[];
  const result = await runProcess(
    [
      'nix-store',
      '--realise',
      '--option',
      'sandbox',
      'false',
      '--option',
      'build-users-group',
      '',
      '--option',
      'substituters',
      '',
      ...new Set(wanted.map(({ drv }) => drv)),
    ],
    { deadlineMs },
  );
  if (result.code !== 0) throw refused(result);
  return wanted.map(({ out }) => out);
};
