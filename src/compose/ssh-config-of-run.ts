import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RunId } from '../run/event.ts';

/**
 * What ssh knows of the machines of one run, for as long as that may be taken up again: where they are was approved with
 * its plan, whatever the flake says of them later.
 */

/** The latest ones stay: of runs that are to be resumed, or to be tried again. */
const filesKept = 16;
const folderIn = (stateDirectory: string): string => join(stateDirectory, 'engines');
const ending = '.ssh_config';

const sweep = (folder: string): void => {
  try {
    const dated = readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .map((name) => ({ path: join(folder, name), at: statSync(join(folder, name)).mtimeMs }))
      .toSorted((a, b) => b.at - a.at);
    for (const { path } of dated.slice(filesKept)) rmSync(path, { force: true });
  } catch {
    // Nothing is there yet, or another command was faster; some kilobytes stay.
  }
};

/** The path of its file, which need not be there yet. Those of runs long ago are removed. */
export const sshConfigOfRun = (stateDirectory: string, run: RunId): string => {
  const folder = folderIn(stateDirectory);
  sweep(folder);
  return join(folder, `${run}${ending}`);
};
