/** Not at the beginning: `%` (fish expands `%self`) and `=` (zsh expands `=ls`). */
const plain = /^[A-Za-z0-9_@+:,./-][A-Za-z0-9_@%+=:,./-]*$/u;

/**
 * One word for the login shell on the far side. The only place where a remote command line is made. Backslashes stand
 * in double quotes, because fish, unlike POSIX shells, still reads them inside single quotes.
 */
const quoteWord = (word: string): string => {
  if (word.includes('\0')) throw new TypeError('a NUL byte cannot be part of a command');
  if (plain.test(word)) return word;
  return `'${word.replace(/['\\]/gu, (special) => (special === "'" ? `'\\''` : `'"\\\\"'`))}'`;
};

/** The command line that a remote POSIX shell splits back into exactly `argv`. */
export const quoteForRemoteShell = (argv: readonly string[]): string => argv.map(quoteWord).join(' ');
