import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { BootParts } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';

/** What a path of the store looks like, wherever the store lies: it becomes a word of a command. */
export const storePathPattern = /^(?:\/[\w.+-]+)+\/[0-9a-df-np-sv-z]{32}-[\w.+?=-]{1,211}$/u;

const linkOf = async (path: string): Promise<string | null> => {
  try {
    return await realpath(path);
  } catch {
    return null;
  }
};

const paramsCharsMax = 16_000;

const textOf = async (path: string): Promise<string | null> => {
  try {
    // As what a machine says of itself is cleaned, or the two could never be equal.
    return sanitiseLine(await readFile(path, 'utf8'), paramsCharsMax).trim();
  } catch {
    return null;
  }
};

/** What a built toplevel would boot, read from the local store. Parts that it does not have are null. */
export const readBootParts = async (toplevel: string): Promise<BootParts> => {
  if (!isAbsolute(toplevel)) throw new TypeError('a toplevel is an absolute path');
  const [kernel, initrd, modules, params, systemd] = await Promise.all([
    linkOf(join(toplevel, 'kernel')),
    linkOf(join(toplevel, 'initrd')),
    linkOf(join(toplevel, 'kernel-modules')),
    textOf(join(toplevel, 'kernel-params')),
    linkOf(join(toplevel, 'systemd')),
  ]);
  return { kernel, initrd, modules, params, systemd };
};
