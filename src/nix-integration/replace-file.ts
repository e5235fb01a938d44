import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

let written = 0;
const freshBeside = (path: string): string => {
  written += 1;
  return `${path}.${process.pid}-${written}.new`;
};

/**
 * Gives the new file the owner and mode of the one it replaces, as far as this user may: the scheduled run is root. Where
 * there was none, it belongs to whom the folder belongs.
 */
const inherit = async (file: FileHandle, path: string): Promise<void> => {
  try {
    const old = await stat(path).catch(() => null);
    if (old !== null) await file.chmod(old.mode & 0o777);
    const { uid, gid } = old ?? (await stat(dirname(path)));
    await file.chown(uid, gid);
  } catch {
    // This user may not.
  }
};

/** A name is on the disk once its folder is. */
const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};

/**
 * Replaces a file at once and durably: a reader sees the old text or the new, also after a crash, which may leave `fresh`
 * behind. Throws as `fs` does.
 */
export const replaceFile = async (
  path: string,
  text: string,
  mode: number,
  fresh = freshBeside(path),
): Promise<void> => {
  try {
    await rm(fresh, { force: true });
    const file = await open(fresh, 'wx', mode);
    try {
      await file.writeFile(text);
      await inherit(file, path);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(path);
};
