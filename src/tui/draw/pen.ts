import { sanitiseLine } from '../../text/sanitise.ts';
import { cellsOf, graphemesOf } from './line.ts';

/** Signs that stand beside colours, each one cell wide. */
type Glyphs = {
  readonly good: string;
  readonly warn: string;
  readonly bad: string;
  readonly unknown: string;
  readonly idle: string;
  readonly pointer: string;
  readonly marked: string;
  readonly more: string;
  readonly below: string;
  readonly above: string;
  readonly separator: string;
  readonly crumb: string;
  readonly rule: string;
  readonly vertical: string;
  readonly branch: string;
  readonly last: string;
  /** On the path that decides how long everything takes. */
  readonly critical: string;
  readonly corners: readonly [string, string, string, string];
  readonly full: string;
  readonly empty: string;
  readonly spinner: readonly string[];
  /** From least to most, for sparklines. */
  readonly levels: readonly string[];
};

const unicode: Glyphs = {
  good: '✔',
  warn: '▲',
  bad: '✖',
  unknown: '?',
  idle: '·',
  pointer: '▶',
  marked: '●',
  more: '…',
  below: '↓',
  above: '↑',
  separator: '·',
  crumb: '›',
  rule: '─',
  vertical: '│',
  branch: '├─',
  last: '└─',
  critical: '◆',
  corners: ['╭', '╮', '╰', '╯'],
  full: '█',
  empty: '░',
  levels: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
};

const ascii: Glyphs = {
  good: '+',
  warn: '!',
  bad: 'x',
  unknown: '?',
  idle: '.',
  pointer: '>',
  marked: '*',
  more: '~',
  below: 'v',
  above: '^',
  separator: '-',
  crumb: '>',
  rule: '-',
  vertical: '|',
  branch: '|-',
  last: '`-',
  critical: '*',
  corners: ['+', '+', '+', '+'],
  full: '#',
  empty: '.',
  levels: ['_', '.', '-', '=', '+', '*', '#', '@'],
  spinner: ['|', '/', '-', '\\'],
};

const inAscii: readonly (readonly [RegExp, string])[] = [
  [/→/gu, '->'],
  [/≠/gu, '!='],
  [/≈/gu, 'about'],
  [/…/gu, '...'],
  [/[–—]/gu, '-'],
  [/[·•]/gu, '-'],
  [/[‘’]/gu, "'"],
  [/[“”«»]/gu, '"'],
  [/✔/gu, '+'],
  [/✖/gu, 'x'],
  [/[^\x20-\x7e]/gu, '?'],
];

const plainAscii = /^[\x20-\x7e]*$/u;
const emoji = /\p{Emoji_Presentation}|\ufe0f|\u200d|\p{Regional_Indicator}/u;

/**
 * What every screen writes with: the signs, and `clean`, which turns text from anywhere into text that takes the
 * number of cells it is measured to take. Emoji do not (terminals disagree), so they become one plain sign.
 */
export type Pen = { readonly glyphs: Glyphs; readonly clean: (text: string) => string };

const cleanUnicode = (text: string): string => {
  if (plainAscii.test(text)) return text;
  const safe = sanitiseLine(text);
  if (!emoji.test(safe) && cellsOf(safe) === safe.length) return safe;
  return graphemesOf(safe)
    .map((grapheme) => (emoji.test(grapheme) || cellsOf(grapheme) === 0 ? '▪' : grapheme))
    .join('');
};

const cleanAscii = (text: string): string =>
  plainAscii.test(text)
    ? text
    : inAscii.reduce((result, [from, to]) => result.replace(from, to), sanitiseLine(text));

export const makePen = (onlyAscii: boolean): Pen =>
  onlyAscii ? { glyphs: ascii, clean: cleanAscii } : { glyphs: unicode, clean: cleanUnicode };
