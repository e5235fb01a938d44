import { realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { withoutPasswords } from '../text/passwords.ts';
import { sanitiseLine } from '../text/sanitise.ts';

/**
 * Where a flake lies. `url` is what Nix gets before the `#`.
 * - git: a work tree on this machine, `root` its top, `directory` where flake.nix lies in it;
 * - directory: a local folder that Nix copies whole at every call;
 * - remote: anything else (`github:…`, a registry name, a fixed revision): nothing to read or write here.
 */
export type FlakeRef =
  | { readonly kind: 'git'; readonly url: string; readonly root: string; readonly directory: string }
  | { readonly kind: 'directory'; readonly url: string; readonly root: string; readonly directory: string }
  | { readonly kind: 'remote'; readonly url: string };

/** The local folder that holds flake.nix, or null. */
export const directoryOf = (flake: FlakeRef): string | null =>
  flake.kind === 'remote' ? null : flake.directory;
/** The local tree that Nix sees as the flake's source, or null. */
export const rootOf = (flake: FlakeRef): string | null => (flake.kind === 'remote' ? null : flake.root);

const flakeLengthMax = 4_096;

const refuse = (message: string, remedy: string): { readonly ok: false; readonly failure: Failure } =>
  fail({ kind: 'flake-reference', machine: null, phase: 'evaluate', message, remedy });

/** A reference as it is shown. */
const shown = (given: string, max?: number): string => sanitiseLine(withoutPasswords(given), max);

const isThere = async (path: string): Promise<boolean> => {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
};

/** Why it cannot be told whether something is there: no permission, links in a circle, a disk that is gone. Else null. */
const whyUntold = async (path: string): Promise<string | null> => {
  try {
    await stat(path);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return ['ENOENT', 'ENOTDIR'].includes(code)
      ? null
      : code === 'EACCES'
        ? 'this user may not look at it'
        : code;
  }
};

/** The first folder from `from` upwards that holds `name`, or null. */
const findUp = async (from: string, name: string): Promise<string | null> => {
  for (let here = from; ; here = dirname(here)) {
    if (await isThere(join(here, name))) return here;
    if (dirname(here) === here) return null;
  }
};

/** Nix takes no link for a flake (/etc/nixos often is one); where a link leads is taken only if Nix can read it as a reference. */
const withoutLinks = async (directory: string): Promise<string> => {
  const real = await realpath(directory).catch(() => directory);
  return /^[\w./+~@-]+$/u.test(real) ? real : directory;
};

/** As Nix does with a plain path: the nearest flake.nix upwards, but not out of the git work tree. */
const locatePath = async (path: string): Promise<Result<FlakeRef>> => {
  if (/[#?]/u.test(path)) {
    return refuse(
      `The folder ${sanitiseLine(path)} has a "#" or "?" in its name, which Nix cannot tell from the rest of a flake reference.`,
      'Rename the folder.',
    );
  }
  for (const each of [path, join(path, 'flake.nix')]) {
    const why = await whyUntold(each);
    if (why !== null)
      return refuse(
        `Whether ${sanitiseLine(each)} is there cannot be told: ${why}.`,
        'See who may read it, and whether its disk is there.',
      );
  }
  if (!(await isThere(path))) {
    return refuse(
      `There is no folder ${sanitiseLine(path)}.`,
      'Give --flake the folder that holds flake.nix.',
    );
  }
  const directory = await findUp(path, 'flake.nix');
  const repository = await findUp(path, '.git');
  if (directory === null || (repository !== null && !`${directory}/`.startsWith(`${repository}/`))) {
    return refuse(
      `${sanitiseLine(path)} is not a flake: there is no flake.nix in it${repository === path ? '' : ' or above it'}.`,
      'Give --flake the folder that holds flake.nix.',
    );
  }
  const folder = await withoutLinks(directory);
  const root = await findUp(folder, '.git');
  return ok(
    root === null
      ? { kind: 'directory', url: `path:${folder}`, root: folder, directory: folder }
      : { kind: 'git', url: folder, root, directory: folder },
  );
};

const splitQuery = (text: string): { readonly path: string; readonly query: URLSearchParams } => {
  const at = text.indexOf('?');
  return at === -1
    ? { path: text, query: new URLSearchParams() }
    : { path: text.slice(0, at), query: new URLSearchParams(text.slice(at + 1)) };
};

/**
 * Reads a flake reference as the user gave it: a folder, `path:…`, `git+file:…`, or anything Nix knows.
 * Failure kind `flake-reference`: an attribute after `#`, a folder that is missing or holds no flake.nix.
 */
export const locateFlake = async (given: string, cwd: string): Promise<Result<FlakeRef>> => {
  if (given === '' || given.length > flakeLengthMax || /[\0-\x1f]/u.test(given) || given.startsWith('-')) {
    return refuse(
      `"${shown(given, 80)}" is not a flake reference.`,
      'Give a folder, path:…, git+file:… or github:….',
    );
  }
  if (/^[./~]/u.test(given)) {
    const [path, fragment] = given.split('#', 2);
    const whole = resolve(cwd, given);
    if (fragment === undefined || (await isThere(whole))) return locatePath(whole);
    return refuse(
      `${shown(given)} names an attribute of the flake.`,
      `Give the flake alone: ${sanitiseLine(path ?? '')}`,
    );
  }
  if (given.includes('#')) {
    return refuse(
      `${shown(given)} names an attribute of the flake.`,
      `Give the flake alone: ${shown(given.slice(0, given.indexOf('#'))) || '.'}`,
    );
  }
  const scheme = /^(path|git\+file):(?:\/\/)?(.*)$/u.exec(given);
  if (scheme !== null) {
    const { path, query } = splitQuery(scheme[2] ?? '');
    // A fixed revision or branch is not the work tree: what lies on the disk says nothing about it.
    if (['rev', 'ref', 'narHash'].some((key) => query.has(key))) return ok({ kind: 'remote', url: given });
    const root = resolve(cwd, path);
    const subfolder = query.get('dir') ?? '';
    const directory = resolve(root, subfolder);
    if (!(await isThere(join(directory, 'flake.nix')))) {
      return refuse(
        `${shown(given)} is not a flake: there is no ${sanitiseLine(join(directory, 'flake.nix'))}.`,
        'Give --flake the folder that holds flake.nix.',
      );
    }
    const words = query.size === 0 ? '' : `?${query.toString()}`;
    return ok(
      scheme[1] === 'path'
        ? { kind: 'directory', url: `path:${root}${words}`, root, directory }
        : { kind: 'git', url: `git+file://${root}${words}`, root, directory },
    );
  }
  // `lab` may be given the name of a folder; Nix itself would look such a word up in its registry.
  if (!given.includes(':') && (await isThere(join(resolve(cwd, given), 'flake.nix')))) {
    return locatePath(resolve(cwd, given));
  }
  return ok({ kind: 'remote', url: given });
};
