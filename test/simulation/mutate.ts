import type { Mutant } from './mutants.ts';

/** Between two pieces of code a formatter may break the line; between two words there has to be something. */
const patternOf = (text: string): RegExp => {
  const pieces = text.match(/[\w$]+|[^\s\w$]/gu) ?? [];
  const isWord = (piece: string | undefined): boolean => piece !== undefined && /^[\w$]/u.test(piece);
  const source = pieces.map((piece, index) => {
    const gap = index === 0 ? '' : isWord(pieces[index - 1]) && isWord(piece) ? '\\s+' : '\\s*';
    return gap + piece.replace(/[\\^$.*+?()[\]{}|]/u, '\\$&');
  });
  return new RegExp(source.join(''), 'gu');
};

/** The file broken as the mutant says, however it is laid out; null where its text does not stand in it exactly once. */
export const mutated = (
  sound: string,
  { text, becomes }: Pick<Mutant, 'text' | 'becomes'>,
): string | null => {
  const [found, ...more] = sound.matchAll(patternOf(text));
  if (found === undefined || more.length > 0) return null;
  return sound.slice(0, found.index) + becomes + sound.slice(found.index + found[0].length);
};
