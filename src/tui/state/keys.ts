import { graphemesOf } from '../draw/line.ts';

/** Keys as words: `j`, `J`, `enter`, `esc`, `space`, `ctrl-c`, `pgdn` … one for each press. */
export type KeyName = string;

/** The flags of Ink's key event that matter here. */
export type KeyFlags = {
  readonly upArrow: boolean;
  readonly downArrow: boolean;
  readonly leftArrow: boolean;
  readonly rightArrow: boolean;
  readonly pageDown: boolean;
  readonly pageUp: boolean;
  readonly home: boolean;
  readonly end: boolean;
  readonly return: boolean;
  readonly escape: boolean;
  readonly ctrl: boolean;
  readonly shift: boolean;
  readonly tab: boolean;
  readonly backspace: boolean;
  readonly delete: boolean;
  readonly meta: boolean;
  readonly eventType?: 'press' | 'repeat' | 'release' | undefined;
};

/** More different characters at once than this were not typed as commands: a paste without its brackets. */
const typedChunkMax = 8;

const named = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageDown', 'pgdn'],
  ['pageUp', 'pgup'],
  ['home', 'home'],
  ['end', 'end'],
  ['escape', 'esc'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
] as const satisfies readonly (readonly [keyof KeyFlags, KeyName])[];

const charKey = (char: string): KeyName | null => {
  if (char === ' ') return 'space';
  if (char === '\t') return 'tab';
  if (char === '\u007f') return 'backspace';
  // Ctrl and a letter right behind another key arrive together with it.
  if (/^[\u0001-\u001a]$/u.test(char)) return `ctrl-${String.fromCharCode(char.charCodeAt(0) + 96)}`;
  if (char === '\u0000') return 'ctrl-space';
  if (/^[\u001c-\u001f]$/u.test(char)) return `ctrl-${String.fromCharCode(char.charCodeAt(0) + 64)}`;
  return /^[\p{C}]/u.test(char) ? null : char;
};

/**
 * The key presses in one input event. Fast keys arrive together (`jj`) and are told apart. Text with an Enter in it was
 * pasted, and so was any long mixture: it gives no key, unless a line is being `typing`, and then never its Enter. A
 * paste must never run commands.
 */
export const keysOf = (input: string, flags: KeyFlags, typing: boolean): readonly KeyName[] => {
  if (flags.eventType === 'release') return [];
  const special = named.find(([flag]) => flags[flag])?.[1];
  if (special !== undefined) return [special];
  if (flags.return) return ['enter'];
  if (flags.tab) return [flags.shift ? 'shift-tab' : 'tab'];
  if (flags.ctrl)
    return input === ' ' ? ['ctrl-space'] : /^[\x21-\x7e]$/u.test(input) ? [`ctrl-${input}`] : [];
  if (/^[\r\n]+$/u.test(input)) return ['enter'];
  const asText = typing || input.startsWith('/') || input.startsWith(':');
  const ended = /^(.*?)[\r\n]+(.*)$/su.exec(input);
  // One or two keys and Enter are quick fingers. More is a paste: into a line that is being typed it goes without Enter.
  const quick = ended?.[2] === '' && graphemesOf(ended[1] ?? '').length <= 2;
  if (ended !== null && !quick && !asText) return [];
  const chars = graphemesOf(ended?.[1] ?? input);
  if (!asText && chars.length > typedChunkMax && new Set(chars).size > 1) return [];
  const keys = chars.map(charKey).filter((key) => key !== null);
  if (quick) keys.push('enter');
  // Esc and the next key, sent together over a slow line, look like Alt and that key.
  return flags.meta ? ['esc', ...keys] : keys;
};

const shown: Readonly<Record<string, string>> = {
  enter: 'Enter',
  esc: 'Esc',
  space: 'Space',
  tab: 'Tab',
  'shift-tab': 'Shift-Tab',
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
  pgup: 'PgUp',
  pgdn: 'PgDn',
  home: 'Home',
  end: 'End',
  backspace: 'Backspace',
  delete: 'Del',
  'ctrl-space': 'Ctrl-Space',
};

/** A key as people write it. */
export const keyLabel = (key: KeyName): string =>
  shown[key] ?? (key.startsWith('ctrl-') ? `Ctrl-${key.slice(5).toUpperCase()}` : key);

/** A key inside a line that is being typed: the new text, or null where the key does not edit. */
export const editText = (text: string, key: KeyName): string | null => {
  if (key === 'backspace' || key === 'delete') return graphemesOf(text).slice(0, -1).join('');
  if (key === 'ctrl-u') return '';
  if (key === 'ctrl-w') return text.replace(/\S+\s*$/u, '');
  if (key === 'space') return text.length < typedTextMax ? `${text} ` : text;
  return graphemesOf(key).length === 1 ? (text.length < typedTextMax ? text + key : text) : null;
};

/** Longest text that can be typed into one line. */
export const typedTextMax = 200;
