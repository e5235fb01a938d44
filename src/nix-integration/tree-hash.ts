import type { Hash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Every function here gives false when it cannot be sure: then nothing is cached. */

const contentBytesMax = 64 * 1024 * 1024;
const entriesMax = 20_000;

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/** Adds what files of a work tree hold, or that they are gone. False for anything but files and links, and above 64 MiB. */
export const addContents = async (hash: Hash, root: string, paths: readonly string[]): Promise<boolean> => {
  let bytes = 0;
  for (const path of paths) {
    const whole = join(root, path);
    try {
      const facts = await lstat(whole);
      hash.update(`\0${path}\0${facts.mode}\0`);
      if (facts.isSymbolicLink()) {
        hash.update(await readlink(whole));
        continue;
      }
      bytes += facts.size;
      if (!facts.isFile() || bytes > contentBytesMax) return false;
      hash.update(await readFile(whole));
    } catch (error) {
      if (!isGone(error)) return false;
      hash.update(`\0${path}\0gone\0`);
    }
  }
  return true;
};

/** Adds name, size, times and identity of every file below a folder. False above 20,000 entries. */
export const addTree = async (hash: Hash, root: string): Promise<boolean> => {
  const folders = [root];
  let count = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      const names = (await readdir(folder)).sort();
      count += names.length;
      if (count > entriesMax) return false;
      for (const name of names) {
        const path = join(folder, name);
        const facts = await lstat(path, { bigint: true });
        if (facts.isDirectory()) {
          hash.update(`\0${path}\0`);
          folders.push(path);
        } else {
          hash.update(
            `\0${path}\0${facts.size}\0${facts.mtimeNs}\0${facts.ctimeNs}\0${facts.ino}\0${facts.mode}\0`,
          );
        }
      }
    } catch {
      return false;
    }
  }
  return true;
};
