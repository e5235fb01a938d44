import type { RunProcess } from '../process/run.ts';

/** What git says of a work tree: the commit, and the tracked paths that differ from it. */
export type GitState = {
  readonly commit: string;
  readonly status: string;
  readonly changed: readonly string[];
};

const deadlineMs = 10_000;
const outputCharsMax = 16 * 1024 * 1024;

const git = async (
  runProcess: RunProcess,
  root: string,
  words: readonly string[],
): Promise<string | null> => {
  const result = await runProcess(['git', '--no-optional-locks', '-C', root, ...words], {
    deadlineMs,
    outputCharsMax,
  });
  return result.code === 0 && !result.truncated ? result.stdout : null;
};

/** The path in one record of `git status --porcelain=v2`, or null where it is no plain file of this repository. */
const pathOf = (record: string): string | null => {
  const fields = record.split(' ');
  const [kind, , submodule] = fields;
  if (submodule?.startsWith('N') !== true) return null;
  if (kind === '1') return fields.slice(8).join(' ');
  if (kind === 'u') return fields.slice(10).join(' ');
  return null;
};

/**
 * The state of a work tree as Nix sees it: tracked files only. Null where it cannot be told for sure: no commit yet,
 * submodules, files that git was told not to look at (assume-unchanged, skip-worktree), or git failing.
 */
export const readGitState = async (runProcess: RunProcess, root: string): Promise<GitState | null> => {
  const [status, files] = await Promise.all([
    git(runProcess, root, [
      'status',
      '--porcelain=v2',
      '-z',
      '--branch',
      '--untracked-files=no',
      '--no-renames',
      '--ignore-submodules=none',
    ]),
    git(runProcess, root, ['ls-files', '-v', '-s', '-z']),
  ]);
  if (status === null || files === null) return null;
  const records = status.split('\0').filter((record) => record !== '');
  const commit = records.find((record) => record.startsWith('# branch.oid '))?.slice('# branch.oid '.length);
  if (commit === undefined || !/^[0-9a-f]{40,64}$/u.test(commit)) return null;
  const changed = records.filter((record) => !record.startsWith('#')).map(pathOf);
  if (changed.includes(null)) return null;
  // `H 100644 hash 0\tpath`: H is the ordinary tag; mode 160000 is a submodule.
  const ordinary = files.split('\0').every((line) => line === '' || /^[HMRC] (?!160000)/u.test(line));
  if (!ordinary) return null;
  const entries = records.filter((record) => !record.startsWith('# branch.')).join('\0');
  return { commit, status: entries, changed: changed.flatMap((path) => path ?? []) };
};
