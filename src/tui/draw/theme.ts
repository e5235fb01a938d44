import type { ColourMode } from '../prepare-colour.ts';

/** What a piece of text means. Screens speak in tones; only skins know colours. */
export const tones = [
  'plain',
  'strong',
  'quiet',
  'title', // headings and column titles
  'accent', // where one is, what can be pressed
  'good',
  'busy',
  'warn',
  'bad',
  'mark',
] as const;
export type Tone = (typeof tones)[number];

/** What the text lies on. */
export const surfaces = [
  'row', // the row under the cursor
  'bar', // the title bar
  'tab', // the tab that is open
  'dialog',
  'button', // the choice that has the focus
  'danger-button',
] as const;
export type Surface = 'page' | (typeof surfaces)[number];

/** `#rrggbb`, or null for the terminal's own. */
export type Colour = string | null;

/** A skin: what the tones look like on the page, what lies behind the surfaces, and the tones on those. */
export type Skin = {
  readonly name: string;
  readonly page: Readonly<Record<Tone, Colour>>;
  readonly surfaces: Readonly<Record<(typeof surfaces)[number], string>>;
  /** On a coloured surface both colours are the skin's, so that no palette makes text unreadable. */
  readonly onSurface: Readonly<Record<Tone, string>>;
};

/** The properties of Ink's Text that a style may set. */
type Style = {
  readonly color?: string;
  readonly backgroundColor?: string;
  readonly bold?: boolean;
  readonly dimColor?: boolean;
  readonly inverse?: boolean;
};

// Sixteen colours follow the user's own palette, dark or light: no skin can know better.
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

const namedSurfaces: Record<Exclude<Surface, 'page'>, Style> = {
  row: { inverse: true },
  bar: { inverse: true },
  tab: { inverse: true, bold: true },
  dialog: {},
  button: { inverse: true, bold: true },
  'danger-button': { inverse: true, bold: true, color: 'red' },
};

const bold: ReadonlySet<Tone> = new Set(['strong', 'title', 'bad', 'mark']);

/** How a tone on a surface looks. Without colour nothing does: glyphs and words carry every meaning by themselves. */
export const styleOf = (mode: ColourMode, skin: Skin, tone: Tone, surface: Surface): Style => {
  switch (mode) {
    case 'none':
      return {};
    case '16':
      if (surface === 'page') return named[tone];
      return surface === 'dialog' ? named[tone] : namedSurfaces[surface];
    case 'full': {
      const weight = bold.has(tone) || surface === 'tab' ? { bold: true } : {};
      if (surface !== 'page')
        return { color: skin.onSurface[tone], backgroundColor: skin.surfaces[surface], ...weight };
      const color = skin.page[tone];
      return color === null ? weight : { color, ...weight };
    }
    default:
      return mode satisfies never;
  }
};
