import { expect, test } from 'vitest';
import { type Surface, styleOf, type Tone } from '../../../src/tui/draw/theme.ts';

const tones: readonly Tone[] = [
  'plain',
  'strong',
  'quiet',
  'title',
  'accent',
  'good',
  'busy',
  'warn',
  'bad',
  'mark',
];
const surfaces: readonly Surface[] = ['page', 'row', 'bar', 'tab', 'dialog', 'button', 'danger-button'];
const all = tones.flatMap((tone) => surfaces.map((surface) => [tone, surface] as const));

test('without colour there is no style at all', () => {
  for (const [tone, surface] of all) expect(styleOf('none', tone, surface)).toEqual({});
});

test('with sixteen colours only the names of the palette are used', () => {
  const names = ['cyan', 'green', 'blue', 'yellow', 'red', 'magenta', undefined];
  for (const [tone, surface] of all) expect(names).toContain(styleOf('16', tone, surface).color);
});

test('on a coloured surface text has a colour of its own, so that no palette makes it unreadable', () => {
  for (const [tone, surface] of all)
    if (surface !== 'page')
      expect(styleOf('full', tone, surface)).toMatchObject({ color: /^#/u, backgroundColor: /^#/u });
});
