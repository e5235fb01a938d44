import type { Skin } from './theme.ts';

/** The skins that come with `lab`. A skin of one's own starts from one of them and replaces tokens. */

const brightOnDark: Skin['onSurface'] = {
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

/** Middle tones: readable on a dark and on a light background, where nobody said which it is. */
const harbour: Skin = {
  name: 'harbour',
  page: {
    plain: null,
    strong: null,
    quiet: '#7a8490',
    title: '#7a8490',
    accent: '#3b9eda',
    good: '#3fa45b',
    busy: '#4f8ff0',
    warn: '#c98a1b',
    bad: '#e5534b',
    mark: '#b87fd9',
  },
  surfaces: {
    row: '#2b4a6b',
    bar: '#1f2933',
    tab: '#245c8c',
    dialog: '#26303b',
    button: '#245c8c',
    'danger-button': '#a8322a',
  },
  onSurface: brightOnDark,
};

/** For dark backgrounds: warm and bright. */
const ember: Skin = {
  name: 'ember',
  page: {
    plain: '#e6ddd0',
    strong: '#fff6e8',
    quiet: '#a5998b',
    title: '#c9a77c',
    accent: '#ffb454',
    good: '#a9d36c',
    busy: '#7cc0ea',
    warn: '#f2cf63',
    bad: '#ff7a66',
    mark: '#e6a0d8',
  },
  surfaces: {
    row: '#4a3826',
    bar: '#2b231c',
    tab: '#7a4f1a',
    dialog: '#332a22',
    button: '#7a4f1a',
    'danger-button': '#a2362a',
  },
  onSurface: {
    plain: '#f3ebdf',
    strong: '#ffffff',
    quiet: '#c4b6a5',
    title: '#ffffff',
    accent: '#ffd08f',
    good: '#c3ea8c',
    busy: '#a9dafa',
    warn: '#ffe08a',
    bad: '#ffb3a6',
    mark: '#f5c2ea',
  },
};

/** For light backgrounds: dark ink, pale surfaces. */
const paper: Skin = {
  name: 'paper',
  page: {
    plain: '#24292f',
    strong: '#000000',
    quiet: '#636c76',
    title: '#57606a',
    accent: '#0a62b8',
    good: '#1a7235',
    busy: '#2156c9',
    warn: '#8a5a00',
    bad: '#b3261e',
    mark: '#8234a8',
  },
  surfaces: {
    row: '#cfe3f7',
    bar: '#dfe5eb',
    tab: '#a9cdf0',
    dialog: '#edf1f5',
    button: '#a9cdf0',
    'danger-button': '#f5b8b2',
  },
  onSurface: {
    plain: '#24292f',
    strong: '#000000',
    quiet: '#4b545e',
    title: '#000000',
    accent: '#084c8f',
    good: '#12582a',
    busy: '#1a459f',
    warn: '#6a4400',
    bad: '#8f1a13',
    mark: '#672386',
  },
};

export const skins = { harbour, ember, paper } as const;
export const skinNames = ['harbour', 'ember', 'paper'] as const satisfies readonly (keyof typeof skins)[];
export type SkinName = (typeof skinNames)[number];

/**
 * What suits the background, going by COLORFGBG (`15;0`, `0;default;15`), which some terminals set; the middle tones
 * where it says nothing.
 */
export const skinForBackground = (colorFgBg: string | undefined): Skin => {
  const background = colorFgBg?.split(';').at(-1) ?? '';
  if (!/^\d+$/u.test(background)) return harbour;
  const number = Number(background);
  return number === 7 || number === 15 ? paper : number <= 8 ? ember : harbour;
};
