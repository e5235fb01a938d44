import type xterm from '@xterm/headless';

/** Text of one look, from a column on. `null` is the terminal's own colour. */
export type Piece = {
  readonly column: number;
  readonly cells: number;
  readonly text: string;
  readonly colour: string | null;
  readonly background: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
};

/** The screen at one moment, line by line. */
export type Picture = readonly (readonly Piece[])[];

const hex = (colour: number): string => `#${colour.toString(16).padStart(6, '0')}`;

type Look = Pick<Piece, 'colour' | 'background' | 'bold' | 'dim'>;

const lookOf = (cell: xterm.IBufferCell): Look => {
  const colour = cell.isFgRGB() ? hex(cell.getFgColor()) : null;
  const background = cell.isBgRGB() ? hex(cell.getBgColor()) : null;
  return { colour, background, bold: cell.isBold() !== 0, dim: cell.isDim() !== 0 };
};

const sameLook = (a: Look, b: Look): boolean =>
  a.colour === b.colour && a.background === b.background && a.bold === b.bold && a.dim === b.dim;

const piecesOf = (line: xterm.IBufferLine, columns: number): readonly Piece[] => {
  const pieces: Piece[] = [];
  for (let column = 0; column < columns; column += 1) {
    const cell = line.getCell(column);
    // The second half of a wide character has no width of its own.
    if (cell === undefined || cell.getWidth() === 0) continue;
    const [look, text, cells] = [lookOf(cell), cell.getChars() || ' ', cell.getWidth()];
    const last = pieces.at(-1);
    if (last !== undefined && sameLook(last, look))
      pieces[pieces.length - 1] = { ...last, text: last.text + text, cells: last.cells + cells };
    else pieces.push({ column, cells, text, ...look });
  }
  return pieces.filter(({ text, background }) => background !== null || text.trim() !== '');
};

/** Takes the picture of a terminal. Colours of a palette are not told apart: the recorded program writes 24 bits. */
export const pictureOf = (buffer: xterm.IBuffer, columns: number, rows: number): Picture =>
  Array.from({ length: rows }, (_, row) => {
    const line = buffer.getLine(buffer.baseY + row);
    return line === undefined ? [] : piecesOf(line, columns);
  });
