import { z } from 'zod';
import { fail, ok, type Result } from '../failure.ts';
import { type ExpandContext, expandPath } from './expand.ts';
import { isHost, isUser, type JumpHost, parsePort, parseProxyJump } from './jump.ts';

/** What `ssh -G` says of one host, as far as this transport acts on it. Paths are absolute. */
export type SshConfig = {
  /** The name that was given to `ssh -G`. */
  readonly alias: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly addressFamily: 0 | 4 | 6;
  readonly bindAddress: string | null;
  /** ConnectTimeout, milliseconds. */
  readonly connectTimeoutMs: number | null;
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  readonly publicKeys: boolean;
  /** Socket of the ssh agent, or null for none. */
  readonly agentSocket: string | null;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly revokedHostKeysFile: string | null;
  readonly hashKnownHosts: boolean;
  /** True for `yes`: no new host key is ever written down. */
  readonly strictHostKeys: boolean;
  readonly hostKeyAlias: string | null;
  readonly hostKeyAlgorithms: readonly string[];
  readonly proxyJump: readonly JumpHost[];
};

/** Who runs `lab`: what the text of a configuration is read against. */
export type LocalUser = {
  readonly home: string;
  readonly name: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
};

const jumpHostsMax = 8;
const listMax = 64;
const valueLengthMax = 8_192;
const linesMax = 1_000;

const words = (value: string): readonly string[] => value.split(' ').filter((word) => word !== '');
const isNone = (value: string): boolean => value === '' || value.toLowerCase() === 'none';
const isYes = (value: string): boolean => value === 'yes' || value === 'true';

const flag = z.string().default('no').transform(isYes);
const Border = z.object({
  hostname: z.string().refine(isHost, 'is no host name or address'),
  port: z.string().transform((text, context) => {
    const port = parsePort(text);
    if (port !== null) return port;
    context.addIssue('is no port');
    return z.NEVER;
  }),
  user: z.string().refine(isUser, 'is no user name'),
  addressfamily: z.enum(['any', 'inet', 'inet6']).default('any'),
  bindaddress: z.string().optional(),
  connecttimeout: z.string().optional(),
  identitiesonly: flag,
  pubkeyauthentication: z
    .string()
    .default('yes')
    .transform((value) => value !== 'no' && value !== 'false'),
  identityagent: z.string().optional(),
  userknownhostsfile: z.string().default(''),
  globalknownhostsfile: z.string().default(''),
  revokedhostkeys: z.string().default('none'),
  hashknownhosts: flag,
  stricthostkeychecking: z.string().default('ask'),
  hostkeyalias: z.string().refine(isHost, 'cannot stand in known_hosts').optional(),
  hostkeyalgorithms: z.string().default(''),
  proxyjump: z.string().default('none'),
  proxycommand: z.string().default('none'),
  knownhostscommand: z.string().default('none'),
});

const wanted: ReadonlySet<string> = new Set([...Object.keys(Border.shape), 'identityfile']);

/** The lines of `ssh -G` that `parseSshConfig` reads. */
export const linesThatMatter = (text: string): readonly string[] =>
  text.split('\n', linesMax).filter((line) => wanted.has(line.slice(0, line.indexOf(' ')).toLowerCase()));

/** Keyword → values in order, of the keywords that are read here. `ssh -G` prints one keyword a line, in lower case mostly. */
const keywordsOf = (text: string): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n', linesMax)) {
    const gap = line.indexOf(' ');
    if (gap <= 0 || line.length > valueLengthMax) continue;
    const keyword = line.slice(0, gap).toLowerCase();
    if (!wanted.has(keyword)) continue;
    const values = found.get(keyword) ?? [];
    if (values.length < listMax) values.push(line.slice(gap + 1).trim());
    found.set(keyword, values);
  }
  return found;
};

/** Options that this transport cannot honour and must not ignore: each would change whom it talks to. */
const refusedOptions = { proxycommand: 'ProxyCommand', knownhostscommand: 'KnownHostsCommand' } as const;

