/** A terminal's screen, as `tmux capture-pane -e` gives it, as cells and as SVG. */

export type Cell = {
  readonly text: string;
  readonly fg: string | null;
  readonly bg: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
};
type Style = Omit<Cell, 'text'>;

const plain: Style = { fg: null, bg: null, bold: false, dim: false };
const hex = (value: number): string => Math.max(0, Math.min(255, value)).toString(16).padStart(2, '0');

/** One of the 256 colours as #rrggbb. */
const indexed = (index: number): string => {
  const basic = ['1f2328', 'c4453c', '3fa45b', 'c98a1b', '4f8ff0', 'b87fd9', '3b9eda', 'c9d1d9'];
  if (index < 16) return `#${basic[index % 8] ?? 'c9d1d9'}`;
  if (index >= 232) return `#${hex(8 + (index - 232) * 10).repeat(3)}`;
  const level = (part: number): string => hex(part === 0 ? 0 : 55 + part * 40);
  const at = index - 16;
  return `#${level(Math.floor(at / 36))}${level(Math.floor(at / 6) % 6)}${level(at % 6)}`;
};

const withSgr = (style: Style, codes: readonly number[]): Style => {
  let next = style;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 0) next = plain;
    else if (code === 1) next = { ...next, bold: true };
    else if (code === 2) next = { ...next, dim: true };
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 39) next = { ...next, fg: null };
    else if (code === 49) next = { ...next, bg: null };
    else if (code === 38 || code === 48) {
      const kind = codes[index + 1];
      const colour =
        kind === 2
          ? `#${hex(codes[index + 2] ?? 0)}${hex(codes[index + 3] ?? 0)}${hex(codes[index + 4] ?? 0)}`
          : indexed(codes[index + 2] ?? 0);
      index += kind === 2 ? 4 : 2;
      next = code === 38 ? { ...next, fg: colour } : { ...next, bg: colour };
    } else if (code >= 30 && code <= 37) next = { ...next, fg: indexed(code - 30) };
    else if (code >= 40 && code <= 47) next = { ...next, bg: indexed(code - 40) };
  }
  return next;
};

export const cellsOfAnsi = (text: string, columns: number, rows: number): readonly (readonly Cell[])[] => {
  let style = plain;
  return text
    .split('\n')
    .slice(0, rows)
    .map((line) => {
      const cells: Cell[] = [];
      for (const part of line.split(/(\u001b\[[\d;]*m)/u)) {
        const sgr = /^\u001b\[([\d;]*)m$/u.exec(part);
        if (sgr !== null) style = withSgr(style, (sgr[1] || '0').split(';').map(Number));
        else for (const char of part) cells.push({ text: char, ...style });
      }
      return cells.slice(0, columns);
    });
};

const [cellWidth, lineHeight, baseline] = [7.2, 16, 12];
const margin = 12;
const colours = { back: '#11161c', front: '#d6dde4', caption: '#8b98a5' } as const;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const sameStyle = (a: Cell, b: Cell): boolean =>
  a.fg === b.fg && a.bg === b.bg && a.bold === b.bold && a.dim === b.dim;

/** Stretches of one style: a rectangle behind, text at its place. */
const rowSvg = (cells: readonly Cell[], row: number): string => {
  const out: string[] = [];
  const y = margin + row * lineHeight;
  for (let from = 0; from < cells.length; ) {
    const first = cells[from];
    if (first === undefined) break;
    let to = from + 1;
    for (let next = cells[to]; next !== undefined && sameStyle(first, next); next = cells[to]) to += 1;
    const text = cells
      .slice(from, to)
      .map((cell) => cell.text)
      .join('');
    const x = margin + from * cellWidth;
    if (first.bg !== null)
      out.push(
        `<rect x="${x.toFixed(1)}" y="${y}" width="${((to - from) * cellWidth + 0.3).toFixed(1)}" height="${lineHeight}" fill="${first.bg}"/>`,
      );
    if (text.trim() !== '') {
      const trimmed = text.trimEnd();
      const style = [
        first.fg === null ? '' : ` fill="${first.fg}"`,
        first.bold ? ' font-weight="bold"' : '',
        first.dim ? ' opacity="0.65"' : '',
      ].join('');
      out.push(
        `<text x="${x.toFixed(1)}" y="${y + baseline}" textLength="${(trimmed.length * cellWidth).toFixed(1)}"${style}>${escaped(trimmed)}</text>`,
      );
    }
    from = to;
  }
  return out.join('');
};

/** The frames one after the other, each for its time, over and over. Without animation the first one shows. */
export const svgOf = (
  frames: readonly {
    readonly cells: readonly (readonly Cell[])[];
    readonly seconds: number;
    readonly caption: string;
  }[],
  columns: number,
  rows: number,
): string => {
  const width = Math.ceil(columns * cellWidth + 2 * margin);
  const height = rows * lineHeight + 2 * margin + 24;
  const all = frames.reduce((sum, { seconds }) => sum + seconds, 0);
  let at = 0;
  const parts = frames.map(({ cells, seconds, caption }, index) => {
    const [begin, end] = [(at / all) * 100, ((at + seconds) / all) * 100];
    at += seconds;
    const shown = `${begin.toFixed(3)}%,${Math.max(begin, end - 0.001).toFixed(3)}%{visibility:visible}`;
    const before = index === 0 ? '' : `0%,${Math.max(0, begin - 0.001).toFixed(3)}%{visibility:hidden}`;
    const after = index === frames.length - 1 ? '' : `${end.toFixed(3)}%,100%{visibility:hidden}`;
    return {
      css: `@keyframes f${index}{${before}${shown}${after}}.f${index}{animation:f${index} ${all}s step-end infinite;visibility:${index === 0 ? 'visible' : 'hidden'}}`,
      svg: `<g class="f${index}">${cells.map(rowSvg).join('')}<text x="${margin}" y="${height - 10}" fill="${colours.caption}" class="c">${escaped(caption)}</text></g>`,
    };
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="lab demo, frame by frame">`,
    `<style>text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}.c{font-family:system-ui,sans-serif}${parts.map(({ css }) => css).join('')}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${colours.back}"/><g fill="${colours.front}">`,
    ...parts.map(({ svg }) => svg),
    '</g></svg>',
    '',
  ].join('\n');
};
