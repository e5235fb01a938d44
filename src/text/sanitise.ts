import { stripVTControlCharacters } from 'node:util';

/** Longest line of foreign text that is kept, in UTF-16 units; what is cut is marked with `…`. */
export const lineLengthMax = 2_000;

// C0 and C1 controls, DEL, bidirectional overrides and isolates, zero-width and line separators: all can lie on a screen.
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/** Most of what machines say: nothing in it can be taken for anything else. */
const plain = /^[ -~]*$/u;

/** What ends a line somewhere: between two lines that become one there has to be something. */
const lineBreak = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/gu;

/**
 * One line of foreign text, safe to print: no escapes, no control or direction characters, bounded. Tabs become two
 * spaces, line breaks one.
 */
export const sanitiseLine = (text: string, max: number = lineLengthMax): string => {
  if (text.length <= max && plain.test(text)) return text;
  const bounded = text.length > 4 * max ? text.slice(0, 4 * max) : text;
  const clean = stripVTControlCharacters(bounded)
    .replaceAll('\t', '  ')
    .replace(lineBreak, ' ')
    .replace(unsafe, '')
    .toWellFormed();
  return clean.length > max ? `${clean.slice(0, max - 1)}…` : clean;
};

/** The last `linesMax` non-empty lines of foreign text, each sanitised. */
export const sanitiseLines = (text: string, linesMax: number): readonly string[] =>
  text
    .slice(-linesMax * lineLengthMax)
    .split(/\r\n|\n|\r/u)
    .map((line) => sanitiseLine(line).trimEnd())
    .filter((line) => line !== '')
    .slice(-linesMax);

/** JSON text as safe to print as plain text: whatever `sanitiseLine` would take away is written as an escape instead. */
export const printableJson = (json: string): string =>
  json.replace(unsafe, (char) =>
    char === '\n' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
