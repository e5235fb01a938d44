import { describe, expect, test } from 'vitest';
import { skinForBackground, skinNames, skins } from '../../../src/tui/draw/skins.ts';
import { type Surface, styleOf, surfaces, tones } from '../../../src/tui/draw/theme.ts';

const everySurface: readonly Surface[] = ['page', ...surfaces];
const all = skinNames.flatMap((name) =>
  tones.flatMap((tone) => everySurface.map((surface) => [skins[name], tone, surface] as const)),
);

test('without colour there is no style at all', () => {
  for (const [skin, tone, surface] of all) expect(styleOf('none', skin, tone, surface)).toEqual({});
});

test('with sixteen colours only the names of the palette are used', () => {
  const names = ['cyan', 'green', 'blue', 'yellow', 'red', 'magenta', undefined];
  for (const [skin, tone, surface] of all) expect(names).toContain(styleOf('16', skin, tone, surface).color);
});

test('on a coloured surface text has a colour of its own, so that no palette makes it unreadable', () => {
  for (const [skin, tone, surface] of all)
    if (surface !== 'page')
      expect(styleOf('full', skin, tone, surface)).toMatchObject({ color: /^#/u, backgroundColor: /^#/u });
});

/** Relative luminance and contrast as WCAG 2 defines them. */
const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (a: string, b: string): number => {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

describe('every skin can be read', () => {
  test('on its own surfaces', () => {
    for (const name of skinNames)
      for (const surface of surfaces)
        for (const tone of /button|tab/u.test(surface) ? (['plain', 'strong', 'quiet'] as const) : tones) {
          const { onSurface, surfaces: behind } = skins[name];
          const ratio = contrast(onSurface[tone], behind[surface]);
          expect({ name, surface, tone, ratio, enough: ratio >= 3 }).toMatchObject({ enough: true });
          if (tone === 'plain' || tone === 'strong') expect(ratio).toBeGreaterThan(4.5);
        }
  });

  test.each([
    ['harbour', ['#000000', '#1e1e2e', '#fdf6e3', '#ffffff'], 2.4],
    ['ember', ['#000000', '#1e1e2e', '#282828'], 4.5],
    ['paper', ['#ffffff', '#fdf6e3'], 4.5],
  ] as const)('%s on the backgrounds it is for', (name, backgrounds, least) => {
    for (const background of backgrounds)
      for (const tone of tones) {
        const colour = skins[name].page[tone];
        if (colour === null) continue;
        const ratio = contrast(colour, background);
        expect({ tone, background, ratio, enough: ratio >= least }).toMatchObject({ enough: true });
      }
  });

  test('auto goes by what the terminal says of its background', () => {
    expect(skinForBackground('15;0').name).toBe('ember');
    expect(skinForBackground('0;default;15').name).toBe('paper');
    expect(skinForBackground(undefined).name).toBe('harbour');
    expect(skinForBackground('default;default').name).toBe('harbour');
  });
});
