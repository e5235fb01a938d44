const plain = /^[A-Za-z0-9_@%+=:,./-]+$/u;

/** One word for a POSIX shell on the far side. The only place where a remote command line is made. */
const quoteWord = (word: string): string => {
  if (word.includes('\0')) throw new TypeError('a NUL byte cannot be part of a command');
  return plain.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
};

/** The command line that a remote POSIX shell splits back into exactly `argv`. */
export const quoteForRemoteShell = (argv: readonly string[]): string => argv.map(quoteWord).join(' ');
