/** How much colour the terminal gets. Imports nothing, so that it can run before Ink is loaded. */
export type ColourMode = 'none' | '16' | 'full';

type Environment = Record<string, string | undefined>;

const levels = { none: '0', '16': '1', '256': '2', true: '3' } as const;

const forced = (value: string | undefined): keyof typeof levels | null => {
  if (value === undefined) return null;
  if (value === '0' || value === 'false') return 'none';
  if (value === '2') return '256';
  return value === '3' ? 'true' : '16';
};

const offered = (env: Environment): keyof typeof levels => {
  if (env.COLORTERM === 'truecolor' || env.COLORTERM === '24bit') return 'true';
  const term = env.TERM ?? '';
  if (term.endsWith('-direct')) return 'true';
  return /-256(color)?$/u.test(term) ? '256' : '16';
};

/**
 * Decides on colour and writes it into `env` as FORCE_COLOR, which is all that Ink's colour library listens to: it
 * reads the variable once, when it is loaded, and does not know NO_COLOR. Call it before importing `run-tui`.
 */
export const prepareColour = (env: Environment): ColourMode => {
  const refused = (env.NO_COLOR ?? '') !== '';
  const choice = refused ? 'none' : (forced(env.FORCE_COLOR) ?? offered(env));
  env.FORCE_COLOR = levels[choice];
  return choice === 'none' ? 'none' : choice === '16' ? '16' : 'full';
};

/** Whether only ASCII is safe: the Linux console, or a locale that is not UTF-8. */
export const wantsAscii = (env: Environment): boolean => {
  if (env.TERM === 'linux') return true;
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  return !/utf-?8/iu.test(locale ?? '');
};
