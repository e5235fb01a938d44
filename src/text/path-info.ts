/** How Nix is asked for a closure, here and on machines, and what it answers. */

/** The program and its options; the path comes behind. Never asks a cache: only what is in the store counts. */
export const pathInfoArgv = [
  'nix',
  '--extra-experimental-features',
  'nix-command',
  '--offline',
  'path-info',
  '--recursive',
  '--size',
] as const;

/** A closure of NixOS has some thousands of paths. */
export const closurePathsMax = 50_000;
/** More than so many lines of a path and a number. */
export const closureCharsMax = 12 * 1024 * 1024;

/** One line for people, the same in every version of Nix; its JSON has changed its form twice. */
const sizedPath = /^(\/[\w.+/-]*\/[0-9a-z]{32}-[\w.+?=-]{1,211})\s+(\d{1,15})$/u;

/** The paths with the bytes of their NARs; null where a line is something else, or there are none. */
export const readPathInfo = (
  text: string,
): readonly { readonly path: string; readonly bytes: number }[] | null => {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || lines.length > closurePathsMax) return null;
  const paths = lines.map((line) => {
    const [, path, bytes] = sizedPath.exec(line.trimEnd()) ?? [];
    return path === undefined || bytes === undefined ? null : { path, bytes: Number(bytes) };
  });
  return paths.includes(null) ? null : paths.filter((path) => path !== null);
};
