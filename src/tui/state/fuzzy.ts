/**
 * How well `wanted` is found in `text`, letter by letter in order but not necessarily side by side; null where it is
 * not. Higher is better: letters side by side and at the beginnings of words count more, and short texts win. Both
 * are expected in lower case.
 */
export const fuzzyScore = (wanted: string, text: string): number | null => {
  if (wanted === '') return 0;
  const straight = text.indexOf(wanted);
  if (straight >= 0)
    return 1_000 - Math.min(200, straight) - text.length / 100 + (beginsWord(text, straight) ? 200 : 0);
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    if (letter === ' ') continue;
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    score += next === at + 1 ? 8 : beginsWord(text, next) ? 6 : 1;
    at = next;
  }
  return score - text.length / 100;
};

const beginsWord = (text: string, at: number): boolean => at === 0 || !/[a-z0-9]/u.test(text[at - 1] ?? '');
