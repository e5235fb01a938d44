import { matchesGlob } from '../text/glob.ts';

/**
 * Host patterns as ssh_config(5) and sshd(8) describe them: `*` and `?`, case does not matter, `!` before a pattern
 * takes away what the others gave. Used by known_hosts lines and by `Host` lines.
 */

/** OpenSSH gives up on longer ones, and a line it gives up on matches nothing. */
const patternLengthMax = 1_023;

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
