import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { limits } from '../fleet/limits.ts';
import { MachineName } from '../fleet/machine.ts';
import { replaceFile } from './replace-file.ts';

/** Records of a fleet without a single failure, by fingerprint. What cannot be read or written is as if it were not there. */

const filesMax = 16;
const bytesMax = 64 * 1024 * 1024;
const Stored = z.object({
  version: z.literal(1),
  records: z
    .record(MachineName, z.string())
    .refine((records) => Object.keys(records).length <= limits.machinesMax),
});

const prefix = 'evaluation-';
const pathOf = (folder: string, key: string): string => join(folder, `${prefix}${key}.json`);

/** The records kept for a fingerprint, or null. */
export const readCache = async (folder: string, key: string): Promise<ReadonlyMap<string, string> | null> => {
  try {
    const path = pathOf(folder, key);
    if ((await stat(path)).size > bytesMax) return null;
    const stored = Stored.parse(JSON.parse(await readFile(path, 'utf8')));
    return new Map(Object.entries(stored.records));
  } catch {
    return null;
  }
};

/** Only the newest few evaluations are kept. */
const prune = async (folder: string): Promise<void> => {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  if (names.length <= filesMax) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = dated.toSorted((a, b) => b.at - a.at).slice(filesMax);
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })));
};

/** Keeps the records of a fleet under a fingerprint. */
export const writeCache = async (
  folder: string,
  key: string,
  records: ReadonlyMap<string, string>,
): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const text = JSON.stringify({ version: 1, records: Object.fromEntries(records) });
    if (text.length > bytesMax) return;
    await replaceFile(pathOf(folder, key), text, 0o600);
    await prune(folder);
  } catch {
    // A cache that cannot be written costs time, not truth.
  }
};
