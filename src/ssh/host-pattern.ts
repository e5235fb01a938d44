/**
 * Host patterns as ssh_config(5) and sshd(8) describe them: `*` and `?`, case does not matter, `!` before a pattern
 * takes away what the others gave. Used by known_hosts lines and by `Host` lines.
 */

/** OpenSSH gives up on longer ones, and a line it gives up on matches nothing. */
const patternLengthMax = 1_023;

/** One glob against the whole of `text`, in time linear in the product of their lengths (no backtracking blow-up). */
const matchesGlob = (text: string, glob: string): boolean => {
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

/** Whether `host` matches the list: at least one pattern, and none that is negated. */
export const matchesHostPatterns = (host: string, patterns: readonly string[]): boolean => {
  const name = host.toLowerCase();
  let matched = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith('!');
    const glob = (negated ? pattern.slice(1) : pattern).toLowerCase();
    if (glob.length > patternLengthMax) return false;
    if (!matchesGlob(name, glob)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
};
