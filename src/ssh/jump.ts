/** One hop of ProxyJump. Null means: as the ssh configuration of `host` says. */
export type JumpHost = { readonly host: string; readonly user: string | null; readonly port: number | null };

/** A host name, an address or an alias: nothing that ssh could take for an option or a shell for syntax. */
const hostPattern = /^[A-Za-z0-9_:%.][A-Za-z0-9_:%.-]*$/u;
const userPattern = /^[A-Za-z0-9_][A-Za-z0-9_.@+$-]*$/u;
const hostLengthMax = 255;

export const isHost = (text: string): boolean => text.length <= hostLengthMax && hostPattern.test(text);
export const isUser = (text: string): boolean => text.length <= hostLengthMax && userPattern.test(text);

export const parsePort = (text: string): number | null => {
  if (!/^\d{1,5}$/u.test(text)) return null;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : null;
};

const parseHop = (text: string): JumpHost | null => {
  const bare = text.startsWith('ssh://') ? text.slice('ssh://'.length).replace(/\/$/u, '') : text;
  const at = bare.lastIndexOf('@');
  const user = at === -1 ? null : bare.slice(0, at);
  if (user !== null && !isUser(user)) return null;
  const place =
    /^(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[^:[\]]+|[^[\]]*:[^[\]]*:[^[\]]*))(?::(?<port>[^:]*))?$/u.exec(
      bare.slice(at + 1),
    )?.groups;
  const host = place?.bracketed ?? place?.plain;
  if (host === undefined || !isHost(host)) return null;
  if (place?.port === undefined) return { host, user, port: null };
  const port = parsePort(place.port);
  return port === null ? null : { host, user, port };
};

/**
 * The hops of a ProxyJump value in the order they are passed, the first one reached directly; empty for `none`,
 * null when it cannot be read. Forms as in ssh_config(5): `[user@]host[:port]` and `ssh://` URIs, comma-separated.
 */
export const parseProxyJump = (value: string, hopsMax: number): readonly JumpHost[] | null => {
  if (value === '' || value.toLowerCase() === 'none') return [];
  const hops = value.split(',').map(parseHop);
  if (hops.length > hopsMax || hops.some((hop) => hop === null)) return null;
  return hops.filter((hop) => hop !== null);
};