const agentSocketOf = (
  value: string | undefined,
  context: ExpandContext,
): { readonly socket: string | null } | null => {
  const inherited = context.env.SSH_AUTH_SOCK ?? '';
  if (value === undefined || value === 'SSH_AUTH_SOCK')
    return { socket: inherited === '' ? null : inherited };
  if (isNone(value)) return { socket: null };
  const socket = value.startsWith('$')
    ? (context.env[value.slice(1).replace(/^\{|\}$/gu, '')] ?? null)
    : expandPath(value, context);
  return socket === null ? null : { socket };
};

/** All of the paths, or the first that cannot be known. A known_hosts file that is missed could hold a revocation. */
const allPaths = (
  value: string,
  context: ExpandContext,
): { readonly paths: readonly string[] } | { readonly bad: string } => {
  const paths: string[] = [];
  for (const word of words(value)) {
    if (isNone(word)) continue;
    const path = expandPath(word, context);
    if (path === null) return { bad: word };
    paths.push(path);
  }
  return { paths };
};

/**
 * Reads the output of `ssh -G`. The failure is a sentence that says which line cannot be used and why.
 * An identity file whose path cannot be known is left out (a key less); a known_hosts file is not (a failure).
 */
export const parseSshConfig = (alias: string, text: string, local: LocalUser): Result<SshConfig, string> => {
  const keywords = keywordsOf(text);
  const first = Object.fromEntries([...keywords].map(([keyword, [value]]) => [keyword, value]));
  const read = Border.safeParse(first);
  if (!read.success) {
    const issue = read.error.issues[0];
    return fail(`${String(issue?.path[0] ?? 'its output')}: ${issue?.message ?? 'cannot be read'}`);
  }
  const said = read.data;
  for (const [keyword, name] of Object.entries(refusedOptions)) {
    const value = first[keyword] ?? 'none';
    if (!isNone(value)) return fail(`${name} is set, which lab cannot honour (ProxyJump works)`);
  }
  const proxyJump = parseProxyJump(said.proxyjump, jumpHostsMax);
  if (proxyJump === null) return fail(`ProxyJump cannot be read: ${said.proxyjump}`);

  const context: ExpandContext = {
    home: local.home,
    localUser: local.name,
    localUid: local.uid,
    env: local.env,
    alias,
    hostname: said.hostname,
    hostKeyAlias: said.hostkeyalias ?? null,
    port: said.port,
    user: said.user,
  };
  const userFiles = allPaths(said.userknownhostsfile, context);
  if ('bad' in userFiles)
    return fail(`UserKnownHostsFile names a path that is not known here: ${userFiles.bad}`);
  const globalFiles = allPaths(said.globalknownhostsfile, context);
  if ('bad' in globalFiles)
    return fail(`GlobalKnownHostsFile names a path that is not known here: ${globalFiles.bad}`);
  const revoked = allPaths(said.revokedhostkeys, context);
  if ('bad' in revoked) return fail(`RevokedHostKeys names a path that is not known here: ${revoked.bad}`);
  const agent = agentSocketOf(said.identityagent, context);
  if (agent === null)
    return fail(`IdentityAgent names a socket that is not known here: ${said.identityagent ?? ''}`);
  const timeoutSeconds = Number(said.connecttimeout);

  return ok({
    alias,
    hostname: said.hostname,
    port: said.port,
    user: said.user,
    addressFamily: said.addressfamily === 'inet' ? 4 : said.addressfamily === 'inet6' ? 6 : 0,
    bindAddress: said.bindaddress ?? null,
    connectTimeoutMs: Number.isInteger(timeoutSeconds) && timeoutSeconds > 0 ? timeoutSeconds * 1_000 : null,
    identityFiles: (keywords.get('identityfile') ?? [])
      .filter((value) => !isNone(value))
      .map((value) => expandPath(value, context))
      .filter((path) => path !== null),
    identitiesOnly: said.identitiesonly,
    publicKeys: said.pubkeyauthentication,
    agentSocket: agent.socket,
    userKnownHostsFiles: userFiles.paths,
    globalKnownHostsFiles: globalFiles.paths,
    revokedHostKeysFile: revoked.paths[0] ?? null,
    hashKnownHosts: said.hashknownhosts,
    strictHostKeys: isYes(said.stricthostkeychecking),
    hostKeyAlias: said.hostkeyalias ?? null,
    hostKeyAlgorithms: said.hostkeyalgorithms.split(',').filter((name) => name !== ''),
    proxyJump,
  });
};
