import type { ColourMode } from '../prepare-colour.ts';

/** What a piece of text means. Screens speak in tones; only this file knows colours. */
export type Tone =
  | 'plain'
  | 'strong'
  | 'quiet'
  | 'title' // headings and column titles
  | 'accent' // where one is, what can be pressed
  | 'good'
  | 'busy'
  | 'warn'
  | 'bad'
  | 'mark';

/** What the text lies on. */
export type Surface =
  | 'page'
  | 'row' // the row under the cursor
  | 'bar' // the title bar
  | 'tab' // the tab that is open
  | 'dialog'
  | 'button' // the choice that has the focus
  | 'danger-button';

/** The properties of Ink's Text that a style may set. */
type Style = {
  readonly color?: string;
  readonly backgroundColor?: string;
  readonly bold?: boolean;
  readonly dimColor?: boolean;
  readonly inverse?: boolean;
};

// Sixteen colours follow the user's own palette, dark or light.
const named: Record<Tone, Style> = {
  plain: {},
  strong: { bold: true },
  quiet: { dimColor: true },
  title: { bold: true },
  accent: { color: 'cyan' },
  good: { color: 'green' },
  busy: { color: 'blue' },
  warn: { color: 'yellow' },
  bad: { color: 'red', bold: true },
  mark: { color: 'magenta', bold: true },
};

// Middle tones: readable on a dark and on a light background, which a program cannot ask for reliably.
const full: Record<Tone, Style> = {
  plain: {},
  strong: { bold: true },
  quiet: { color: '#7a8490' },
  title: { color: '#7a8490', bold: true },
  accent: { color: '#3b9eda' },
  good: { color: '#3fa45b' },
  busy: { color: '#4f8ff0' },
  warn: { color: '#c98a1b' },
  bad: { color: '#e5534b', bold: true },
  mark: { color: '#b87fd9', bold: true },
};

// On a coloured surface both colours are ours, so the tones may be bright.
const onDark: Record<Tone, string> = {
  plain: '#f0f3f6',
  strong: '#ffffff',
  quiet: '#b3bcc6',
  title: '#ffffff',
  accent: '#8fd0ff',
  good: '#7ee29a',
  busy: '#9cc4ff',
  warn: '#ffd27a',
  bad: '#ff9b94',
  mark: '#e0b3ff',
};

const backgrounds: Record<Exclude<Surface, 'page'>, string> = {
  row: '#2b4a6b',
  bar: '#1f2933',
  tab: '#2b6ca3',
  dialog: '#26303b',
  button: '#2b6ca3',
  'danger-button': '#a8322a',
};

const namedSurfaces: Record<Exclude<Surface, 'page'>, Style> = {
  row: { inverse: true },
  bar: { inverse: true },
  tab: { inverse: true, bold: true },
  dialog: {},
  button: { inverse: true, bold: true },
  'danger-button': { inverse: true, bold: true, color: 'red' },
};

/** How a tone on a surface looks. Without colour nothing does: glyphs and words carry every meaning by themselves. */
export const styleOf = (mode: ColourMode, tone: Tone, surface: Surface): Style => {
  switch (mode) {
    case 'none':
      return {};
    case '16':
      if (surface === 'page') return named[tone];
      return surface === 'dialog' ? named[tone] : namedSurfaces[surface];
    case 'full':
      if (surface === 'page') return full[tone];
      return {
        color: onDark[tone],
        backgroundColor: backgrounds[surface],
        ...(full[tone].bold === true || surface === 'tab' ? { bold: true } : {}),
      };
    default:
      return mode satisfies never;
  }
};
