import { existsSync } from 'node:fs';

/** Folders are removed while people and runs stand in them: a worktree that is done with, a branch without it, a stick. */

/** Stands in `path`, or, where that is not there any more, in the root; whatever follows names what it misses there. */
export const standIn = (path: string): void => {
  try {
    process.chdir(path);
  } catch {
    process.chdir('/');
  }
};

/**
 * The folder that this process was started in, by the name that the shell gave it where it has been removed since. Then
 * the process stands in the root.
 */
export const startedIn = (shellSays: string | undefined): string => {
  try {
    return process.cwd();
  } catch {
    process.chdir('/');
    return shellSays?.startsWith('/') === true ? shellSays : '/';
  }
};

/** Where programs are started: a folder that has been removed would look like a program that is not there. */
export const folderForPrograms = (): string => {
  const folder = process.cwd();
  return existsSync(folder) ? folder : '/';
};
