import { announcedLine } from '../../../src/ssh/remote-shell.ts';

const nonce = 'NONCE';
const before = announcedLine(nonce, []).split(nonce)[0] ?? '';

/** The quoted command within a line that a server was asked to run, without what `lab` puts around it. */
export const commandOf = (line: string): string => {
  if (!line.startsWith(before)) return line;
  const rest = line.slice(before.length);
  return rest.slice(rest.indexOf(' ') + 1);
};
