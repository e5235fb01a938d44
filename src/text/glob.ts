/**
 * Whether a glob of `*` and `?` matches the whole of `text`, in time linear in the product of their lengths: an
 * expression made of it would take for ever over `*a*a*a*…`.
 */
export const matchesGlob = (text: string, glob: string): boolean => {
  let at = 0;
  let g = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const wanted = glob[g];
    if (wanted === '*') {
      star = g;
      resume = at;
      g += 1;
    } else if (wanted === '?' || wanted === text[at]) {
      g += 1;
      at += 1;
    } else if (star !== -1) {
      g = star + 1;
      resume += 1;
      at = resume;
    } else {
      return false;
    }
  }
  while (glob[g] === '*') g += 1;
  return g === glob.length;
};
