import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Piece, pictureOf } from '../../scripts/recording/picture.ts';
import { record } from '../../scripts/recording/record.ts';
import { stories } from '../../scripts/recording/story.ts';
import { svgOf } from '../../scripts/recording/svg.ts';

/** The recording that the README shows, and what makes it: the real demo, on a real pseudo-terminal. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');

const textsIn = (svg: string): string =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/gu)].map(([, text = '']) => text).join('\n');

describe('a short story', () => {
  const short = stories.find(({ name }) => name === 'short');
  if (short === undefined) throw new Error('there is no short story');

  test('becomes a drawing that moves by itself, and a cast of the same', async () => {
    const { svg, cast, frames } = await record(short);
    expect(textsIn(svg)).toContain('lightly-seared');
    expect(textsIn(svg)).toContain('Plan: full run');
    // A keyframe for each picture, and nothing that a page would refuse to run or to load.
    const moves = svg.match(/%\{transform:translateX\(/gu) ?? [];
    expect(moves).toHaveLength(frames.length + 1);
    expect(svg).not.toMatch(/<script|href="(?!#)|url\(|\son\w+=/u);

    const [header, ...events] = cast
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(header).toMatchObject({ version: 2, width: short.columns, height: short.rows });
    const times = events.map((event) => (event as [number, string, string])[0]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(cast).toContain('\\u001b[?1049h');
  });
});

test('lines that come again are drawn once; text keeps its cells', () => {
  const piece = (text: string): Piece => ({
    ...{ column: 2, cells: text.length, text, colour: '#ffffff' },
    ...{ background: null, bold: false, dim: false },
  });
  const picture = [[piece('a <b>   c & d')], [piece('a <b>   c & d')]];
  const svg = svgOf(
    [
      { picture, seconds: 1 },
      { picture, seconds: 3 },
    ],
    { columns: 20, rows: 2 },
    'title',
  );
  expect(svg.match(/<use /gu)).toHaveLength(4);
  expect(textsIn(svg)).toBe('a &lt;b&gt;\nc &amp; d');
  expect(svg).toContain('<text x="80" textLength="40"');
  expect(svg).toContain('25.000%{transform:translateX(-160px)}');
});

test('an empty terminal is an empty picture', () => {
  const empty = { baseY: 0, getLine: () => undefined } as unknown as Parameters<typeof pictureOf>[0];
  expect(pictureOf(empty, 10, 2)).toEqual([[], []]);
});

describe('the recording in docs/', () => {
  test('is shown by the README, and small', () => {
    expect(read('README.md')).toContain('](docs/demo.svg)');
    expect(read('README.md')).toContain('docs/demo.cast');
    expect(statSync(`${root}docs/demo.svg`).size).toBeLessThan(300 * 1_024);
  });

  test('goes from the machines over plan and approval to what came of the run', () => {
    const texts = textsIn(read('docs/demo.svg'));
    const story = ['lightly-seared', '[overview]', 'Plan: full run', '▶ Cancel', 'Running: full run'];
    for (const part of [...story, 'what happened']) expect(texts).toContain(part);
  });
});
