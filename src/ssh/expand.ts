/** What the tokens and variables of ssh_config(5) stand for. Values only: nothing here reads the environment. */
export type ExpandContext = {
  /** Home directory of the user who runs `lab`: what `~` and `%d` mean. */
  readonly home: string;
  readonly localUser: string;
  readonly localUid: number;
  /** Variables that `${NAME}` may name. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly alias: string;
  readonly hostname: string;
  readonly hostKeyAlias: string | null;
  readonly port: number;
  readonly user: string;
};

const tokenOf = (letter: string, context: ExpandContext): string | null => {
  switch (letter) {
    case '%':
      return '%';
    case 'd':
      return context.home;
    case 'h':
      return context.hostname;
    case 'i':
      return String(context.localUid);
    case 'k':
      return context.hostKeyAlias ?? context.hostname;
    case 'n':
      return context.alias;
    case 'p':
      return String(context.port);
    case 'r':
      return context.user;
    case 'u':
      return context.localUser;
    default:
      return null;
  }
};

/**
 * A path of ssh_config as an absolute path, or null when it holds something that is not known here (`~other`, an
 * unset variable, a token of another option): a path that is guessed could name another file.
 */
export const expandPath = (text: string, context: ExpandContext): string | null => {
  let path = text;
  if (path === '~') path = context.home;
  else if (path.startsWith('~/')) path = `${context.home}${path.slice(1)}`;
  else if (path.startsWith('~')) return null;
  let known = true;
  const expanded = path.replace(
    /%(?<letter>.?)|\$\{(?<name>[^}]*)\}/gu,
    (_whole, letter?: string, name?: string) => {
      const value = name === undefined ? tokenOf(letter ?? '', context) : (context.env[name] ?? null);
      if (value === null) known = false;
      return value ?? '';
    },
  );
  if (!known || expanded.includes('\0')) return null;
  return expanded.startsWith('/') ? expanded : null;
};
