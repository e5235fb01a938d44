/**
 * What git tells the programs that it starts (hooks, `--exec`, aliases) about where the repository is that it works on; see
 * githooks(5). For another repository these have to go. Settings that are handed on so (GIT_CONFIG_COUNT …) stay.
 */
const places = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_PREFIX',
] as const;

/** Takes them out of an environment. */
export const leaveGitSurroundings = (env: Record<string, string | undefined>): void => {
  for (const name of places) delete env[name];
};
