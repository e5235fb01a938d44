import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';

let written = 0;

/** Gives the new file the owner and mode of the one it replaces, as far as this user may: the scheduled run is root. */
const inherit = async (file: FileHandle, path: string): Promise<void> => {
  try {
    const old = await stat(path);
    await file.chmod(old.mode & 0o777);
    await file.chown(old.uid, old.gid);
  } catch {
    // There was none, or this user may not.
  }
};

/** Replaces a file at once and durably: a reader sees the old text or the new, also after a crash. Throws as `fs` does. */
export const replaceFile = async (path: string, text: string, mode: number): Promise<void> => {
  written += 1;
  const fresh = `${path}.${process.pid}-${written}.new`;
  try {
    const file = await open(fresh, 'w', mode);
    try {
      await file.writeFile(text);
      await inherit(file, path);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
};
