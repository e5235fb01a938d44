import type { ExecResult } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';

/**
 * How the constant scripts of this folder answer: a line `lab-NAME`, then lines `key=value`, then `lab-end`. What a
 * login shell prints before the first line is passed over; an answer without its last line was cut short and counts
 * for nothing.
 *
 * The scripts are POSIX (Debian's dash, NixOS's bash) and take what varies as arguments, never as text. They hold no
 * backslash before a backslash or a quote: fish would read it inside single quotes.
 */

/** One locale, and a PATH that finds systemd and Nix on NixOS and elsewhere, whatever sudo or sshd left of it. */
export const prelude = `LC_ALL=C
PATH=$PATH:/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
put() { printf '%s=%s\\n' "$1" "$2"; }
`;

export type ScriptRecord = {
  /** The first value of a key, or null where the key is absent. */
  readonly first: (key: string) => string | null;
  readonly all: (key: string) => readonly string[];
};

const linesMax = 4_000;
/** Bound to pass as `outputBytesMax` with every script. */
export const recordBytesMax = 512 * 1024;

/** Reads the answer of the script `name`; a string says in words why it is not one. */
export const readRecord = (name: string, result: ExecResult): ScriptRecord | string => {
  if (result.code !== 0) {
    // A shell that refuses to be one (nologin) says so on stdout; the scripts say nothing there but records.
    const spoken =
      result.stderr.trim() === '' && !result.stdout.includes(`lab-${name}`) ? result.stdout : result.stderr;
    const said = sanitiseLine(spoken.trim().split('\n').at(-1) ?? '', 300);
    const how =
      result.code === null ? `signal ${sanitiseLine(result.signal ?? 'unknown', 40)}` : `exit ${result.code}`;
    return said === '' ? how : `${how}: ${said}`;
  }
  if (result.truncated) return 'the answer was longer than allowed';
  const lines = result.stdout.split('\n', linesMax);
  const start = lines.indexOf(`lab-${name}`);
  const end = lines.indexOf('lab-end', start + 1);
  if (start === -1) return 'the answer does not begin as it should';
  if (end === -1) return 'the answer was cut short';
  const values = new Map<string, string[]>();
  for (const line of lines.slice(start + 1, end)) {
    const equals = line.indexOf('=');
    if (equals <= 0) continue;
    const key = line.slice(0, equals);
    const known = values.get(key);
    if (known === undefined) values.set(key, [line.slice(equals + 1)]);
    else known.push(line.slice(equals + 1));
  }
  return {
    first: (key) => values.get(key)?.[0] ?? null,
    all: (key) => values.get(key) ?? [],
  };
};
