import { createHmac, timingSafeEqual } from 'node:crypto';
import { matchesHostPatterns } from './host-pattern.ts';

/** One usable line of a known_hosts file, after the format in sshd(8). */
export type KnownHost = {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  readonly hosts:
    | { readonly kind: 'patterns'; readonly patterns: readonly string[] }
    | { readonly kind: 'hashed'; readonly salt: Buffer; readonly hash: Buffer };
  readonly keyType: string;
  readonly key: Buffer;
  /** It begins with a byte order mark, so ssh, and with it `nix copy`, takes it for a line about some other host. */
  readonly behindMark?: true;
};

const hashLength = 20;
const lineLengthMax = 65_536;

/** The key type a public key blob names itself, or null when it is no such blob. */
export const keyTypeOf = (blob: Buffer): string | null => {
  if (blob.length < 4) return null;
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > 64 || blob.length <= 4 + length) return null;
  const type = blob.toString('latin1', 4, 4 + length);
  return /^[\x21-\x7e]+$/u.test(type) ? type : null;
};

/** The key that `text` (base64) holds, if it is of the type the line says. */
export const decodeKey = (keyType: string, text: string): Buffer | null => {
  if (!/^[A-Za-z0-9+/]+={0,2}$/u.test(text)) return null;
  const key = Buffer.from(text, 'base64');
  return keyTypeOf(key) === keyType ? key : null;
};

const parseHosts = (field: string): KnownHost['hosts'] | null => {
  if (!field.startsWith('|')) return { kind: 'patterns', patterns: field.split(',') };
  const [, version, salt, hash, more] = field.split('|');
  if (version !== '1' || salt === undefined || hash === undefined || more !== undefined) return null;
  const parts = { salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
  return parts.salt.length === hashLength && parts.hash.length === hashLength
    ? { kind: 'hashed', ...parts }
    : null;
};

const parseLine = (file: string, line: number, text: string): KnownHost | null => {
  if (text === '' || text.length > lineLengthMax) return null;
  const fields = text.split(/[ \t]+/u).filter((field) => field !== '');
  if (fields[0]?.startsWith('#') !== false) return null;
  let marker: KnownHost['marker'] = 'none';
  if (fields[0].startsWith('@')) {
    const word = fields.shift();
    if (word === '@revoked') marker = 'revoked';
    else if (word === '@cert-authority') marker = 'cert-authority';
    else return null;
  }
  const [hostField, keyType, keyText] = fields;
  if (hostField === undefined || keyType === undefined || keyText === undefined) return null;
  const hosts = parseHosts(hostField);
  const key = decodeKey(keyType, keyText);
  return hosts === null || key === null ? null : { file, line, marker, hosts, keyType, key };
};

/** What editors put before the first line of a file that they call UTF-8. */
const byteOrderMark = '\ufeff';

/** The usable lines of one file. Comments, blank lines and lines that make no sense are passed over, as ssh does. */
export const parseKnownHosts = (file: string, text: string): readonly KnownHost[] => {
  const marked = text.startsWith(byteOrderMark);
  return (marked ? text.slice(byteOrderMark.length) : text).split('\n').flatMap((line, index) => {
    const known = parseLine(file, index + 1, line.endsWith('\r') ? line.slice(0, -1) : line);
    if (known === null) return [];
    return [marked && index === 0 ? { ...known, behindMark: true } : known];
  });
};

export const matchesKnownHost = (known: KnownHost, name: string): boolean => {
  if (known.hosts.kind === 'patterns') return matchesHostPatterns(name, known.hosts.patterns);
  const hash = createHmac('sha1', known.hosts.salt).update(name).digest();
  return timingSafeEqual(hash, known.hosts.hash);
};

/** The names under which a host's key is looked up. */
export type HostKeyNames = {
  readonly name: string;
  /** The name without its port: a key found there is good too, one that differs there says nothing. */
  readonly withoutPort: string | null;
};

const sshPort = 22;

/** As ssh does it: HostKeyAlias stands alone; another port than 22 is part of the name. */
export const hostKeyNames = (hostname: string, port: number, alias: string | null): HostKeyNames => {
  if (alias !== null) return { name: alias, withoutPort: null };
  const host = hostname.toLowerCase();
  return port === sshPort
    ? { name: host, withoutPort: null }
    : { name: `[${host}]:${port}`, withoutPort: host };
};

export type HostKeyVerdict =
  | { readonly kind: 'known'; readonly at: KnownHost }
  | { readonly kind: 'revoked'; readonly at: KnownHost }
  | { readonly kind: 'mismatch'; readonly at: KnownHost }
  | { readonly kind: 'ca-only'; readonly at: KnownHost }
  | { readonly kind: 'behind-mark'; readonly at: KnownHost }
  | { readonly kind: 'unknown' };

/** The lines that speak of one host: by its full name, and by its name without the port. */
export type KnownHostSelection = {
  readonly named: readonly KnownHost[];
  readonly bare: readonly KnownHost[];
};

export const selectKnownHosts = (lines: readonly KnownHost[], names: HostKeyNames): KnownHostSelection => {
  const { name, withoutPort } = names;
  return {
    named: lines.filter((line) => matchesKnownHost(line, name)),
    bare: withoutPort === null ? [] : lines.filter((line) => matchesKnownHost(line, withoutPort)),
  };
};

/** Whether a line can make a host known. */
const isPlain = ({ marker, behindMark }: KnownHost): boolean => marker === 'none' && behindMark !== true;

/**
 * What the known_hosts lines say of the key a server showed. A revocation comes before everything; a host that has
 * lines of its own must show one of their keys, of whatever type; certificate authorities count only where there is
 * nothing else, because this transport cannot check a certificate. A line that ssh cannot read can revoke and nothing else;
 * whom it speaks of is not unknown, so nothing is accepted and written down for them either.
 */
export const judgeHostKey = (selection: KnownHostSelection, key: Buffer): HostKeyVerdict => {
  const { named, bare } = selection;
  const revoked = [...named, ...bare].find((line) => line.marker === 'revoked' && line.key.equals(key));
  if (revoked !== undefined) return { kind: 'revoked', at: revoked };
  const plain = named.filter(isPlain);
  const known = plain.find((line) => line.key.equals(key));
  if (known !== undefined) return { kind: 'known', at: known };
  const [other] = plain;
  if (other !== undefined) return { kind: 'mismatch', at: other };
  const bareKnown = bare.find((line) => isPlain(line) && line.key.equals(key));
  if (bareKnown !== undefined) return { kind: 'known', at: bareKnown };
  const authority = [...named, ...bare].find((line) => line.marker === 'cert-authority');
  const marked = [...named, ...bare.filter((line) => line.key.equals(key))].find(
    ({ marker, behindMark }) => marker === 'none' && behindMark === true,
  );
  if (marked !== undefined) return { kind: 'behind-mark', at: marked };
  return authority === undefined ? { kind: 'unknown' } : { kind: 'ca-only', at: authority };
};

/** Key types that are known for a host: what to ask the server for first. */
export const knownKeyTypes = ({ named, bare }: KnownHostSelection): readonly string[] => {
  const typesOf = (lines: readonly KnownHost[]): readonly string[] =>
    lines.filter(isPlain).map((line) => line.keyType);
  const own = typesOf(named);
  return [...new Set(own.length > 0 ? own : typesOf(bare))];
};
