/** How far a build or copy is, where its notes tell it in numbers. */
export type Amount = { readonly share: number; readonly words: string };

/** `copied 12.3 of 45.6 MB`, `built 3 of 12, 2 under way`, `building 12 of 40: …`, `path 4 of 9`. */
const numbers = /\b(\d+(?:\.\d+)?)(?:\s?(?:MB|MiB|GB|GiB))? of (\d+(?:\.\d+)?)(?:\s?(MB|MiB|GB|GiB))?/u;

export const amountIn = (note: string): Amount | null => {
  const found = numbers.exec(note);
  if (found === null) return null;
  const [, done = '', all = '', unit] = found;
  const total = Number(all);
  if (!(total > 0) || Number(done) > total) return null;
  return { share: Number(done) / total, words: `${done}/${all}${unit === undefined ? '' : ` ${unit}`}` };
};

/** The latest of these notes that says how far it is. */
export const latestAmount = (notes: readonly { readonly note: string }[]): Amount | null => {
  for (const { note } of notes.toReversed()) {
    const amount = amountIn(note);
    if (amount !== null) return amount;
  }
  return null;
};
