import { cellsOf } from '../../src/tui/draw/line.ts';
import type { Picture, Piece } from './picture.ts';

export type Frame = { readonly picture: Picture; readonly seconds: number };

const cell = { width: 8, height: 17, baseline: 13 };
const margin = 12;
const page = { background: '#1b1714', colour: '#e6ddd0', edge: '#3a322b' };
const font = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace";
const fontSize = 13.2;

const inXml = (text: string): string =>
  text.replace(/&/gu, '&amp;').replace(/</gu, '&lt;').replace(/>/gu, '&gt;');
const inCells = (cells: number): string => String(cells * cell.width);

/** Names given once to each different thing, in the order in which they came. */
const createNames = (prefix: string) => {
  const names = new Map<string, string>();
  return {
    of: (thing: string): string => {
      const known = names.get(thing) ?? `${prefix}${names.size.toString(36)}`;
      names.set(thing, known);
      return known;
    },
    all: names,
  };
};

/**
 * Frames as one drawing that moves by itself: they lie side by side on a strip, and a keyframe a frame moves the strip
 * on. Lines that come again are drawn once and referred to. No script, no outside resource: it moves where it is shown
 * as an image, too. Whoever wants less motion sees the first frame.
 */
export const svgOf = (
  frames: readonly Frame[],
  size: { readonly columns: number; readonly rows: number },
  title: string,
): string => {
  const looks = createNames('c');
  const lines = createNames('l');
  const [width, height] = [size.columns * cell.width, size.rows * cell.height];

  const textOf = ({ column, text, colour, bold, dim }: Piece): string => {
    const style = [
      colour === null ? '' : `fill:${colour}`,
      bold ? 'font-weight:bold' : '',
      dim ? 'opacity:.6' : '',
    ].filter((part) => part !== '');
    const look = style.length === 0 ? '' : ` class="${looks.of(style.join(';'))}"`;
    // Spaces in a row would become one, so each stretch without them is placed by itself, as wide as its cells.
    return [...text.matchAll(/\S+(?: \S+)*/gu)]
      .map(({ 0: words, index }) => {
        const fit = words.length < 2 ? '' : ` textLength="${inCells(cellsOf(words))}"`;
        return `<text x="${inCells(column + cellsOf(text.slice(0, index)))}"${fit}${look}>${inXml(words)}</text>`;
      })
      .join('');
  };
  const surfaceOf = ({ column, cells, background }: Piece): string =>
    background === null
      ? ''
      : `<path fill="${background}" d="M${inCells(column)} -${cell.baseline}h${inCells(cells)}v${cell.height}h-${inCells(cells)}z"/>`;

  const drawn = frames.map(({ picture }, index) => {
    const used = picture.flatMap((pieces, row) => {
      const content = [...pieces.map(surfaceOf), ...pieces.map(textOf)].join('');
      return content === ''
        ? []
        : [`<use href="#${lines.of(content)}" y="${row * cell.height + cell.baseline}"/>`];
    });
    return `<g transform="translate(${index * width})">${used.join('')}</g>`;
  });

  const total = frames.reduce((sum, { seconds }) => sum + seconds, 0);
  let passed = 0;
  const steps = frames.map(({ seconds }, index) => {
    const at = ((passed / total) * 100).toFixed(3);
    passed += seconds;
    return `${at}%{transform:translateX(-${index * width}px)}`;
  });
  const end = `100%{transform:translateX(-${(frames.length - 1) * width}px)}`;
  const styles = [
    `text{font:${fontSize}px ${font};fill:${page.colour}}`,
    ...[...looks.all].map(([style, name]) => `.${name}{${style}}`),
    `@keyframes film{${steps.join('')}${end}}`,
    `#film{animation:film ${total.toFixed(1)}s step-end infinite}`,
    '@media (prefers-reduced-motion:reduce){#film{animation:none}}',
  ];
  const [outerWidth, outerHeight] = [width + 2 * margin, height + 2 * margin];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${outerWidth} ${outerHeight}" width="${outerWidth}" height="${outerHeight}" role="img">`,
    `<title>${inXml(title)}</title>`,
    `<style>${styles.join('\n')}</style>`,
    `<defs>${[...lines.all].map(([content, name]) => `<g id="${name}">${content}</g>`).join('\n')}</defs>`,
    `<rect width="${outerWidth}" height="${outerHeight}" rx="8" fill="${page.background}" stroke="${page.edge}"/>`,
    `<svg x="${margin}" y="${margin}" width="${width}" height="${height}"><g id="film">`,
    ...drawn,
    '</g></svg>',
    '</svg>',
  ].join('\n')}\n`;
};
