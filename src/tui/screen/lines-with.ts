/** A search over lines: the text in any case, or with `!` in front the lines without it. Null where all pass. */
export const lineTest = (search: string): ((text: string) => boolean) | null => {
  const inverse = search.startsWith('!');
  const wanted = (inverse ? search.slice(1) : search).toLowerCase();
  return wanted === '' ? null : (text) => text.toLowerCase().includes(wanted) !== inverse;
};
