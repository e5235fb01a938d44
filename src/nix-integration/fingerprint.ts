import { createHash, type Hash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { RunProcess } from '../process/run.ts';
import type { NixCall } from './argv.ts';
import type { FlakeRef } from './flake-ref.ts';
import { readGitState } from './git-state.ts';
import { parseLock } from './lock.ts';
import { lockPathOf, readLock } from './lock-file.ts';
import { addContents, addTree } from './tree-hash.ts';

export type FingerprintRequest = {
  readonly flake: FlakeRef;
  readonly call: NixCall;
  readonly fleetExpression: string;
  readonly env: Readonly<Record<string, string>>;
  /** PATH, to know which Nix would answer without starting it. */
  readonly searchPath: string;
  readonly runProcess: RunProcess;
};

const nixProgram = async (searchPath: string): Promise<string | null> => {
  for (const folder of searchPath.split(delimiter).filter(isAbsolute)) {
    try {
      const path = await realpath(join(folder, 'nix'));
      const facts = await stat(path, { bigint: true });
      if (facts.isFile()) return `${path}\0${facts.size}\0${facts.mtimeNs}\0${facts.ino}`;
    } catch {
      // Not in this folder.
    }
  }
  return null;
};

/** Settings that let an evaluation see more than the flake: its result is no function of what is hashed here. */
const impure = /^(?:extra-)?(?:pure-eval|impure-env|restrict-eval|allowed-uris|plugin-files|nix-path)$/u;

/** Every input is named by a hash in the lock, or lies in the flake's own tree. */
const lockSettlesAll = (text: string | null): boolean => {
  const parsed = parseLock(text);
  if (parsed.lock === null) return false;
  const { root, nodes } = parsed.lock;
  return Object.entries(nodes).every(
    ([key, node]) => key === root || node.locked?.narHash !== undefined || node.parent?.length === 0,
  );
};

const addOverrides = async (hash: Hash, call: NixCall): Promise<boolean> => {
  for (const { input, url } of call.overrides) {
    hash.update(`\0${input}\0${url}`);
    const folder = url.replace(/^path:(?:\/\/)?/u, '');
    if (!isAbsolute(folder) || /[?#]/u.test(folder) || !(await addTree(hash, folder))) return false;
  }
  return true;
};

/**
 * Names everything that the evaluation of a flake depends on, without starting Nix: commit, state and contents of
 * changed files, lock, the Nix program, the fleet expression, settings and overrides. Null where that cannot be
 * told for sure; then nothing may be cached.
 */
export const fingerprint = async (request: FingerprintRequest): Promise<string | null> => {
  const { flake, call, fleetExpression, env, runProcess } = request;
  if (flake.kind === 'remote' || call.settings.some(({ name }) => impure.test(name))) return null;
  const lockPath = lockPathOf(flake);
  const [program, lock, state] = await Promise.all([
    nixProgram(request.searchPath),
    lockPath.ok ? readLock(lockPath.value) : lockPath,
    flake.kind === 'git' ? readGitState(runProcess, flake.root) : null,
  ]);
  if (program === null || !lock.ok || !lockSettlesAll(lock.value)) return null;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([1, program, flake.url, lock.value, fleetExpression, env, call.settings]));
  if (!(await addOverrides(hash, call))) return null;
  if (flake.kind === 'directory') return (await addTree(hash, flake.root)) ? hash.digest('hex') : null;
  if (state === null) return null;
  hash.update(JSON.stringify([state.commit, state.status]));
  return (await addContents(hash, flake.root, state.changed)) ? hash.digest('hex') : null;
};
