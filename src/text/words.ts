/** Durations, paths and lists in words, for every front end. */

const two = (value: number): string => String(value).padStart(2, '0');

const minutesWords = (minutes: number): string => {
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${two(minutes % 60)} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

/**
 * What was measured or configured: `45 s`, `1 min 40 s`, `10 min`, to the second up to an hour and a half; then
 * `1 h 35 min`, `2 d 4 h`, rounded down.
 */
export const duration = (ms: number): string => {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 90) return minutesWords(minutes);
  return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
};

/** What is expected, no finer than an expectation is: `45 s`, `3 min`, `1 h 35 min`. */
export const roughly = (ms: number): string => {
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.round(seconds / 60);
  return seconds < 90 ? `${seconds} s` : minutes < 90 ? `${minutes} min` : minutesWords(minutes);
};

/** `/nix/store/abcdefgh…-nixos-system-nas-26.11` → `abcdefgh…-nixos-system-nas-26.11`; anything else stays as it is. */
export const shortPath = (path: string | null): string => {
  if (path === null) return 'unknown';
  const match = /^\/nix\/store\/([a-z0-9]{8})[a-z0-9]{24}-(.+)$/u.exec(path);
  return match === null ? path : `${match[1]}…-${match[2]}`;
};

/** `2026-11-20`, or `an unknown date`. */
export const day = (at: number | null): string =>
  at === null ? 'an unknown date' : new Date(at).toISOString().slice(0, 10);

/** `2026-11-20 23:41:05`, in the local time zone. */
export const moment = (at: number): string => {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;

/** The first of many, and how many more there are: `a, b, c and 4 more`. */
export const few = (items: readonly string[], namedMax: number): string =>
  items.length <= namedMax
    ? items.join(', ')
    : `${items.slice(0, namedMax).join(', ')} and ${items.length - namedMax} more`;

/** Rows as aligned columns, two spaces apart; the last column is not padded. Widths count UTF-16 units of plain text. */
export const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
};
