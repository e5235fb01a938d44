/** The clipboard of whoever sits before the terminal, also over ssh: OSC 52. Whether it is heard, no terminal says. */

/** Terminals cut longer ones, or drop them. UTF-8 bytes. */
export const copyBytesMax = 70_000;

/** What makes a terminal copy `text`; inside tmux once more, wrapped to be passed on. */
export const copySequence = (text: string, insideTmux: boolean): string => {
  const bytes = Buffer.from(text, 'utf8').subarray(0, copyBytesMax);
  const sequence = `\u001b]52;c;${bytes.toString('base64')}\u0007`;
  return insideTmux
    ? `${sequence}\u001bPtmux;${sequence.replaceAll('\u001b', '\u001b\u001b')}\u001b\\`
    : sequence;
};
